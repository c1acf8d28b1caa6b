// The training loop of the worker: pause, single steps, stop, sentences in between, and times without pauses.

import assert from 'node:assert/strict';
import test from 'node:test';
import { TrainingRun } from '../../www/run.js';

const STEP_MS = 10;
const nextTask = () => /** @type {Promise<void>} */ (new Promise((resolve) => setImmediate(resolve)));

/** Lets a loop that is not paused do more than one step: each takes two tasks. */
async function severalSteps() {
  for (let task = 0; task < 6; task += 1) await nextTask();
}

/**
 * A trainer of `steps` steps with an evaluation of `batches` batches after each `every` and after a stop. Each call
 * takes `STEP_MS` of its own clock.
 */
class FakeTrainer {
  now = 0;
  done = 0;
  concurrent = 0;
  mostConcurrent = 0;
  evaluatedStep = 0;
  batch = 0;
  stopped = false;
  constructor(steps = 6, every = 3, batches = 1) {
    this.steps = steps;
    this.every = every;
    this.batches = batches;
  }
  async train_start() {
    return null;
  }
  async train_resume() {
    return { step: 2, max_steps: this.steps };
  }
  set_log_every() {}
  /** @returns {Promise<any>} */
  async train_step() {
    this.mostConcurrent = Math.max(this.mostConcurrent, ++this.concurrent);
    await nextTask();
    this.now += STEP_MS;
    this.concurrent -= 1;
    if (this.done > this.evaluatedStep && (this.stopped || this.done % this.every === 0)) {
      this.batch += 1;
      if (this.batch < this.batches) return { kind: 'evaluating', done: this.batch, total: this.batches };
      [this.batch, this.evaluatedStep] = [0, this.done];
      return { kind: 'evaluation', report: { step: this.done } };
    }
    if (this.stopped || this.done >= this.steps) return { kind: 'finished' };
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
  train_stop() {
    this.stopped = true;
  }
  /**
   * @param {boolean} stopped
   * @param {number} seconds
   * @param {number} firstStepMs
   */
  async train_finish(stopped, seconds, firstStepMs) {
    return { stopped, global_step: this.done, train_runtime: seconds, first_step_ms: firstStepMs };
  }
}

/** @returns {{
 *   events: any[],
 *   on: (event: any) => void,
 *   until: (kind: string, matches?: (event: any) => boolean) => Promise<void>,
 * }}
 */
function recorder() {
  /** @type {any[]} */
  const events = [];
  /** @type {(() => void)[]} */
  const listeners = [];
  return {
    events,
    on: (event) => {
      events.push(event);
      for (const listener of listeners) listener();
    },
    until: (kind, matches = () => true) =>
      new Promise((resolve) => {
        const check = () => {
          if (events.some((event) => event.kind === kind && matches(event))) resolve();
        };
        listeners.push(check);
        check();
      }),
  };
}
const kinds = (/** @type {any[]} */ events) => events.map(({ kind }) => kind).join(' ');

/**
 * A run with the trainer's clock.
 * @param {FakeTrainer} trainer
 * @param {{paused?: boolean, predict?: (request: any) => Promise<void>}} [options]
 */
function started(trainer, { paused = false, predict = async () => {} } = {}) {
  const seen = recorder();
  const run = new TrainingRun(trainer, paused, seen.on, predict, { now: () => trainer.now, nextTask });
  return { run, seen, driven: run.drive({}) };
}
const isPaused = (/** @type {any} */ { state }) => state === 'paused';

test('a run reports every event in order', async () => {
  const { seen, driven } = started(new FakeTrainer());
  const result = await driven;
  assert.equal(kinds(seen.events), 'run step step step evaluation step step step evaluation');
  assert.equal(result.stopped, false);
  assert.equal(result.global_step, 6);
  assert.equal(result.first_step_ms, STEP_MS);
  // Six steps, two evaluations, and the call that finds the run finished.
  assert.equal(result.train_runtime, (9 * STEP_MS) / 1000);
});

test('without a scheduler a run uses the clock and the messages of its thread', async () => {
  const trainer = new FakeTrainer();
  const seen = recorder();
  await new TrainingRun(trainer, false, seen.on, async () => {}).drive({});
  assert.equal(kinds(seen.events), 'run step step step evaluation step step step evaluation');
});

test('a run that starts paused does single steps and resumes', async () => {
  const trainer = new FakeTrainer();
  const { run, seen, driven } = started(trainer, { paused: true });
  await seen.until('run', isPaused);
  assert.equal(trainer.done, 0);
  for (const count of [1, 2, 3, 4]) {
    assert.equal(run.control('step'), 'paused');
    await seen.until('step', ({ step }) => step === count);
    await severalSteps();
    assert.equal(trainer.done, count);
  }
  // The evaluation after step 3 precedes step 4.
  assert.equal(trainer.evaluatedStep, 3);
  assert.equal(run.control('resume'), 'running');
  assert.equal((await driven).global_step, 6);
});

test('a run stops between two steps, also while paused', async () => {
  const { run, seen, driven } = started(new FakeTrainer(1000));
  await seen.until('step', ({ step }) => step === 5);
  run.control('pause');
  await seen.until('run', isPaused);
  assert.equal(run.control('stop'), 'stopped');
  const result = await driven;
  assert.equal(result.stopped, true);
  assert.ok(result.global_step < 10);
  assert.equal(seen.events.findLast(({ kind }) => kind === 'run').state, 'stopped');
});

/** @param {any[]} events */
const afterStop = (events) => events.slice(events.findIndex(({ state }) => state === 'stopped'));

test('a stopped run is evaluated batch by batch, which does not count as training time', async () => {
  const trainer = new FakeTrainer(1000, 1000, 4);
  const { run, seen, driven } = started(trainer);
  await seen.until('step', ({ step }) => step === 5);
  const before = trainer.now;
  run.control('stop');
  const result = await driven;
  assert.equal(kinds(afterStop(seen.events)), 'run evaluating evaluating evaluating evaluation');
  assert.equal(seen.events.at(-1).report.step, result.global_step);
  // At most the step that was in progress is added.
  assert.ok(result.train_runtime * 1000 <= before + STEP_MS, `${result.train_runtime}`);
});

test('a second stop ends the evaluation of a stopped run, whose weights are kept', async () => {
  const trainer = new FakeTrainer(1000, 1000, 1000);
  const { run, seen, driven } = started(trainer);
  await seen.until('step', ({ step }) => step === 5);
  run.control('stop');
  await seen.until('evaluating', ({ done }) => done === 3);
  assert.equal(run.control('stop'), 'stopped');
  const result = await driven;
  assert.ok(trainer.batch < 10, `${trainer.batch}`);
  assert.equal(seen.events.filter(({ kind }) => kind === 'evaluation').length, 0);
  assert.ok(result.stopped && result.global_step >= 5);
});

test('a stop during the evaluation after an epoch ends the evaluation and the run', async () => {
  const trainer = new FakeTrainer(1000, 3, 1000);
  const { run, seen, driven } = started(trainer);
  await seen.until('evaluating', ({ done }) => done === 5);
  run.control('stop');
  const result = await driven;
  assert.ok(trainer.batch < 10, `${trainer.batch}`);
  assert.deepEqual([result.stopped, result.global_step], [true, 3]);
  assert.equal(seen.events.filter(({ kind }) => kind === 'evaluation').length, 0);
});

test('an evaluation pauses between two batches and classifies sentences there', async () => {
  const trainer = new FakeTrainer(3, 3, 20);
  /** @type {string[]} */
  const classified = [];
  const predict = async (/** @type {{text: string}} */ { text }) => void classified.push(text);
  const { run, seen, driven } = started(trainer, { predict });
  await seen.until('evaluating', ({ done }) => done === 2);
  run.control('pause');
  await seen.until('run', isPaused);
  const { batch } = trainer;
  run.predict({ type: 'predict', id: 1, text: 'now' });
  await severalSteps();
  assert.deepEqual([trainer.batch, classified], [batch, ['now']]);
  run.control('resume');
  assert.equal((await driven).global_step, 3);
  assert.equal(seen.events.at(-1).kind, 'evaluation');
});

test('logs that are read after a stop are reported without another step in the rate', async () => {
  class Unread extends FakeTrainer {
    read = 0;
    /** @override */
    async train_step() {
      if (this.stopped && this.read < this.done) {
        const logs = Array.from({ length: this.done - this.read }, (_, at) => ({ step: this.read + at + 1 }));
        this.read = this.done;
        return { kind: 'step', logs, step: this.done, max_steps: this.steps, epoch: 1, tokens: 0 };
      }
      const event = await super.train_step();
      return event.kind === 'step' ? { ...event, logs: [] } : event;
    }
  }
  const trainer = new Unread(1000, 1000);
  const { run, seen, driven } = started(trainer);
  while (trainer.done < 5) await nextTask();
  run.control('stop');
  await driven;
  const last = seen.events.findLast(({ kind }) => kind === 'step');
  assert.equal(last.logs.length, trainer.done);
  assert.equal(last.step_ms, STEP_MS);
});

test('the time of saving a checkpoint is no part of the time of a step', async () => {
  class Saves extends FakeTrainer {
    saved = 0;
    /** @override */
    async train_step() {
      if (this.done % 2 === 0 && this.saved < this.done) {
        this.saved = this.done;
        this.now += 100 * STEP_MS;
        return { kind: 'saved', step: this.done, bytes: 1, kept: [this.done] };
      }
      return super.train_step();
    }
  }
  const { seen, driven } = started(new Saves(6, 1000));
  await driven;
  const steps = seen.events.filter(({ kind }) => kind === 'step');
  assert.deepEqual(
    steps.map(({ step_ms }) => step_ms),
    Array(6).fill(STEP_MS),
  );
  const saved = seen.events.filter(({ kind }) => kind === 'saved');
  assert.deepEqual(
    saved.map(({ step }) => step),
    [2, 4, 6],
  );
});

test('a run reports its last step when it pauses or stops, also without a loss', async () => {
  class WithoutLosses extends FakeTrainer {
    /** @override */
    async train_step() {
      const event = await super.train_step();
      return event.kind === 'step' ? { ...event, logs: [] } : event;
    }
  }
  const trainer = new WithoutLosses(1000, 1000);
  const { run, seen, driven } = started(trainer);
  while (trainer.done < 5) await nextTask();
  run.control('pause');
  await seen.until('run', isPaused);
  assert.equal(seen.events.findLast(({ kind }) => kind === 'step').step, trainer.done);
  run.control('resume');
  await nextTask();
  run.control('stop');
  await driven;
  assert.equal(seen.events.findLast(({ kind }) => kind === 'step').step, trainer.done);
});

test('sentences are classified between steps and during a pause, never concurrently with a step', async () => {
  const trainer = new FakeTrainer(20);
  /** @type {string[]} */
  const classified = [];
  const seen = recorder();
  const predict = async (/** @type {{text: string}} */ { text }) => {
    assert.equal(trainer.concurrent, 0);
    classified.push(text);
  };
  const run = new TrainingRun(trainer, true, seen.on, predict, { now: () => trainer.now, nextTask });
  run.predict({ type: 'predict', id: 1, text: 'early' });
  const driven = run.drive({});
  await seen.until('run', isPaused);
  run.predict({ type: 'predict', id: 2, text: 'paused' });
  await severalSteps();
  assert.deepEqual(classified, ['early', 'paused']);
  run.control('resume');
  await seen.until('step', ({ step }) => step === 3);
  run.predict({ type: 'predict', id: 3, text: 'running' });
  await driven;
  assert.deepEqual(classified, ['early', 'paused', 'running']);
  assert.equal(trainer.mostConcurrent, 1);
});

test('pauses and classifications do not count as training time', async () => {
  const trainer = new FakeTrainer(3);
  const predict = async () => void (trainer.now += 60_000);
  const { run, seen, driven } = started(trainer, { paused: true, predict });
  await seen.until('run', isPaused);
  trainer.now += 3_600_000;
  run.predict({ type: 'predict', id: 1, text: 'paused' });
  await severalSteps();
  run.control('resume');
  // Three steps, one evaluation, and the call that finds the run finished.
  assert.equal((await driven).train_runtime, (5 * STEP_MS) / 1000);
});

test('an error of the trainer ends the run', async () => {
  const trainer = new FakeTrainer();
  trainer.train_step = () => Promise.reject({ code: 'diverged', message: 'NaN', field: null });
  await assert.rejects(started(trainer).driven, { code: 'diverged' });
});
