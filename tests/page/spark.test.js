// The geometry of the small chart.

import assert from 'node:assert/strict';
import test from 'node:test';
import { linePath, place, roundTop } from '../../www/charts/spark-geometry.js';

test('the top of the axis is the next round number', () => {
  const tops = [0.69, 0.8, 0.81, 1, 1.01, 9.7, 0.031, 123].map(roundTop);
  assert.deepEqual(tops, [0.8, 0.8, 1, 1, 1.2, 10, 0.04, 150]);
});

test('every value is at most its top, and a top is its own top', () => {
  for (let value = 0.001; value < 1000; value *= 1.07) {
    const top = roundTop(value);
    assert.ok(top >= value * (1 - 1e-9) && top < value * 2, `${value}: ${top}`);
    assert.equal(roundTop(top), top);
  }
});

test('an axis without values has a top', () => {
  assert.deepEqual([0, -1, NaN, Infinity].map(roundTop), [1, 1, 1, 1]);
});

test('a point is placed from the top left corner and stays inside', () => {
  assert.deepEqual(place([15, 0.25], 30, 1), [0.5, 0.75]);
  assert.deepEqual(place([40, 2], 30, 1), [1, 0]);
  assert.deepEqual(place([0, 0], 0, 1), [0, 1]);
  assert.equal(place([1, NaN], 30, 1), null);
});

test('the line is interrupted where a value is not finite', () => {
  const scale = { maxX: 4, maxY: 1, width: 100, height: 10 };
  const points = /** @type {[number, number][]} */ ([
    [0, 1],
    [1, 0.5],
    [2, Infinity],
    [3, 0.25],
    [4, 0],
  ]);
  assert.equal(linePath(points, scale), 'M0 0L25 5M75 7.5L100 10');
  assert.equal(linePath([], scale), '');
});
