// One training run in the worker: a loop that calls the trainer step by step and lets messages in between.
//
// Between two steps the loop yields through a MessageChannel (a timer would add 4 ms to each step), then answers waiting
// sentences, then waits for as long as the visitor has paused. Times leave pauses and sentences out.

/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./protocol.js').RunState} RunState */
/** @typedef {import('./protocol.js').Values} Values */
/** @typedef {Extract<import('./protocol.js').Request, {type: 'predict'}>} PredictRequest */
/** @typedef {Extract<ProgressEvent, {kind: 'step'}>} StepEvent */
/** @typedef {{kind: 'step', logs: StepEvent['logs'], step: number, max_steps: number, epoch: number, tokens: number}} RawStep */

/**
 * What a run needs of the wasm module.
 * @typedef {object} Trainer
 * @property {(values: any) => Promise<any>|void} train_start
 * @property {(onEvent: any) => Promise<any>} train_step
 * @property {(n: number) => void} set_log_every
 * @property {(stopped: boolean, seconds: number) => Promise<any>} train_finish
 */

/** Steps slower than this are read one by one. */
const SLOW_STEP_MS = 100;
/** Faster ones are read in batches about this far apart: a read holds the GPU's queue back. */
const READ_EVERY_MS = 250;
/** ... but never so rarely that a short run shows nothing. */
const MOST_STEPS_A_READ = 20;
/** Steps whose losses were not read are reported no more often than this. */
const REPORT_EVERY_MS = 100;

/** Time that runs only while it is not held. */
export class Stopwatch {
  #total = 0;
  /** @type {number|null} */
  #since = null;
  #now;

  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  run() {
    this.#since ??= this.#now();
  }

  hold() {
    this.#total = this.elapsed();
    this.#since = null;
  }

  /** @returns {number} milliseconds */
  elapsed() {
    return this.#total + (this.#since === null ? 0 : this.#now() - this.#since);
  }
}

export class TrainingRun {
  /** @type {PredictRequest[]} */
  #predictions = [];
  #paused;
  #stopping = false;
  #handSteps = 0;
  /** Wakes the loop out of a pause. @type {(() => void)|null} */
  #wake = null;
  #clock = new Stopwatch();
  #turns = new Turns();
  #rate;
  #trainer;
  #onEvent;
  #answer;
  /** @type {RunState|null} */
  #said = null;
  /** @type {StepEvent|null} */
  #unsaid = null;

  /**
   * @param {Trainer} trainer
   * @param {boolean} paused                                   whether to wait before the first step
   * @param {(event: ProgressEvent) => void} onEvent
   * @param {(request: PredictRequest) => Promise<void>} answer  serves a sentence between two steps
   */
  constructor(trainer, paused, onEvent, answer) {
    this.#trainer = trainer;
    this.#paused = paused;
    this.#onEvent = onEvent;
    this.#answer = answer;
    this.#rate = new Rate(this.#clock);
  }

  /**
   * @param {'pause'|'resume'|'step'|'stop'} action
   * @returns {RunState}
   */
  control(action) {
    if (action === 'stop') this.#stopping = true;
    if (action === 'resume') {
      this.#paused = false;
      this.#handSteps = 0;
    }
    if (action === 'pause' || action === 'step') this.#paused = true;
    if (action === 'step') this.#handSteps += 1;
    this.#wake?.();
    return this.#stopping ? 'stopped' : this.#paused ? 'paused' : 'running';
  }

  /** @param {PredictRequest} request */
  predict(request) {
    this.#predictions.push(request);
    this.#wake?.();
  }

  /** Sentences that are still waiting; the run forgets them. */
  takePredictions() {
    return this.#predictions.splice(0);
  }

  /**
   * Trains to the end, or until stopped.
   * @param {Values} values
   * @returns {Promise<import('./protocol.js').TrainResult>}
   */
  async drive(values) {
    try {
      return await this.#drive(values);
    } finally {
      this.#turns.end();
    }
  }

  /**
   * @param {Values} values
   * @returns {Promise<import('./protocol.js').TrainResult>}
   */
  async #drive(values) {
    this.#clock.run();
    await this.#trainer.train_start(values);
    let logEvery = 1;
    this.#trainer.set_log_every(logEvery);
    this.#rate.restart();
    let firstStep = 0;
    let reported = 0;
    for (;;) {
      await this.#turn();
      if (this.#stopping) break;
      const wanted = this.#handSteps > 0 ? 1 : this.#rate.stepsPerRead();
      if (wanted !== logEvery) this.#trainer.set_log_every((logEvery = wanted));
      const byHand = this.#handSteps > 0;
      const event = await this.#trainer.train_step(this.#onEvent);
      if (event.kind === 'finished') break;
      if (event.kind === 'step') {
        if (firstStep === 0) firstStep = this.#clock.elapsed();
        if (byHand) this.#handSteps = Math.max(0, this.#handSteps - 1);
        const rate = this.#rate.step(event);
        const elapsed = this.#clock.elapsed();
        const { kind, logs, step, max_steps, epoch } = event;
        this.#unsaid = { kind, logs, step, max_steps, epoch, ...rate };
        if (event.logs.length > 0 || byHand || elapsed - reported >= REPORT_EVERY_MS) {
          reported = elapsed;
          this.#sayStep();
        }
      } else {
        this.#rate.evaluated();
        this.#onEvent(event);
      }
    }
    this.#sayStep();
    this.#say(this.#stopping ? 'stopped' : 'running');
    const result = await this.#trainer.train_finish(this.#stopping, this.#clock.elapsed() / 1000);
    return { ...result, first_step_ms: firstStep };
  }

  /** Lets messages in, answers sentences, and waits while the run is paused. */
  async #turn() {
    await this.#turns.next();
    for (;;) {
      const request = this.#predictions.shift();
      if (request) {
        this.#clock.hold();
        await this.#answer(request);
        this.#clock.run();
        continue;
      }
      if (this.#stopping || !this.#paused || this.#handSteps > 0) break;
      this.#sayStep();
      this.#say('paused');
      this.#clock.hold();
      await new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
      });
      this.#wake = null;
      this.#clock.run();
    }
    if (!this.#stopping) this.#say('running');
  }

  /** Reports the last step, if nobody has heard of it yet: where a run halts, its count must be right. */
  #sayStep() {
    if (this.#unsaid) this.#onEvent(this.#unsaid);
    this.#unsaid = null;
  }

  /** @param {RunState} state */
  #say(state) {
    if (state !== this.#said) this.#onEvent({ kind: 'run', state });
    this.#said = state;
  }
}

/**
 * How fast the run goes. A step's call returns when its work is queued, not when the GPU has done it; only a read
 * (an event that carries logs) tells that everything up to it is done. So rates are taken from read to read.
 */
export class Rate {
  #clock;
  #since = 0;
  #steps = 0;
  #tokens = 0;
  #reads = 0;
  #evaluations = 0;
  #evaluationMs = 0;
  /** Milliseconds a step, smoothed. @type {number|null} */
  #smooth = null;
  #last = { tokens_per_second: 0, step_ms: 0 };

  /** @param {Stopwatch} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  restart() {
    this.#since = this.#clock.elapsed();
    this.#steps = 0;
    this.#tokens = 0;
  }

  evaluated() {
    this.#evaluations += 1;
    this.#evaluationMs = this.#clock.elapsed() - this.#since;
    this.restart();
  }

  /**
   * @param {RawStep} event
   * @returns {{tokens_per_second: number, step_ms: number, eta_ms: number}}
   */
  step(event) {
    this.#steps += 1;
    this.#tokens += event.tokens;
    if (event.logs.length > 0) {
      const ms = this.#clock.elapsed() - this.#since;
      const stepMs = ms / this.#steps;
      this.#last = { tokens_per_second: ms > 0 ? (this.#tokens / ms) * 1000 : 0, step_ms: stepMs };
      // The first step builds the GPU's pipelines: it says nothing about the ones after it.
      this.#reads += 1;
      this.#smooth = this.#reads <= 2 || this.#smooth === null ? stepMs : 0.7 * this.#smooth + 0.3 * stepMs;
      this.restart();
    }
    const evaluations = Math.max(0, Math.round((event.max_steps * event.epoch) / event.step) - this.#evaluations);
    const left = Math.max(0, event.max_steps - event.step);
    return { ...this.#last, eta_ms: left * (this.#smooth ?? 0) + evaluations * this.#evaluationMs };
  }

  /** How many steps to queue before the next read. */
  stepsPerRead() {
    if (this.#smooth === null || this.#reads < 2 || this.#smooth > SLOW_STEP_MS) return 1;
    return Math.min(MOST_STEPS_A_READ, Math.max(1, Math.round(READ_EVERY_MS / Math.max(this.#smooth, 1))));
  }
}

/** Tasks of their own, each after the messages that have arrived by then. */
class Turns {
  #channel = new MessageChannel();
  /** @type {(() => void)[]} */
  #waiting = [];

  constructor() {
    this.#channel.port1.onmessage = () => this.#waiting.shift()?.();
  }

  next() {
    return new Promise((resolve) => {
      this.#waiting.push(() => resolve(undefined));
      this.#channel.port2.postMessage(null);
    });
  }

  /** An open channel would keep its thread, or a test's process, from ever ending. */
  end() {
    this.#channel.port1.close();
  }
}
