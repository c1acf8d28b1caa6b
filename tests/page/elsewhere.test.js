// The time of a run here against a GPU elsewhere: what is said, and when nothing is.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { PEAK, sentences } from '../../www/panels/elsewhere.js';
import { leastOperations } from '../../www/work.js';

/** @type {any} */
const recording = JSON.parse(readFileSync(new URL('../../www/recording/default-job.json', import.meta.url), 'utf8'));
const VALUES = { ...recording.settings, padding: 'max_length', max_length: 100, tuning: 'full' };

/** @param {number} rows @returns {any} */
const known = (rows) => ({
  plan: { max_steps: 10, steps_per_epoch: 10, memory: null },
  split: { train_rows: rows, test_rows: 0 },
  dataset: null,
  tokens: null,
  origin: { kind: 'site' },
  model: { parameters: 22.7e6, config: { num_hidden_layers: 6, hidden_size: 384, intermediate_size: 1536 } },
});

test('the operations are at least those of the matrix products', () => {
  const encoder = 6 * (4 * 384 * 384 + 2 * 384 * 1536);
  const forward = 2 * encoder * 1000 * 100;
  const found = leastOperations(known(1000), VALUES, recording) ?? NaN;
  // A training step takes three times the forward pass.
  assert.ok(found > 2 * forward && found <= 3 * forward, `${found / forward} forward passes`);
  assert.ok(Math.abs((leastOperations(known(2000), VALUES, recording) ?? NaN) / found - 2) < 1e-9);
});

test('nothing is known without a plan', () => {
  assert.equal(leastOperations({ ...known(10), plan: null }, VALUES, recording), null);
});

test('the time there is a lower limit, and a run that ends before Python has started says so', () => {
  const second = PEAK.operations_per_second;
  assert.deepEqual(sentences(60_000, second * 0.9), ['elsewhere.here', 'elsewhere.there_short']);
  assert.deepEqual(sentences(60_000, second * 1.1), ['elsewhere.here', 'elsewhere.there']);
  assert.deepEqual(sentences(null, null), ['elsewhere.here_unknown', 'elsewhere.there_unknown']);
});
