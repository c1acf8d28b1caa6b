// The training loop of the worker: pause, step, stop, sentences in between, and times without pauses.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Rate, Stopwatch, TrainingRun } from '../../www/run.js';

/** A trainer of `steps` steps with an evaluation after each `every`. */
class FakeTrainer {
  done = 0;
  calls = 0;
  overlapping = 0;
  most = 0;
  evaluated = 0;
  /** @type {number[]} */
  logEvery = [];
  /** @type {any[]} */
  finished = [];
  constructor(steps = 6, every = 3) {
    this.steps = steps;
    this.every = every;
  }
  async train_start() {
    return { max_steps: this.steps };
  }
  /** @param {number} n */
  set_log_every(n) {
    this.logEvery.push(n);
  }
  /** @returns {Promise<any>} */
  async train_step() {
    this.most = Math.max(this.most, ++this.overlapping);
    await new Promise((resolve) => setImmediate(resolve));
    this.overlapping -= 1;
    if (this.done > this.evaluated * this.every && this.done % this.every === 0) {
      this.evaluated += 1;
      return { kind: 'evaluation', report: { step: this.done } };
    }
    if (this.done >= this.steps) return { kind: 'finished' };
    this.done += 1;
    return {
      kind: 'step',
      logs: [{ step: this.done }],
      step: this.done,
      max_steps: this.steps,
      epoch: this.done / this.every,
      tokens: 100,
    };
  }
  /**
   * @param {boolean} stopped
   * @param {number} seconds
   */
  async train_finish(stopped, seconds) {
    this.finished.push({ stopped, seconds });
    return { stopped, global_step: this.done, train_runtime: seconds };
  }
}

/** @returns {{events: any[], on: (event: any) => void, until: (kind: string, test?: (event: any) => boolean) => Promise<void>}} */
function recorder() {
  /** @type {any[]} */
  const events = [];
  /** @type {(() => void)[]} */
  let waiting = [];
  return {
    events,
    on: (event) => {
      events.push(event);
      for (const look of waiting) look();
    },
    until: (kind, test = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          if (events.some((event) => event.kind === kind && test(event))) resolve();
        };
        waiting.push(look);
        look();
      }),
  };
}
const kinds = (/** @type {any[]} */ events) => events.map(({ kind }) => kind).join(' ');

test('runs to the end, every event in order', async () => {
  const trainer = new FakeTrainer();
  const seen = recorder();
  const result = await new TrainingRun(trainer, false, seen.on, async () => {}).drive({});
  assert.equal(kinds(seen.events), 'run step step step evaluation step step step evaluation');
  assert.equal(result.stopped, false);
  assert.equal(result.global_step, 6);
  assert.ok(result.first_step_ms > 0 && result.first_step_ms <= result.train_runtime * 1000);
});

test('starts paused, goes by single steps, resumes', async () => {
  const trainer = new FakeTrainer();
  const seen = recorder();
  const run = new TrainingRun(trainer, true, seen.on, async () => {});
  const driven = run.drive({});
  await seen.until('run', ({ state }) => state === 'paused');
  assert.equal(trainer.done, 0);
  for (const wanted of [1, 2, 3, 4]) {
    assert.equal(run.control('step'), 'paused');
    await seen.until('step', ({ step }) => step === wanted);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(trainer.done, wanted);
  }
  // The evaluation that was due came along with the step after it.
  assert.equal(trainer.evaluated, 1);
  assert.equal(run.control('resume'), 'running');
  assert.equal((await driven).global_step, 6);
});

test('stops between two steps, also while paused', async () => {
  const trainer = new FakeTrainer(1000);
  const seen = recorder();
  const run = new TrainingRun(trainer, false, seen.on, async () => {});
  const driven = run.drive({});
  await seen.until('step', ({ step }) => step === 5);
  run.control('pause');
  await seen.until('run', ({ state }) => state === 'paused');
  assert.equal(run.control('stop'), 'stopped');
  const result = await driven;
  assert.equal(result.stopped, true);
  assert.ok(result.global_step < 10);
  assert.equal(seen.events.at(-1).state, 'stopped');
});

test('a run that halts has reported its last step, though no loss of it was read', async () => {
  class Unread extends FakeTrainer {
    /** @override */
    async train_step() {
      const event = await super.train_step();
      return event.kind === 'step' ? { ...event, logs: [] } : event;
    }
  }
  const trainer = new Unread(1000, 1000);
  const seen = recorder();
  const run = new TrainingRun(trainer, false, seen.on, async () => {});
  const driven = run.drive({});
  while (trainer.done < 5) await new Promise((resolve) => setImmediate(resolve));
  run.control('pause');
  await seen.until('run', ({ state }) => state === 'paused');
  assert.equal(seen.events.findLast(({ kind }) => kind === 'step').step, trainer.done);
  run.control('resume');
  await new Promise((resolve) => setImmediate(resolve));
  run.control('stop');
  await driven;
  assert.equal(seen.events.findLast(({ kind }) => kind === 'step').step, trainer.done);
});

test('sentences are answered between steps and during a pause, never at the same time as a step', async () => {
  const trainer = new FakeTrainer(20);
  const seen = recorder();
  /** @type {string[]} */
  const answered = [];
  const run = new TrainingRun(trainer, true, seen.on, async ({ text }) => {
    assert.equal(trainer.overlapping, 0);
    answered.push(text);
  });
  run.predict({ type: 'predict', id: 1, text: 'early' });
  const driven = run.drive({});
  await seen.until('run', ({ state }) => state === 'paused');
  run.predict({ type: 'predict', id: 2, text: 'paused' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(answered, ['early', 'paused']);
  run.control('resume');
  await seen.until('step', ({ step }) => step === 3);
  run.predict({ type: 'predict', id: 3, text: 'running' });
  await driven;
  assert.deepEqual(answered, ['early', 'paused', 'running']);
  assert.equal(trainer.most, 1);
});

test('pauses are no part of the runtime', async () => {
  const trainer = new FakeTrainer(3);
  const seen = recorder();
  const run = new TrainingRun(trainer, true, seen.on, async () => {});
  const driven = run.drive({});
  await new Promise((resolve) => setTimeout(resolve, 300));
  run.control('resume');
  assert.ok((await driven).train_runtime < 0.25);
});

test('an error of the trainer ends the run', async () => {
  const trainer = new FakeTrainer();
  trainer.train_step = () => Promise.reject({ code: 'diverged', message: 'NaN', field: null });
  await assert.rejects(
    new TrainingRun(
      trainer,
      false,
      () => {},
      async () => {},
    ).drive({}),
    { code: 'diverged' },
  );
});

test('rates are taken from read to read; fast steps are read in batches', () => {
  let now = 0;
  const clock = new Stopwatch(() => now);
  clock.run();
  const rate = new Rate(clock);
  rate.restart();
  /** @param {number} step @param {boolean} read */
  const step = (step, read) =>
    rate.step({
      kind: 'step',
      logs: read ? [/** @type {any} */ ({})] : [],
      step,
      max_steps: 100,
      epoch: step / 50,
      tokens: 200,
    });
  now = 5000; // the first step builds the pipelines
  assert.equal(step(1, true).step_ms, 5000);
  assert.equal(rate.stepsPerRead(), 1);
  now += 20;
  const second = step(2, true);
  assert.equal(second.step_ms, 20);
  assert.equal(second.tokens_per_second, 10000);
  assert.equal(second.eta_ms, 98 * 20);
  assert.equal(rate.stepsPerRead(), 13);
  now += 1;
  assert.equal(step(3, false).step_ms, 20); // queued, not done: says nothing
  now += 39;
  assert.equal(step(4, true).step_ms, 20);
  now += 500; // an evaluation
  rate.evaluated();
  now += 20;
  assert.equal(step(5, true).eta_ms, 95 * 20 + 500);
});
