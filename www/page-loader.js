// One page of rows, requested from the worker when it is shown.

import { asShown } from './session.js';

/**
 * @template Row
 * @typedef {{from: number, rows: Row[]}} Page
 */

/** @template Row */
export class PageLoader {
  #load;
  #changed;
  /** The latest request. An answer to an earlier one is dropped. */
  #requests = 0;
  /** The page that arrived last; it stays until the next one arrives. @type {Page<Row>|null} */
  page = null;
  /** @type {import('./protocol.js').WorkerError|null} */
  error = null;
  loading = false;

  /**
   * @param {(from: number, to: number) => Promise<Row[]>|Row[]} load
   * @param {() => void} changed  called after each answer
   */
  constructor(load, changed) {
    this.#load = load;
    this.#changed = changed;
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  async show(from, to) {
    const request = ++this.#requests;
    this.loading = true;
    /** @type {Page<Row>|null} */
    let page = null;
    /** @type {typeof this.error} */
    let error = null;
    try {
      page = { from, rows: await this.#load(from, to) };
    } catch (thrown) {
      error = asShown(thrown);
    }
    if (request !== this.#requests) return;
    this.page = page;
    this.error = error;
    this.loading = false;
    this.#changed();
  }
}
