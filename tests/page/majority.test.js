// The comparison of an evaluation with the most frequent class.

import assert from 'node:assert/strict';
import test from 'node:test';
import { majorityNotBeaten } from '../../www/majority.js';

/** @param {number[][]} confusion */
function compare(confusion) {
  const rows = confusion.flat().reduce((sum, count) => sum + count, 0);
  const right = confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0);
  return majorityNotBeaten({ confusion, eval_accuracy: right / rows });
}

test('a model that always predicts one class is no better than the most frequent class', () => {
  assert.deepEqual(
    compare([
      [10, 0],
      [10, 0],
    ]),
    { label: 0, share: 0.5 },
  );
  assert.deepEqual(
    compare([
      [0, 5],
      [0, 15],
    ]),
    { label: 1, share: 0.75 },
  );
});

test('a model below the most frequent class is no better, one above it is', () => {
  assert.deepEqual(
    compare([
      [4, 6],
      [5, 5],
    ]),
    { label: 0, share: 0.5 },
  );
  assert.equal(
    compare([
      [6, 4],
      [5, 5],
    ]),
    null,
  );
  assert.equal(
    compare([
      [10, 0],
      [0, 10],
    ]),
    null,
  );
});

test('a test part of one class or without rows is not compared', () => {
  assert.equal(
    compare([
      [5, 0],
      [0, 0],
    ]),
    null,
  );
  assert.equal(
    compare([
      [0, 0],
      [0, 0],
    ]),
    null,
  );
});
