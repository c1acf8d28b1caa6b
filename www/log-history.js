// The logs of a run, thinned for the charts. The worker keeps every log for the export.

/** @typedef {import('./protocol.js').StepLog} StepLog */

/** The most buckets of consecutive logs. A chart has fewer pixels than these buckets have logs. */
const MAX_BUCKETS = 256;
/** The most logs of a bucket: the lowest and the highest loss, the lowest and the highest gradient norm. */
const MAX_LOGS = 4;

/** Up to 1,024 logs are kept as they are. Of more, each bucket keeps its extremes, so that spikes stay visible. */
export class LogHistory {
  /** The latest log. @type {StepLog|null} */
  last = null;
  /** Logs that were added. */
  length = 0;
  /** @type {StepLog[][]} */
  #buckets = [];
  /** Logs that were added to each bucket but the last, and to the last. */
  #width = MAX_LOGS;
  #added = MAX_LOGS;

  /**
   * Adds logs, which must follow those that were added before.
   * @param {StepLog[]} logs
   */
  add(logs) {
    for (const log of logs) this.#add(log);
  }

  /** The logs to draw, by step. There are never more than 1,025. */
  points() {
    const points = this.#buckets.flat();
    if (this.last && points.at(-1) !== this.last) points.push(this.last);
    return points;
  }

  /** @param {StepLog} log */
  #add(log) {
    this.last = log;
    this.length += 1;
    if (this.#added === this.#width) {
      if (this.#buckets.length === MAX_BUCKETS) this.#merge();
      this.#buckets.push([]);
      this.#added = 0;
    }
    this.#added += 1;
    const at = this.#buckets.length - 1;
    this.#buckets[at] = thinned([...(this.#buckets[at] ?? []), log]);
  }

  /** Merges each pair of buckets. */
  #merge() {
    const pairs = [];
    for (let at = 0; at < this.#buckets.length; at += 2)
      pairs.push(thinned([...(this.#buckets[at] ?? []), ...(this.#buckets[at + 1] ?? [])]));
    this.#buckets = pairs;
    this.#width *= 2;
  }
}

/**
 * The logs with the extremes, in their order.
 * @param {StepLog[]} logs
 */
function thinned(logs) {
  if (logs.length <= MAX_LOGS) return logs;
  const kept = new Set();
  for (const name of /** @type {const} */ (['loss', 'grad_norm'])) {
    // The gradient norm is not finite where fp16 skipped the update.
    const finite = logs.filter((log) => Number.isFinite(log[name]));
    const by = (/** @type {(a: number, b: number) => boolean} */ better) =>
      finite.reduce((best, log) => (better(log[name], best[name]) ? log : best), finite[0] ?? logs[0]);
    kept.add(by((a, b) => a < b)).add(by((a, b) => a > b));
  }
  return logs.filter((log) => kept.has(log));
}
