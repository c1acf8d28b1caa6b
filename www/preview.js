// Makes the dataset, the split and the plan of a run while the visitor edits settings, because they cost little.

/** @typedef {import('./stages.js').Stage} Stage */

/** Typing is followed by a pause of this length before the preview. */
const DELAY_MS = 300;
/** @type {Stage[]} */
const PREVIEWED = ['dataset', 'split'];

export class Preview {
  #settings;
  #freshness;
  #runner;
  #planner;
  #isBlocked;
  #hasEnoughRows;
  /** @type {Promise<void>|null} */
  #running = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  #timer;
  /** The inputs and the dataset of the last attempt: one that failed would fail again. */
  #attempted = { inputs: '', datasets: 0 };

  /**
   * @param {import('./settings.js').Settings} settings
   * @param {import('./freshness.js').Freshness} freshness
   * @param {import('./stage-runner.js').StageRunner} runner
   * @param {import('./planner.js').Planner} planner
   * @param {object} conditions
   * @param {() => boolean} conditions.isBlocked      whether the worker cannot be asked now
   * @param {() => boolean} conditions.hasEnoughRows  whether the visitor's rows can be split
   */
  constructor(settings, freshness, runner, planner, { isBlocked, hasEnoughRows }) {
    this.#settings = settings;
    this.#freshness = freshness;
    this.#runner = runner;
    this.#planner = planner;
    this.#isBlocked = isBlocked;
    this.#hasEnoughRows = hasEnoughRows;
  }

  /** Starts a preview after the visitor has stopped typing. */
  schedule() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), DELAY_MS);
  }

  start() {
    clearTimeout(this.#timer);
    if (this.#isBlocked() || this.#running) return;
    const { inputs, datasets } = this.#now();
    if (inputs === this.#attempted.inputs && datasets === this.#attempted.datasets) return;
    this.#attempted = { inputs, datasets };
    this.#running = this.#make().finally(() => (this.#running = null));
  }

  /** Records that the stages of the preview run now, with the current settings. */
  skip() {
    this.#attempted = this.#now();
  }

  #now() {
    return { inputs: this.#freshness.inputs('training'), datasets: this.#freshness.datasets };
  }

  /** Resolves when no preview is running. */
  async settled() {
    await this.#running;
  }

  async #make() {
    if (this.#settings.firstInvalid()) return;
    for (const stage of PREVIEWED) {
      // The first sentences of a visitor who types examples are no failure.
      if (stage === 'split' && !this.#hasEnoughRows()) return;
      if (!this.#freshness.isFresh(stage) && !(await this.#runner.run(stage))) return;
      // The dataset of this attempt.
      if (stage === 'dataset') this.#attempted.datasets = this.#freshness.datasets;
    }
    await this.#planner.update();
  }
}
