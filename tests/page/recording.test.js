// The file of the recorded run: made with the default settings, complete, and small.

import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import test from 'node:test';

const root = new URL('../../', import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, root), 'utf8');
const PATH = 'www/recording/default-job.json';
/** @type {import('../../www/recording/recording.js').Recording} */
const recording = JSON.parse(read(PATH));
const RECORD = `The default settings are not those of ${PATH}. \`WEBTUNE_UPDATE_RECORDING=1 npx playwright test \
--config=tests/browser/playwright.config.js cpu.spec.js\` records a run with them, on the site in dist/.`;

/** The defaults of the crate by name. */
function defaults() {
  const table = read('src/settings/table.rs').split('pub const SETTINGS')[1] ?? '';
  const entry = /(?:integer|number|boolean|choice)\("(\w+)", Group::\w+, \w+, \(?("[^"]*"|[\w.-]+)/g;
  const value = (/** @type {string} */ text) =>
    JSON.parse(text.replaceAll('_', (mark) => (text.startsWith('"') ? mark : '')));
  return Object.fromEntries([...table.matchAll(entry)].map(([, name = '', text = '']) => [name, value(text)]));
}

test('the recorded run has the default settings', () => {
  const expected = defaults();
  assert.ok(Object.keys(expected).length >= 30);
  assert.deepEqual(recording.settings, expected, RECORD);
});

test('the recorded sentence is the first one of the page', () => {
  for (const language of ['en', 'ko'])
    assert.equal(
      recording.sentence.text,
      JSON.parse(read(`www/i18n/${language}.json`))['try.first_sentence'],
      language,
    );
});

test('the recording has every step, and is small', () => {
  const { logs, evaluations, sentence, labels } = recording;
  const steps = Array.from({ length: 32 }, (_, at) => at + 1);
  assert.deepEqual(logs.step, steps);
  for (const column of Object.values(logs)) assert.equal(column.length, steps.length);
  assert.deepEqual(
    evaluations.map(({ step }) => step),
    [16, 32],
  );
  assert.deepEqual(sentence.step, [0, ...steps]);
  assert.equal(sentence.by_label.length, labels.length);
  for (const at of sentence.step.keys()) {
    const sum = sentence.by_label.reduce((total, column) => total + (column[at] ?? NaN), 0);
    assert.ok(Math.abs(sum - 1) < 1e-4, `after ${at} steps`);
  }
  assert.ok(statSync(new URL(PATH, root)).size < 6000);
});
