// Measures one case in one mode: every subject is opened and does its first step, then has one turn in every round.
//
// Turns are interleaved because the speed of a machine varies over time; a slow period affects all subjects. The order
// rotates every round. A subject that fails, or exceeds the patience, gets a row with the error, and the run continues.

/** @typedef {import('./cases.js').Case} Case */
/** @typedef {import('./contenders.js').Contender} Contender */
/** @typedef {import('./contenders.js').Mode} Mode */
/** @typedef {import('./contenders.js').Opening} Opening */
/** @typedef {import('./page/serve.js').Repetition} Repetition */

/**
 * @typedef {object} Plan
 * @property {number} rounds
 * @property {number} steps      maximum steps of a turn
 * @property {number} turn       target duration of a turn, in ms
 * @property {number} budget     ms of timed steps of a subject, applied after its minimum of rounds
 * @property {number} patience   ms allowed for opening with the first step, or for a turn
 */

/**
 * @typedef {object} Row
 * @property {string} case
 * @property {Mode} mode
 * @property {string} subject
 * @property {string} where
 * @property {string} adapter
 * @property {Opening|null} opening
 * @property {Repetition[]} warmup
 * @property {Repetition[]} turns
 * @property {string|null} error
 * @property {number|null} late   the exceeded patience in ms
 */

/** Fewer rounds give no meaningful spread. A subject whose step exceeds the budget has one. */
const MIN_ROUNDS = 3;

/**
 * @param {Case} given
 * @param {Mode} mode
 * @param {Contender[]} contenders
 * @param {Plan} plan
 * @param {(text: string) => void} log
 * @returns {Promise<Row[]>}
 */
export async function measure(given, mode, contenders, plan, log) {
  const active = contenders
    .filter(({ modes }) => modes.includes(mode))
    .map((contender) => new Turns(contender, given, mode, plan, log));
  try {
    for (const each of active) await each.open();
    for (let round = 0; round < plan.rounds; round += 1) {
      const first = round % active.length;
      for (const each of [...active.slice(first), ...active.slice(0, first)]) await each.take(round);
    }
  } finally {
    for (const each of active) await each.close();
  }
  return active.map(({ row }) => row);
}

/** The turns of one subject. */
class Turns {
  #used = 0;
  /** Expected duration of a step, in ms. */
  #step = 0;

  /**
   * @param {Contender} contender
   * @param {Case} given
   * @param {Mode} mode
   * @param {Plan} plan
   * @param {(text: string) => void} log
   */
  constructor(contender, given, mode, plan, log) {
    this.contender = contender;
    this.given = given;
    this.plan = plan;
    this.log = log;
    /** @type {Row} */
    this.row = {
      case: given.name,
      mode,
      subject: contender.name,
      where: contender.where,
      adapter: contender.adapter,
      opening: null,
      warmup: [],
      turns: [],
      error: null,
      late: null,
    };
  }

  async open() {
    await this.#try('opening and the first step', async () => {
      const opening = await this.contender.open(this.given, this.row.mode);
      this.row.opening = opening;
      this.row.adapter = opening.adapter;
      this.#step = opening.first.ms;
      const times = `first step ${seconds(opening.first.ms)}, ${seconds(opening.openToFirst)} after opening`;
      this.log(`${this.row.subject}: ${times}${loss(opening.first)}`);
      // A memory pool may still grow and a kernel may still compile in the second step. It is omitted for slow
      // subjects, where this is a small share of the step.
      if (opening.first.ms > this.plan.budget) return;
      const second = await this.contender.repeat(1);
      this.row.warmup.push(second);
      this.#step = second.ms;
    });
  }

  /** @param {number} round */
  async take(round) {
    const { steps, turn, budget } = this.plan;
    const minRounds = this.#step > budget ? 1 : MIN_ROUNDS;
    if (this.row.error || (round >= minRounds && this.#used + this.#step > budget)) return;
    const count = Math.max(1, Math.min(steps, Math.floor(turn / this.#step)));
    await this.#try(`a turn of ${count}`, async () => {
      const repetition = await this.contender.repeat(count);
      this.row.turns.push(repetition);
      this.#step = repetition.ms / count;
      this.#used += repetition.ms;
      this.log(`${this.row.subject}: round ${round + 1}, ${count} × ${seconds(this.#step)}${loss(repetition)}`);
    });
  }

  async close() {
    await this.contender.close().catch(() => {});
  }

  /**
   * @param {string} what
   * @param {() => Promise<void>} work
   */
  async #try(what, work) {
    /** @type {NodeJS.Timeout|undefined} */
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        this.row.late = this.plan.patience;
        reject(new Error(`${what} took longer than ${this.plan.patience / 1000} s`));
      }, this.plan.patience);
    });
    try {
      await Promise.race([work(), late]);
    } catch (error) {
      this.row.error = messageOf(error);
      this.log(`${this.row.subject}: ${this.row.error}`);
      await this.close();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The message of an error, without what Playwright adds to it. @param {unknown} error */
function messageOf(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^page\.\w+: (Error: )?/, '').replace(/\n\s+at [\s\S]*$/, '');
}

/** @param {number} ms */
const seconds = (ms) => (ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** @param {Repetition} repetition */
const loss = ({ losses }) => (losses.length ? `, loss ${losses.at(-1)?.toFixed(4)}` : '');
