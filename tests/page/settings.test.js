// The table of settings: which values a field accepts, and which of them the URL keeps.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Settings, asText, check } from '../../www/settings.js';

/** @type {import('../../www/protocol.js').Setting[]} */
const TABLE = [
  {
    name: 'num_rows',
    group: 'data',
    type: 'integer',
    default: 100,
    min: 0,
    max: 10000,
    step: 10,
    advanced: false,
    help: '',
  },
  {
    name: 'learning_rate',
    group: 'training',
    type: 'number',
    default: 5e-5,
    min: 0,
    max: 1,
    step: 1e-5,
    advanced: false,
    help: '',
  },
  { name: 'stratify', group: 'split', type: 'boolean', default: true, advanced: false, help: '' },
  {
    name: 'padding',
    group: 'tokens',
    type: 'choice',
    default: 'longest',
    choices: ['longest', 'max_length'],
    advanced: false,
    help: '',
  },
];
const RECOMMENDED = { num_rows: 100, learning_rate: 5e-5, stratify: true, padding: 'longest' };
const ARTICLE = { ...RECOMMENDED, stratify: false, padding: 'max_length' };
const settings = () =>
  new Settings(TABLE, [
    { id: 'recommended', values: RECOMMENDED },
    { id: 'article', values: ARTICLE },
  ]);
const [ROWS, RATE, STRATIFY, PADDING] = /** @type {[any, any, any, any]} */ (TABLE);

test('a field yields a value that the crate accepts, or a message', () => {
  assert.deepEqual(check(ROWS, ' 120 '), { value: 120, error: null });
  assert.equal(check(RATE, '2e-5').value, 2e-5);
  assert.equal(check(RATE, '.5').value, 0.5);
  assert.equal(check(STRATIFY, 'false').value, false);
  assert.equal(check(PADDING, 'max_length').value, 'max_length');
  for (const text of ['', ' ', 'NaN', 'Infinity', '12.5', '-1', '10001', '0x10', '1e9', 'ten'])
    assert.equal(check(ROWS, text).value, null, text);
  for (const text of ['NaN', '1e400', '1.1', '-0.1', '1,5', 'fast']) assert.equal(check(RATE, text).value, null, text);
  assert.equal(check(ROWS, '').error?.key, 'validation.empty');
  assert.deepEqual(check(ROWS, '-1').error, {
    key: 'validation.integer',
    params: { text: '-1', min: '0', max: '10000' },
  });
  assert.equal(check(STRATIFY, 'yes').error?.key, 'validation.boolean');
  assert.equal(check(PADDING, 'shortest').error?.params.choices, 'longest, max_length');
});

test('small numbers are written in scientific notation', () => {
  assert.equal(asText(5e-5), '5e-5');
  assert.equal(asText(0.01), '0.01');
  assert.equal(asText(0), '0');
  assert.equal(asText(1e-8), '1e-8');
});

test('the URL has the settings that differ from their defaults, and keeps its other parameters', () => {
  const typed = settings();
  typed.set('learning_rate', '0.0002');
  typed.set('stratify', 'false');
  const query = typed.writeQuery(new URLSearchParams('device=cpu&num_rows=5'));
  assert.equal(query.toString(), 'device=cpu&learning_rate=2e-4&stratify=false');

  const opened = settings();
  opened.readQuery(query);
  assert.deepEqual(opened.values(), { ...RECOMMENDED, learning_rate: 2e-4, stratify: false });
  assert.equal(opened.writeQuery(query).toString(), query.toString());
});

test('an invalid value of the URL stays in its field with a message', () => {
  const opened = settings();
  opened.readQuery(new URLSearchParams('learning_rate=NaN'));
  assert.equal(opened.text('learning_rate'), 'NaN');
  assert.equal(opened.error('learning_rate')?.key, 'validation.number');
  assert.equal(opened.firstInvalid()?.name, 'learning_rate');
  assert.equal(opened.writeQuery(new URLSearchParams()).toString(), '');
});

test('presets fill the form and are recognized in it', () => {
  const form = settings();
  assert.equal(form.preset, 'recommended');
  form.apply('article');
  assert.equal(form.preset, 'article');
  assert.deepEqual(form.values(), ARTICLE);
  form.set('num_rows', '40');
  assert.equal(form.preset, null);
});

test('nudging a number adds steps and stays within the bounds', () => {
  const form = settings();
  form.nudge('learning_rate', 1);
  assert.equal(form.text('learning_rate'), '6e-5');
  form.nudge('num_rows', -50);
  assert.equal(form.text('num_rows'), '0');
  form.set('num_rows', 'many');
  form.nudge('num_rows', 1);
  assert.equal(form.text('num_rows'), 'many');
});

test('a message of the crate stays until its field changes, and does not block another attempt', () => {
  const form = settings();
  form.refuse('num_rows', 'too many');
  assert.deepEqual(form.error('num_rows'), { key: 'validation.refused', params: { message: 'too many' } });
  assert.equal(form.firstInvalid(), null);
  form.set('num_rows', '50');
  assert.equal(form.error('num_rows'), null);
});

test('a switch that the device does not support is off, and has a reason where the URL turns it on', () => {
  const reason = { key: 'setting.fp16.off_cpu', params: {} };
  const fp16 = { name: 'fp16', group: 'memory', type: 'boolean', default: false, advanced: false, help: '' };
  const limited = new Settings([.../** @type {any} */ (TABLE), fp16], []);
  assert.equal(limited.off('fp16'), null);
  let notifications = 0;
  limited.subscribe(() => (notifications += 1));
  limited.turnOff('fp16', reason);
  assert.equal(notifications, 1);
  assert.deepEqual(limited.off('fp16'), reason);
  assert.equal(limited.error('fp16'), null);
  assert.equal(limited.firstInvalid(), null);
  limited.readQuery(new URLSearchParams('fp16=true'));
  assert.deepEqual(limited.error('fp16'), reason);
  assert.equal(limited.firstInvalid()?.name, 'fp16');
  limited.set('fp16', 'false');
  assert.equal(limited.firstInvalid(), null);
});

test('several values are set at once, and unknown names are left out', () => {
  const settings = new Settings(TABLE, []);
  let told = 0;
  settings.subscribe(() => (told += 1));
  settings.setAll({ num_rows: 50, stratify: false, learning_rate: 1e-4, of_a_later_version: 1 });
  assert.deepEqual(settings.values(), { num_rows: 50, learning_rate: 1e-4, stratify: false, padding: 'longest' });
  assert.equal(told, 1);
  settings.setAll({ num_rows: 50 });
  assert.equal(told, 1, 'nothing has changed');
});

test('a preset can change some groups of settings only', () => {
  const preset = {
    id: 'recommended',
    values: { num_rows: 100, learning_rate: 5e-5, stratify: true, padding: 'longest' },
  };
  const settings = new Settings(TABLE, [preset]);
  settings.setAll({ num_rows: 50, learning_rate: 1, stratify: false });
  settings.apply('recommended', ['training', 'tokens']);
  assert.deepEqual(settings.values(), { num_rows: 50, learning_rate: 5e-5, stratify: false, padding: 'longest' });
  settings.apply('recommended');
  assert.equal(settings.preset, 'recommended');
});
