// The recommended settings: what they are made for, when they are out of date, and when they follow the data.

import assert from 'node:assert/strict';
import test from 'node:test';
import { RequestError } from '../../www/session.js';
import { factsOf, follows, isRecommended, isStale, needed, recommend, recommendJob } from '../../www/recommendation.js';
import { minutesOf } from '../../www/panels/recommend.js';
import { Settings } from '../../www/settings.js';
import { Store, initialState } from '../../www/state.js';

const TABLE = /** @type {any} */ ([
  { name: 'num_train_epochs', group: 'training', type: 'number', default: 3, min: 0, max: 1000, step: 1 },
  { name: 'learning_rate', group: 'training', type: 'number', default: 5e-5, min: 0, max: 1, step: 1e-5 },
  { name: 'padding', group: 'tokens', type: 'choice', default: 'longest', choices: ['longest', 'max_length'] },
]);
const DEFAULTS = { num_train_epochs: 3, learning_rate: 5e-5, padding: 'longest' };
const PRESETS = [
  { id: 'recommended', values: DEFAULTS },
  { id: 'article', values: { ...DEFAULTS, padding: 'max_length' } },
];
const VIEW = { values: { num_train_epochs: 8, learning_rate: 1e-4 }, reasons: [], num_steps: 80 };
const TOY = {
  num_rows: 100,
  labels: ['a', 'b'],
  label_counts: [50, 50],
  distinct_texts: 2,
  source: 'article',
  name: '',
};
const OWN = { ...TOY, num_rows: 400, label_counts: [200, 200], distinct_texts: 390, source: 'import', name: 'r.csv' };
const SPLIT = { train_label_counts: [40, 40] };

/** @param {any} [change] @param {(body: any) => Promise<any>} [answer] */
function page(change = {}, answer = async () => VIEW) {
  const settings = new Settings(TABLE, PRESETS);
  const store = new Store(/** @type {any} */ ({ ...initialState('en'), dataset: TOY, split: SPLIT, ...change }));
  /** @type {any[]} */
  const asked = [];
  const session = { request: (/** @type {any} */ body) => (asked.push(body), answer(body)) };
  return { app: /** @type {any} */ ({ store, settings, session }), store, settings, asked };
}

test('the values of the worker are put into the form, with what they are made for', async () => {
  const { app, store, settings, asked } = page();
  store.update({ recommendation: { ...store.state.recommendation, minutes: 2 } });
  assert.ok(await recommend(app, () => 1e-12));
  const [{ type, budget_seconds, seconds_per_unit }] = asked;
  assert.deepEqual([type, budget_seconds, seconds_per_unit], ['recommend', 120, 1e-12]);
  assert.equal(settings.text('num_train_epochs'), '8');
  assert.equal(settings.text('padding'), 'longest');
  assert.deepEqual(store.state.recommendation.view, VIEW);
  assert.equal(isStale(store.state), false);
});

test('a recommendation is out of date when the data changes, and again up to date', async () => {
  const { app, store } = page();
  await recommend(app, () => null);
  store.update({ dataset: /** @type {any} */ (OWN) });
  assert.equal(isStale(store.state), true);
  await recommend(app, () => null);
  assert.equal(isStale(store.state), false);
  store.update({ split: /** @type {any} */ ({ train_label_counts: [10, 10] }) });
  assert.equal(isStale(store.state), true);
});

test('the lengths of the tokens do not matter, because max_length is recommended too', () => {
  const data = /** @type {any} */ ({ dataset: TOY, split: SPLIT, model: null });
  assert.equal(factsOf({ ...data, tokens: { longest: 60 } }), factsOf({ ...data, tokens: { longest: 128 } }));
  assert.notEqual(factsOf({ ...data, tokens: null }), factsOf({ ...data, tokens: { longest: 128 } }));
});

test('before the worker is asked, the defaults of the table are the recommended values', () => {
  const { settings, store } = page();
  assert.equal(isRecommended(settings, store.state.recommendation), true);
  settings.set('num_train_epochs', '5');
  assert.equal(isRecommended(settings, store.state.recommendation), false);
});

test('values follow own data until the visitor changes one of them; those of a toy stay', async () => {
  const { app, store, settings } = page();
  assert.equal(follows(store.state, settings), false, 'toy');
  store.update({ dataset: /** @type {any} */ (OWN) });
  assert.equal(needed(store.state, settings), true);
  await recommend(app, () => null);
  assert.equal(follows(store.state, settings), true);
  assert.equal(needed(store.state, settings), false, 'nothing has changed');
  store.update({ dataset: /** @type {any} */ ({ ...OWN, num_rows: 300 }) });
  assert.equal(needed(store.state, settings), true);
  settings.set('padding', 'max_length');
  assert.equal(needed(store.state, settings), true, 'not one of the recommended values');
  settings.set('learning_rate', '2e-5');
  assert.equal(needed(store.state, settings), false);
  settings.set('learning_rate', '1e-4');
  store.update({ dataset: /** @type {any} */ ({ ...TOY, edited: true }) });
  assert.equal(needed(store.state, settings), true, 'a toy with edited rows is own data');
});

test('the job asks once for the same data', async () => {
  const { app, store, asked } = page({ dataset: OWN });
  const job = recommendJob(app, () => null);
  assert.ok(job.inputs(store.state));
  await job.run();
  assert.equal(job.inputs(store.state), null);
  assert.equal(asked.length, 1);
});

test('without the tokens the form keeps its values, and no error is shown', async () => {
  const refuse = (/** @type {string} */ code) => async () => {
    throw new RequestError({ code, message: 'no', field: null });
  };
  const early = page({}, refuse('not_ready'));
  assert.equal(await recommend(early.app, () => null), false);
  assert.equal(early.store.state.recommendation.error, null);
  assert.equal(early.settings.preset, 'recommended');
  const failed = page({}, refuse('settings'));
  await recommend(failed.app, () => null);
  assert.equal(failed.store.state.recommendation.error?.code, 'settings');
  assert.equal(failed.store.state.recommendation.asking, false);
});

test('a budget is a number of minutes or nothing', () => {
  assert.deepEqual(['', ' ', '2', '0.5', '1,5'].map(minutesOf), [null, null, 2, 0.5, 1.5]);
  assert.deepEqual(['0', '-1', 'two', '1e9', '.'].map(minutesOf), Array(5).fill(undefined));
});
