// The thinned logs of a run, and the columns of the charts that are made of them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { chartColumns, plannedRates } from '../../www/charts/columns.js';
import { LogHistory } from '../../www/log-history.js';
import { withReport } from '../../www/reports.js';
import { Store, initialState } from '../../www/state.js';

/** @param {number} step */
const log = (step, loss = 1 / step, grad_norm = 1) =>
  /** @type {import('../../www/protocol.js').StepLog} */ ({
    step,
    epoch: step / 10,
    loss,
    grad_norm,
    learning_rate: 1,
  });

/** The most points of a chart. */
const MOST = 1025;

test('a short run keeps every log', () => {
  const history = new LogHistory();
  assert.deepEqual([history.last, history.length, history.points()], [null, 0, []]);
  const logs = Array.from({ length: 1024 }, (_, at) => log(at + 1));
  history.add(logs.slice(0, 20));
  history.add(logs.slice(20));
  assert.deepEqual(history.points(), logs);
  assert.equal(history.length, 1024);
});

test('a long run keeps a bounded number of logs, in their order, with the first, the last and every spike', () => {
  const history = new LogHistory();
  const spikes = [3, 4_567, 54_321, 99_999];
  for (let step = 1; step <= 100_000; step += 1) {
    const at = spikes.indexOf(step);
    const [loss, norm] = [
      [9, 1],
      [-9, 1],
      [0.5, 99],
      [0.5, -99],
    ][at] ?? [0.5, step % 1000 === 0 ? Infinity : 1];
    history.add([log(step, loss, norm)]);
  }
  const points = history.points();
  assert.ok(points.length <= MOST, String(points.length));
  assert.ok(points.length > 200);
  const steps = points.map(({ step }) => step);
  assert.deepEqual(
    steps,
    [...new Set(steps)].sort((a, b) => a - b),
  );
  for (const step of [...spikes, 1, 100_000]) assert.ok(steps.includes(step), String(step));
  assert.equal(history.last?.step, 100_000);
  assert.equal(history.length, 100_000);
});

test('logs without a finite value are kept as long as there are few', () => {
  const history = new LogHistory();
  for (let step = 1; step <= 5000; step += 1) history.add([log(step, NaN, NaN)]);
  assert.ok(history.points().length <= MOST);
  assert.equal(history.points().at(-1)?.step, 5000);
});

test('the columns have logs, evaluations and the plan by step', () => {
  const state = initialState('en');
  state.logs.add([log(1, 0.7), log(2, 0.6, Infinity)]);
  const plan = /** @type {any} */ ({
    max_steps: 4,
    schedule: {
      peak: 0.5,
      points: [
        [1, 0],
        [2, 0.5],
        [4, 0.1],
      ],
    },
  });
  const evaluations = /** @type {any[]} */ ([
    { step: 0, eval_loss: 9, part: 'test' },
    { step: 2, eval_loss: 0.8, part: 'test' },
  ]);
  const { loss, rate, norm } = chartColumns({ ...state, plan, evaluations });
  assert.deepEqual(loss, [
    [1, 2, 4],
    [0.7, 0.6, null],
    [null, 0.8, null],
  ]);
  assert.deepEqual(rate, [
    [1, 2, 4],
    [1, 1, null],
    [0, 0.5, 0.1],
  ]);
  assert.deepEqual(norm, [
    [1, 2, 4],
    [1, null, null],
  ]);
});

test('the columns have the plan of the run, not of the form, once there is a run', () => {
  const planOf = (/** @type {number} */ rate) => /** @type {any} */ ({ schedule: { points: [[1, rate]] } });
  const state = initialState('en');
  const run = /** @type {any} */ ({ kind: 'done', plan: planOf(2) });
  assert.deepEqual(chartColumns({ ...state, plan: planOf(1) }).rate[2], [1]);
  assert.deepEqual(chartColumns({ ...state, plan: planOf(1), run }).rate[2], [2]);
  assert.deepEqual(chartColumns(state).rate, [[], [], []]);
});

test('the loss of the epochs is that of validation rows where a run has them, also at its last step', () => {
  const evaluations = /** @type {any[]} */ ([
    { step: 1, eval_loss: 0.9, part: 'validation' },
    { step: 2, eval_loss: 0.8, part: 'validation' },
    { step: 2, eval_loss: 0.5, part: 'test' },
  ]);
  assert.deepEqual(chartColumns({ ...initialState('en'), evaluations }).loss[2], [0.9, 0.8]);
});

test('planned rates lie on the lines between the points of the schedule', () => {
  const points = /** @type {[number, number][]} */ ([
    [2, 0],
    [4, 1],
    [8, 0],
  ]);
  assert.deepEqual(plannedRates(points, [1, 2, 3, 4, 6, 8, 9]), [null, 0, 0.5, 1, 0.5, 0, null]);
  assert.deepEqual(plannedRates([], [1, 2]), [null, null]);
});

test('many evaluations are thinned, and the latest stays', () => {
  const report = (/** @type {number} */ step) => /** @type {any} */ ({ step, part: 'test' });
  /** @type {any[]} */
  let reports = [];
  for (let step = 1; step <= 20_000; step += 1) {
    reports = withReport(reports, report(step));
    assert.ok(reports.length <= 501);
    assert.equal(reports.at(-1).step, step);
  }
  assert.equal(reports[0].step, 1);
  const again = withReport(withReport([], report(3)), { ...report(3), eval_loss: 1 });
  assert.deepEqual(again, [{ step: 3, part: 'test', eval_loss: 1 }]);
  assert.equal(withReport(again, { ...report(3), part: 'validation' }).length, 2);
});

/**
 * The time in which the store and the charts follow a run of this many steps, with a draw every 20 steps.
 * @param {number} steps
 */
function follow(steps) {
  const started = performance.now();
  const plan = /** @type {any} */ ({ schedule: { points: Array.from({ length: 200 }, (_, at) => [at + 1, 1]) } });
  /** @type {(() => void)[]} */
  const tasks = [];
  const store = new Store({ ...initialState('en'), plan }, (task) => tasks.push(task));
  let drawn = 0;
  store.watch(['logs'], (state) => (drawn = chartColumns(state).loss[0]?.length ?? 0));
  for (let step = 1; step <= steps; step += 1) {
    const { logs } = store.state;
    logs.add([log(step)]);
    store.update({ logs });
    if (step % 20 === 0) tasks.pop()?.();
  }
  assert.ok(drawn > 0 && drawn <= MOST + 200);
  return performance.now() - started;
}

test('100,000 steps take no more than 15 times as long as 10,000', () => {
  follow(10_000);
  const [short, long] = [follow(10_000), follow(100_000)];
  assert.ok(long < 15 * short, `${long.toFixed(0)} ms against ${short.toFixed(0)} ms`);
});
