// One case in one mode: everybody is opened and does the first step, then rounds in which everybody has a turn.
//
// Interleaved, since a machine is not the same machine for an hour: what slows it down slows all of them. The order rotates from round to
// round. A subject that fails, or whose step takes longer than the patience allows, gets a row that says so, and the run goes on.

/** @typedef {import('./cases.js').Case} Case */
/** @typedef {import('./contenders.js').Contender} Contender */
/** @typedef {import('./contenders.js').Mode} Mode */
/** @typedef {import('./contenders.js').Opening} Opening */
/** @typedef {import('./page/serve.js').Repetition} Repetition */

/**
 * @typedef {object} Plan
 * @property {number} rounds
 * @property {number} steps      the most that one turn has
 * @property {number} turn       ms that a turn should not exceed by more than a step
 * @property {number} budget     ms of timed steps for a subject, kept once it has its fewest rounds
 * @property {number} patience   ms that opening with its first step, or a turn, may take
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
 * @property {number|null} late   ms of patience that were not enough
 */

/** Below three there is no spread to speak of; only who takes longer than the whole budget for one step has fewer. */
const FEWEST = 3;

/**
 * @param {Case} given
 * @param {Mode} mode
 * @param {Contender[]} contenders
 * @param {Plan} plan
 * @param {(text: string) => void} say
 * @returns {Promise<Row[]>}
 */
export async function measure(given, mode, contenders, plan, say) {
  const taking = contenders
    .filter(({ modes }) => modes.includes(mode))
    .map((contender) => new Turns(contender, given, mode, plan, say));
  try {
    for (const each of taking) await each.open();
    for (let round = 0; round < plan.rounds; round += 1) {
      const first = round % taking.length;
      for (const each of [...taking.slice(first), ...taking.slice(0, first)]) await each.take(round);
    }
  } finally {
    for (const each of taking) await each.close();
  }
  return taking.map(({ row }) => row);
}

/** One subject's turns. */
class Turns {
  #used = 0;
  /** ms that a step is expected to take. */
  #step = 0;

  /**
   * @param {Contender} contender
   * @param {Case} given
   * @param {Mode} mode
   * @param {Plan} plan
   * @param {(text: string) => void} say
   */
  constructor(contender, given, mode, plan, say) {
    this.contender = contender;
    this.given = given;
    this.plan = plan;
    this.say = say;
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
      this.say(
        `${this.row.subject}: first step ${seconds(opening.first.ms)}, ${seconds(opening.openToFirst)} after the page was opened${loss(opening.first)}`,
      );
      // A pool that grows, or a second form of a kernel, belongs to no steady step. Who is slow has little of it beside the work itself.
      if (opening.first.ms > this.plan.budget) return;
      const second = await this.contender.repeat(1);
      this.row.warmup.push(second);
      this.#step = second.ms;
    });
  }

  /** @param {number} round */
  async take(round) {
    const { steps, turn, budget } = this.plan;
    const fewest = this.#step > budget ? 1 : FEWEST;
    if (this.row.error || (round >= fewest && this.#used + this.#step > budget)) return;
    const count = Math.max(1, Math.min(steps, Math.floor(turn / this.#step)));
    await this.#try(`a turn of ${count}`, async () => {
      const repetition = await this.contender.repeat(count);
      this.row.turns.push(repetition);
      this.#step = repetition.ms / count;
      this.#used += repetition.ms;
      this.say(`${this.row.subject}: round ${round + 1}, ${count} × ${seconds(this.#step)}${loss(repetition)}`);
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
      this.row.error = sentence(error);
      this.say(`${this.row.subject}: ${this.row.error}`);
      await this.close();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What a subject said, without what the browser's driver puts around it. @param {unknown} error */
function sentence(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^page\.\w+: (Error: )?/, '').replace(/\n\s+at [\s\S]*$/, '');
}

/** @param {number} ms */
const seconds = (ms) => (ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** @param {Repetition} repetition */
const loss = ({ losses }) => (losses.length ? `, loss ${losses.at(-1)?.toFixed(4)}` : '');
