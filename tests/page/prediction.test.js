// Which model a shown prediction is of.

import assert from 'node:assert/strict';
import test from 'node:test';
import { LogHistory } from '../../www/log-history.js';
import { predictedBy, predictionOf } from '../../www/prediction.js';

const TRAINED = { labels: [], tokens: [], truncated: false, before: [0.5, 0.5], after: [0.1, 0.9] };
const RUNNING = /** @type {any} */ ({ kind: 'running' });
const DONE = /** @type {any} */ ({ kind: 'done' });

/** @param {number} steps */
function logsOf(steps) {
  const logs = new LogHistory();
  const log = (/** @type {number} */ step) => ({ step, epoch: 0, loss: 1, learning_rate: 0, grad_norm: 1 });
  logs.add(Array.from({ length: steps }, (_, at) => log(at + 1)));
  return logs;
}

test('a prediction is of the run in progress, then of an earlier step of it', () => {
  const logs = logsOf(3);
  const prediction = predictionOf({ logs }, 'Good.', TRAINED);
  assert.equal(predictedBy(prediction, { logs, run: RUNNING }), 'running');
  assert.equal(predictedBy(prediction, { logs, run: DONE }), 'current');
  logs.add([{ step: 4, epoch: 0, loss: 1, learning_rate: 0, grad_norm: 1 }]);
  assert.equal(predictedBy(prediction, { logs, run: DONE }), 'earlier_step');
});

test('a prediction of the run before stays one during the next run', () => {
  const prediction = predictionOf({ logs: logsOf(3) }, 'Good.', TRAINED);
  assert.equal(predictedBy(prediction, { logs: logsOf(1), run: RUNNING }), 'earlier_run');
});

test('without a trained model the prediction is that of the untrained one', () => {
  const logs = logsOf(0);
  const prediction = predictionOf({ logs }, 'Good.', { ...TRAINED, after: null });
  assert.equal(predictedBy(prediction, { logs, run: { kind: 'idle' } }), 'untrained');
});
