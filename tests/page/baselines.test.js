// The baselines: the lines of the chart, the comparison with the model, and when they are out of date.

import assert from 'node:assert/strict';
import test from 'node:test';
import { comparable, gain, scores } from '../../www/baselines.js';
import { accuracyColumns, accuracyRange } from '../../www/charts/accuracy.js';
import { placeLabels } from '../../www/charts/levels.js';

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

test('a baseline is a level over all steps, and the accuracy has a point for each evaluation', () => {
  const evaluations = [
    { step: 0, eval_accuracy: 0.4 },
    { step: 10, eval_accuracy: 0.6 },
    { step: 20, eval_accuracy: 0.8 },
  ];
  assert.deepEqual(accuracyColumns([1, 5, 10, 30], evaluations, [TFIDF, MAJORITY]), [
    [1, 10, 20, 30],
    [null, 0.6, 0.8, null],
    [0.5, 0.5, 0.5, 0.5],
    [0.7, 0.7, 0.7, 0.7],
    [null, null, null, null],
  ]);
});

test('before the plan of a run the levels have a width', () => {
  const [steps = [], , majority = []] = accuracyColumns([], [], [MAJORITY]);
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
    baselines: { baselines: [MAJORITY], split: of, missing: false, embedding: null, error: null },
  });
  assert.deepEqual(comparable(state(split), report(78)), [MAJORITY]);
  assert.deepEqual(comparable(state(split), undefined), [MAJORITY]);
  assert.deepEqual(comparable(state({ ...split }), report(78)), []);
  assert.deepEqual(comparable(state(null), report(78)), []);
  const other = { confusion: [[10, 0], [0, 10]] }; // prettier-ignore
  assert.deepEqual(comparable(state(split), other), []);
});
