// Times of a training run: a stopwatch that pauses, and the step rate and remaining time derived from it.

/** @typedef {{logs: unknown[], step: number, max_steps: number, epoch: number, tokens: number}} MeasuredStep */

/** Steps slower than this are read back one by one. */
const SLOW_STEP_MS = 100;
/** Faster steps are read back in batches about this far apart, because a read-back stalls the GPU queue. */
const READ_EVERY_MS = 250;
/** The upper limit of a batch, so that a short run reports more than its end. */
const MAX_STEPS_PER_READ = 20;
/** Weight of the latest read in the exponential moving average of the step time. */
const SMOOTHING = 0.3;

/** Measures time while it is started. */
export class Stopwatch {
  #total = 0;
  /** @type {number|null} */
  #startedAt = null;
  #now;

  /** @param {() => number} [now] milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  start() {
    this.#startedAt ??= this.#now();
  }

  stop() {
    this.#total = this.elapsed();
    this.#startedAt = null;
  }

  /** @returns {number} milliseconds */
  elapsed() {
    return this.#total + (this.#startedAt === null ? 0 : this.#now() - this.#startedAt);
  }
}

/**
 * Measures the step rate from read-back to read-back.
 *
 * The call of a step returns when its work is queued. Only a read-back (an event with logs) shows that the GPU has done
 * everything queued before it.
 */
export class Rate {
  #clock;
  #intervalStart = 0;
  #steps = 0;
  #tokens = 0;
  #reads = 0;
  #evaluations = 0;
  #evaluationMs = 0;
  /** Milliseconds per step, an exponential moving average. @type {number|null} */
  #smoothedMs = null;
  #last = { tokens_per_second: 0, step_ms: 0 };

  /** @param {Stopwatch} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** Starts the next interval. */
  restart() {
    this.#intervalStart = this.#clock.elapsed();
    this.#steps = 0;
    this.#tokens = 0;
  }

  /** Counts the time since the last read-back as an evaluation. */
  evaluated() {
    this.#evaluations += 1;
    this.#evaluationMs = this.#clock.elapsed() - this.#intervalStart;
    this.restart();
  }

  /**
   * Adds a step, or logs that were read without one, and returns the rate up to it.
   * @param {MeasuredStep} event
   * @returns {{tokens_per_second: number, step_ms: number, eta_ms: number}}
   */
  step(event) {
    if (event.tokens > 0) this.#steps += 1;
    this.#tokens += event.tokens;
    if (event.logs.length > 0 && this.#steps > 0) {
      const ms = this.#clock.elapsed() - this.#intervalStart;
      const stepMs = ms / this.#steps;
      this.#last = { tokens_per_second: ms > 0 ? (this.#tokens / ms) * 1000 : 0, step_ms: stepMs };
      // The first step includes the compilation of the GPU pipelines, so it does not enter the average.
      this.#reads += 1;
      this.#smoothedMs =
        this.#reads <= 2 || this.#smoothedMs === null
          ? stepMs
          : (1 - SMOOTHING) * this.#smoothedMs + SMOOTHING * stepMs;
      this.restart();
    }
    const evaluations = Math.max(0, Math.round((event.max_steps * event.epoch) / event.step) - this.#evaluations);
    const left = Math.max(0, event.max_steps - event.step);
    return { ...this.#last, eta_ms: left * (this.#smoothedMs ?? 0) + evaluations * this.#evaluationMs };
  }

  /** The number of steps to queue before the next read-back. */
  stepsPerRead() {
    if (this.#smoothedMs === null || this.#reads < 2 || this.#smoothedMs > SLOW_STEP_MS) return 1;
    return Math.min(MAX_STEPS_PER_READ, Math.max(1, Math.round(READ_EVERY_MS / Math.max(this.#smoothedMs, 1))));
  }
}
