// The interval of a share, against scipy's `binomtest(successes, total).proportion_ci(method='wilson')`.

import assert from 'node:assert/strict';
import test from 'node:test';
import { wilson } from '../../www/interval.js';

/** successes, total, low, high */
const KNOWN = /** @type {const} */ ([
  [0, 20, 0, 0.161125158],
  [20, 20, 0.838874842, 1],
  [10, 20, 0.299298008, 0.700701992],
  [81, 263, 0.25528852, 0.366209577],
  [1, 29, 0.006113214, 0.171755219],
  [216, 300, 0.666656114, 0.767780978],
]);

for (const [successes, total, low, high] of KNOWN)
  test(`the interval of ${successes} of ${total}`, () => {
    const found = wilson(successes, total);
    assert.ok(Math.abs(found[0] - low) < 1e-8, String(found[0]));
    assert.ok(Math.abs(found[1] - high) < 1e-8, String(found[1]));
  });

test('an interval contains its share and gets smaller with more rows', () => {
  let before = Infinity;
  for (const total of [5, 20, 100, 1000]) {
    const [low, high] = wilson(0.8 * total, total);
    assert.ok(low < 0.8 && high > 0.8);
    assert.ok(high - low < before);
    before = high - low;
  }
});

test('of no rows nothing is known', () => assert.deepEqual(wilson(0, 0), [0, 1]));
