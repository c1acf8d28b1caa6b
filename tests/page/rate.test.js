// The step rate and the remaining time.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Rate, Stopwatch } from '../../www/rate.js';

test('rates span the time between two reads; fast steps are read in batches', () => {
  let now = 0;
  const clock = new Stopwatch(() => now);
  clock.start();
  const rate = new Rate(clock);
  rate.restart();
  /** @param {number} step @param {boolean} read */
  const step = (step, read) =>
    rate.step({
      logs: read ? [/** @type {any} */ ({})] : [],
      step,
      max_steps: 100,
      epoch: step / 50,
      tokens: 200,
    });
  now = 5000; // the first step compiles the pipelines
  assert.equal(step(1, true).step_ms, 5000);
  assert.equal(rate.stepsPerRead(), 1);
  now += 20;
  const second = step(2, true);
  assert.equal(second.step_ms, 20);
  assert.equal(second.tokens_per_second, 10000);
  assert.equal(second.eta_ms, 98 * 20);
  assert.equal(rate.stepsPerRead(), 13);
  now += 1;
  assert.equal(step(3, false).step_ms, 20); // queued, not done
  now += 39;
  assert.equal(step(4, true).step_ms, 20);
  now += 500; // an evaluation
  rate.evaluated();
  now += 20;
  assert.equal(step(5, true).eta_ms, 95 * 20 + 500);
});
