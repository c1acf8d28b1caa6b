// The baselines: the lines of the chart, the comparison with the model, and when they are out of date.

import assert from 'node:assert/strict';
import test from 'node:test';
import { baselineJobs, comparable, gain, isQuick, scores, stopEmbedding } from '../../www/baselines.js';
import { accuracyColumns, accuracyRange } from '../../www/charts/accuracy.js';
import { placeLabels } from '../../www/charts/levels.js';
import { RequestError } from '../../www/session.js';
import { Store, initialState, patchStage } from '../../www/state.js';

/** @param {string} id @param {number} eval_accuracy */
const baseline = (id, eval_accuracy) => ({ id, eval_accuracy, macro_f1: eval_accuracy, eval_loss: 1, ms: 1 });
const MAJORITY = baseline('majority', 0.5);
const TFIDF = baseline('tfidf', 0.7);

/** A report of `right` of 100 rows. @param {number} right @returns {any} */
const report = (right) => ({
  confusion: [
    [right - 30, 50 - right + 30],
    [20, 30],
  ],
  eval_accuracy: right / 100,
  macro: { f1: right / 100 },
});

const TEST = /** @type {const} */ ('test');

test('a baseline is a level over all steps, and the accuracy has a point for each evaluation', () => {
  const evaluations = [
    { step: 0, eval_accuracy: 0.4, part: TEST },
    { step: 10, eval_accuracy: 0.6, part: TEST },
    { step: 20, eval_accuracy: 0.8, part: TEST },
  ];
  assert.deepEqual(accuracyColumns([1, 5, 10, 30], evaluations, [TFIDF, MAJORITY]), [
    [1, 10, 20, 30],
    [null, 0.6, 0.8, null],
    [null, null, null, null],
    [0.5, 0.5, 0.5, 0.5],
    [0.7, 0.7, 0.7, 0.7],
    [null, null, null, null],
  ]);
});

test('validation rows have a line of their own, also at the step of the last evaluation of the test rows', () => {
  const validation = /** @type {const} */ ('validation');
  const evaluations = [
    { step: 10, eval_accuracy: 0.6, part: validation },
    { step: 20, eval_accuracy: 0.9, part: validation },
    { step: 20, eval_accuracy: 0.8, part: TEST },
  ];
  const [, onTest, onValidation] = accuracyColumns([1, 20], evaluations, []);
  assert.deepEqual(onTest, [null, null, 0.8]);
  assert.deepEqual(onValidation, [null, 0.6, 0.9]);
});

test('before the plan of a run the levels have a width', () => {
  const [steps = [], , , majority = []] = accuracyColumns([], [], [MAJORITY]);
  assert.equal(steps.length, 2);
  assert.deepEqual(majority, [0.5, 0.5]);
});

test('the accuracy axis begins below the lowest value and ends above 1', () => {
  const [low, high] = accuracyRange(0.5);
  assert.ok(Math.abs(low - 0.4) < 1e-9 && high > 1);
  assert.equal(accuracyRange(0.02)[0], 0);
  assert.equal(accuracyRange(null)[0], 0);
});

test('the labels of levels do not overlap and stay inside of the plot', () => {
  const plot = { top: 0, bottom: 200 };
  assert.deepEqual(placeLabels([150, 80], 16, plot), [150, 80], 'above their lines');
  assert.deepEqual(placeLabels([80, 88], 16, plot), [80, 104], 'the lower one is below its line');
  assert.deepEqual(placeLabels([5], 16, plot), [21], 'below a line at the top');
  assert.deepEqual(placeLabels([180, 190], 16, plot), [180, 190], 'there is no place below the lowest line');
  for (const lines of [
    [80, 80, 80],
    [3, 6, 9],
    [100, 90, 95],
  ]) {
    const places = placeLabels(lines, 16, plot).sort((a, b) => a - b);
    for (const [at, place] of places.entries()) {
      assert.ok(place - 16 >= plot.top && place <= plot.bottom, String(places));
      assert.ok(at === 0 || place - (places[at - 1] ?? 0) >= 16, String(places));
    }
  }
});

test('a model is compared with the best baseline', () => {
  const found = scores([MAJORITY, TFIDF], report(78));
  assert.equal(found.rows, 100);
  assert.equal(found.model.accuracy, 0.78);
  const gained = gain(found);
  assert.equal(gained?.best.id, 'tfidf');
  assert.ok(Math.abs((gained?.difference ?? 0) - 0.08) < 1e-9);
  assert.equal(gained?.apart, false, 'the intervals overlap');
  assert.equal(gain(scores([MAJORITY], report(78)))?.apart, true);
  assert.equal(gain(scores([TFIDF], report(40)))?.difference, 0.4 - 0.7);
  assert.equal(gain(scores([], report(78))), null);
});

test('baselines of another split, or an evaluation of other rows, are not compared', () => {
  const split = /** @type {any} */ ({ test_label_counts: [50, 50] });
  const state = (/** @type {any} */ of) => ({
    split,
    baselines: { baselines: [MAJORITY], split: of, missing: false, embedding: null, declined: false, error: null },
  });
  assert.deepEqual(comparable(state(split), report(78)), [MAJORITY]);
  assert.deepEqual(comparable(state(split), undefined), [MAJORITY]);
  assert.deepEqual(comparable(state({ ...split }), report(78)), []);
  assert.deepEqual(comparable(state(null), report(78)), []);
  const other = { confusion: [[10, 0], [0, 10]] }; // prettier-ignore
  assert.deepEqual(comparable(state(split), other), []);
});

test('the encoder reads the rows by itself only where this takes a few seconds', () => {
  const state = (/** @type {string} */ kind, /** @type {number} */ num_rows, software = false) =>
    /** @type {any} */ ({ opened: { device: { kind, software } }, dataset: { num_rows } });
  assert.equal(isQuick(state('cpu', 100), 2), true);
  assert.equal(isQuick(state('cpu', 100), 20), false);
  assert.equal(isQuick(state('cpu', 100), null), false);
  assert.equal(isQuick(state('webgpu', 1000), null), true);
  assert.equal(isQuick(state('webgpu', 100_000), null), false);
  assert.equal(isQuick(state('webgpu', 1000, true), null), false);
});

/** A page with tokens. @param {(body: any, onEvent: (event: any) => void) => Promise<any>} answer */
function page(answer) {
  const store = new Store(initialState('en'));
  store.update(/** @type {any} */ ({ dataset: { num_rows: 100 }, split: {}, tokens: {} }));
  patchStage(store, 'tokens', { state: 'done' });
  const session = { request: answer };
  const settings = { values: () => ({}) };
  const [quick, long] = baselineJobs(/** @type {any} */ ({ store, settings, session }), () => 1);
  if (!quick || !long) throw new Error('two jobs are expected');
  return { app: /** @type {any} */ ({ store, session }), store, quick, long };
}

test('what needs no encoder comes first, then the embeddings, with their progress', async () => {
  /** @type {any[]} */
  const seen = [];
  const { store, quick, long } = page(async ({ type, embeddings }, onEvent) => {
    assert.equal(type, 'baselines');
    if (!embeddings) return { baselines: [MAJORITY, TFIDF] };
    onEvent({ kind: 'embedding', done: 5, total: 100 });
    seen.push(store.state.baselines.embedding);
    return { baselines: [MAJORITY, TFIDF, baseline('embeddings', 0.8)] };
  });
  assert.equal(long.inputs(store.state), null, 'not before the others');
  assert.ok(quick.inputs(store.state));
  assert.equal(await quick.run(), true);
  assert.ok(long.inputs(store.state));
  assert.equal(await long.run(), true);
  assert.deepEqual(seen, [{ done: 5, total: 100 }]);
  assert.equal(store.state.baselines.baselines.length, 3);
  assert.equal(long.inputs(store.state), null, 'nothing is missing');
  patchStage(store, 'tokens', { stale: true });
  assert.equal(quick.inputs(store.state), null, 'the tokens are of other settings');
});

test('a stopped embedding keeps the other baselines and is made later', async () => {
  let stop = true;
  const { store, quick, long } = page(async ({ embeddings }) => {
    if (embeddings && stop) throw new RequestError({ code: 'stopped', message: 'stopped', field: null });
    return { baselines: embeddings ? [MAJORITY, baseline('embeddings', 0.8)] : [MAJORITY] };
  });
  await quick.run();
  assert.equal(await long.run(), false);
  assert.deepEqual(store.state.baselines.baselines, [MAJORITY]);
  assert.equal(store.state.baselines.error, null);
  assert.ok(long.inputs(store.state));
  stop = false;
  assert.equal(await long.run(), true);
});

test('the embeddings that the visitor has stopped are not made again by themselves, but for other rows', async () => {
  const { app, store, quick, long } = page(async ({ type }) => {
    return type === 'baselines' ? { baselines: [MAJORITY] } : { state: 'stopped' };
  });
  await quick.run();
  assert.ok(long.inputs(store.state));
  await stopEmbedding(app);
  assert.equal(long.inputs(store.state), null);
  store.update(/** @type {any} */ ({ split: {}, tokens: {} }));
  await quick.run();
  assert.ok(long.inputs(store.state));
});
