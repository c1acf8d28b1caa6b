// Work that the page asks of the worker by itself while it is idle: the audit, the baselines and the recommendation.
// The visitor's own work comes first: it waits until a short request is answered, and stops a long one.

/** @typedef {import('./state.js').AppState} AppState */

/**
 * @typedef {object} Job
 * @property {(state: AppState) => unknown[]|null} inputs  what its result depends on; null while it cannot be made
 * @property {() => Promise<boolean>} run                  whether it is done; otherwise it is tried again when idle
 * @property {() => void} [stop]                           ends it early
 */

/** A change is followed by a pause of this length, longer than that of the preview, which comes first. */
const DELAY_MS = 500;
/** What the inputs of the jobs are made of, and what decides whether the worker is idle. @type {(keyof AppState)[]} */
const WATCHED = ['dataset', 'split', 'tokens', 'model', 'stages', 'busy', 'opened', 'fatal'];

export class Background {
  #app;
  #jobs;
  /** The inputs of the last attempt of each job. @type {Map<Job, unknown[]>} */
  #attempted = new Map();
  /** @type {Promise<void>|null} */
  #running = null;
  /** @type {Job|null} */
  #current = null;
  #interrupted = false;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;

  /**
   * @param {Pick<import('./app.js').App, 'store'|'settings'>} app
   * @param {Job[]} jobs  in the order in which they run
   */
  constructor(app, jobs) {
    this.#app = app;
    this.#jobs = jobs;
  }

  /** Follows the state and the settings. */
  follow() {
    this.#app.store.watch(WATCHED, () => this.schedule());
    this.#app.settings.subscribe(() => this.schedule());
  }

  schedule() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), DELAY_MS);
  }

  start() {
    clearTimeout(this.#timer);
    this.#running ??= this.#runAll().finally(() => (this.#running = null));
    return this.#running;
  }

  /** Resolves when no job is running: a long one is stopped. The worker's next request is then answered at once. */
  async settled() {
    clearTimeout(this.#timer);
    if (!this.#running) return;
    this.#interrupted = true;
    this.#current?.stop?.();
    await this.#running;
  }

  /** Runs the jobs whose inputs have changed. After each, it begins again with the first. */
  async #runAll() {
    this.#interrupted = false;
    for (let job = this.#next(); job; job = this.#next()) {
      this.#current = job.job;
      this.#attempted.set(job.job, job.inputs);
      const done = await job.job.run();
      if (!done) this.#attempted.delete(job.job);
      // Without this a job that is never done would run without end.
      if (!done || this.#interrupted) break;
    }
    this.#current = null;
  }

  /** @returns {{job: Job, inputs: unknown[]}|null} */
  #next() {
    const { state } = this.#app.store;
    if (state.busy || state.fatal || !state.opened) return null;
    for (const job of this.#jobs) {
      const inputs = job.inputs(state);
      const attempted = this.#attempted.get(job);
      if (inputs && !sameInputs(inputs, attempted)) return { job, inputs };
    }
    return null;
  }
}

/**
 * @param {unknown[]} inputs
 * @param {unknown[]|undefined} before
 */
const sameInputs = (inputs, before) =>
  inputs.length === before?.length && inputs.every((input, at) => Object.is(input, before[at]));
