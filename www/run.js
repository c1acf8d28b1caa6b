// The training loop in the worker: it calls the trainer step by step and handles messages in between.
//
// A step is one update or one batch of an evaluation. Between two steps the loop yields to the event loop, classifies
// the sentences that have arrived, and waits while paused. Pauses and classifications do not count as training time.
//
// A stop ends the updates, and the weights are evaluated once more. A stop during an evaluation ends the evaluation and
// the run. The weights are kept in both cases.

import { Rate, Stopwatch } from './rate.js';

/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./protocol.js').RunState} RunState */
/** @typedef {import('./protocol.js').TrainResult} TrainResult */
/** @typedef {import('./protocol.js').Values} Values */
/** @typedef {Extract<import('./protocol.js').Request, {type: 'predict'}>} PredictRequest */
/** @typedef {import('./protocol.js').StepEvent} StepEvent */

/**
 * The part of the wasm module that a run calls.
 * @typedef {object} Trainer
 * @property {(values: any) => Promise<any>} train_start
 * @property {(run: number) => Promise<any>} train_resume
 * @property {() => Promise<any>} train_step
 * @property {() => void} train_stop
 * @property {(n: number) => void} set_log_every
 * @property {(stopped: boolean, seconds: number, firstStepMs: number) => Promise<any>} train_finish
 */

/**
 * @typedef {object} Scheduler
 * @property {() => number} now                 milliseconds
 * @property {() => Promise<void>} nextTask     resolves after the messages that have arrived by now were handled
 * @property {() => void} close                 releases what `nextTask` holds
 */

/** Steps without a loss are reported no more often than this. */
const REPORT_EVERY_MS = 100;

export class TrainingRun {
  /** @type {PredictRequest[]} */
  #predictions = [];
  #paused;
  #stopping = false;
  /** Whether the run ends before its next step, without the rest of an evaluation. */
  #ending = false;
  /** Whether the last step was a batch of an evaluation that is not finished. */
  #evaluating = false;
  /** Training time up to the stop, in milliseconds. @type {number|null} */
  #trainingMs = null;
  /** Steps that were requested one by one and not yet done. */
  #singleSteps = 0;
  /** Ends the wait of a pause. @type {(() => void)|null} */
  #wake = null;
  #clock;
  #rate;
  #scheduler;
  #trainer;
  #onEvent;
  #predict;
  #firstStepMs = 0;
  #lastReportMs = 0;
  /** @type {RunState|null} */
  #reportedState = null;
  /** The latest step, until it is reported. @type {StepEvent|null} */
  #pendingStep = null;

  /**
   * @param {Trainer} trainer
   * @param {boolean} paused                                    whether to wait before the first step
   * @param {(event: ProgressEvent) => void} onEvent
   * @param {(request: PredictRequest) => Promise<void>} predict  classifies a sentence between two steps
   * @param {Partial<Scheduler>} [scheduler]                    the defaults are the browser's
   */
  constructor(trainer, paused, onEvent, predict, scheduler = {}) {
    this.#trainer = trainer;
    this.#paused = paused;
    this.#onEvent = onEvent;
    this.#predict = predict;
    this.#scheduler = withDefaults(scheduler);
    this.#clock = new Stopwatch(this.#scheduler.now);
    this.#rate = new Rate(this.#clock);
  }

  /**
   * @param {import('./protocol.js').ControlAction} action
   * @returns {RunState}
   */
  control(action) {
    if (action === 'stop') {
      this.#ending = this.#stopping || this.#evaluating;
      this.#stopping = true;
    }
    if (action === 'resume') {
      this.#paused = false;
      this.#singleSteps = 0;
    }
    if (action === 'pause' || action === 'step') this.#paused = true;
    if (action === 'step') this.#singleSteps += 1;
    this.#wake?.();
    return this.#stopping ? 'stopped' : this.#paused ? 'paused' : 'running';
  }

  /** @param {PredictRequest} request */
  predict(request) {
    this.#predictions.push(request);
    this.#wake?.();
  }

  /** Removes and returns the requests that the run has not handled. */
  takePredictions() {
    return this.#predictions.splice(0);
  }

  /**
   * Trains until the last step or until stopped.
   * @param {Values} values
   * @returns {Promise<TrainResult>}
   */
  drive(values) {
    return this.#drive(async () => {
      const stored = await this.#trainer.train_start(values);
      if (stored) this.#onEvent(stored);
    });
  }

  /**
   * Continues an interrupted run until its last step or until stopped.
   * @param {number} run
   * @returns {Promise<TrainResult>}
   */
  resume(run) {
    return this.#drive(async () => {
      const resumed = await this.#trainer.train_resume(run);
      this.#onEvent({ kind: 'resumed', ...resumed });
    });
  }

  /**
   * @param {() => Promise<void>} start
   * @returns {Promise<TrainResult>}
   */
  async #drive(start) {
    try {
      this.#clock.start();
      await start();
      await this.#steps();
      this.#reportStep();
      this.#reportState(this.#stopping ? 'stopped' : 'running');
      const seconds = (this.#trainingMs ?? this.#clock.elapsed()) / 1000;
      return await this.#trainer.train_finish(this.#stopping, seconds, this.#firstStepMs);
    } finally {
      this.#scheduler.close();
    }
  }

  async #steps() {
    let logEvery = 1;
    this.#trainer.set_log_every(logEvery);
    this.#rate.restart();
    for (;;) {
      await this.#betweenSteps();
      if (this.#ending) return;
      if (this.#stopping) this.#stop();
      const single = this.#singleSteps > 0;
      const stepsPerRead = single ? 1 : this.#rate.stepsPerRead();
      if (stepsPerRead !== logEvery) this.#trainer.set_log_every((logEvery = stepsPerRead));
      const event = await this.#trainer.train_step();
      this.#evaluating = event.kind === 'evaluating';
      if (event.kind === 'finished') return;
      if (event.kind === 'step') this.#stepped(event, single);
      else {
        if (event.kind === 'evaluation') this.#rate.evaluated();
        // The time of saving is no part of a step's.
        else if (event.kind !== 'evaluating') this.#rate.restart();
        // The page shows the last step before its evaluation.
        this.#reportStep();
        this.#onEvent(event);
      }
    }
  }

  /** Ends the updates; the next steps evaluate the weights. */
  #stop() {
    if (this.#trainingMs !== null) return;
    this.#trainingMs = this.#clock.elapsed();
    this.#trainer.train_stop();
    this.#reportStep();
    this.#reportState('stopped');
  }

  /**
   * @param {Extract<import('./protocol.js').RunEvent, {kind: 'step'}>} event
   * @param {boolean} single
   */
  #stepped(event, single) {
    const elapsed = this.#clock.elapsed();
    if (this.#firstStepMs === 0) this.#firstStepMs = elapsed;
    if (single) this.#singleSteps = Math.max(0, this.#singleSteps - 1);
    const { kind, logs, step, max_steps, epoch } = event;
    this.#pendingStep = { kind, logs, step, max_steps, epoch, ...this.#rate.step(event) };
    if (logs.length > 0 || single || elapsed - this.#lastReportMs >= REPORT_EVERY_MS) {
      this.#lastReportMs = elapsed;
      this.#reportStep();
    }
  }

  async #betweenSteps() {
    await this.#scheduler.nextTask();
    for (;;) {
      const request = this.#predictions.shift();
      if (request) {
        this.#clock.stop();
        await this.#predict(request);
        this.#clock.start();
        continue;
      }
      if (this.#stopping || !this.#paused || this.#singleSteps > 0) break;
      // The step count on the page must be exact where the run pauses.
      this.#reportStep();
      this.#reportState('paused');
      this.#clock.stop();
      await /** @type {Promise<void>} */ (new Promise((resolve) => (this.#wake = resolve)));
      this.#wake = null;
      this.#clock.start();
    }
    if (!this.#stopping) this.#reportState('running');
  }

  #reportStep() {
    if (this.#pendingStep) this.#onEvent(this.#pendingStep);
    this.#pendingStep = null;
  }

  /** @param {RunState} state */
  #reportState(state) {
    if (state !== this.#reportedState) this.#onEvent({ kind: 'run', state });
    this.#reportedState = state;
  }
}

/**
 * @param {Partial<Scheduler>} given
 * @returns {Scheduler}
 */
function withDefaults({ now = () => performance.now(), nextTask, close = () => {} }) {
  if (nextTask) return { now, nextTask, close };
  const queue = new TaskQueue();
  return { now, nextTask: () => queue.next(), close: () => queue.close() };
}

/** Queues macrotasks through a MessageChannel, because a nested timer would add 4 ms to each step. */
class TaskQueue {
  #channel = new MessageChannel();
  /** @type {(() => void)[]} */
  #waiting = [];

  constructor() {
    this.#channel.port1.onmessage = () => this.#waiting.shift()?.();
  }

  /** @returns {Promise<void>} */
  next() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#channel.port2.postMessage(null);
    });
  }

  /** An open channel keeps its thread, or the process of a test, alive. */
  close() {
    this.#channel.port1.close();
  }
}
