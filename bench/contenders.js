// The subjects as the driver sees them: something that is opened, does repetitions and is closed, in a page of its own or in a process.
//
// Every browser subject runs in a dedicated module worker of a page in a browser context of its own: no cache is shared, and a subject
// that takes its page down takes nobody else's. All pages of a case stay open between their turns; only one of them works at a time.

import { join } from 'node:path';
import { named } from './browser.js';
import { Conversation } from './processes.js';
import { BENCH } from './site.js';

/** @typedef {import('./cases.js').Case} Case */
/** @typedef {import('./page/serve.js').Repetition} Repetition */
/** @typedef {'train'|'forward'} Mode */

/**
 * What is known once the first step is done.
 * @typedef {object} Opening
 * @property {Repetition} first
 * @property {number} openToFirst   ms from the navigation (or the process's model) to the end of the first step
 * @property {string} adapter
 * @property {{bytes: number, files: {path: string, bytes: number}[]}|null} wire
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {Mode[]} modes
 * @property {string} where        the context it runs in
 * @property {string} adapter      what it is expected to run on, until its opening tells
 * @property {(given: Case, mode: Mode) => Promise<Opening>} open
 * @property {(count: number) => Promise<Repetition>} repeat
 * @property {() => Promise<void>} close
 */

/** In the order of the table. */
export const BROWSER_SUBJECTS = /** @type {const} */ (['webtune', 'tfjs', 'jax', 'transformers']);
export const PYTHON_SUBJECTS = /** @type {const} */ (['pytorch-cpu', 'pytorch-cuda']);

/**
 * What a browser subject needs of the driver.
 * @typedef {object} House
 * @property {import('@playwright/test').Browser} browser
 * @property {string} origin
 * @property {import('./server.js').BenchServer} server
 * @property {string} module   the address of webtune's script, without the origin
 * @property {string} adapter  the name of the browser's
 */

/** @implements {Contender} */
export class BrowserContender {
  where = 'dedicated module worker';
  /** @type {import('@playwright/test').Page|undefined} */
  #page;
  /** What took the page down. @type {Promise<never>} */
  #ended = new Promise(() => {});

  /**
   * @param {typeof BROWSER_SUBJECTS[number]} name
   * @param {House} house
   */
  constructor(name, house) {
    this.name = name;
    this.house = house;
    this.adapter = house.adapter;
    /** @type {Mode[]} */
    this.modes = name === 'transformers' ? ['forward'] : ['train', 'forward'];
  }

  /**
   * @param {Case} given
   * @param {Mode} mode
   * @returns {Promise<Opening>}
   */
  async open(given, mode) {
    const { browser, origin, server, module } = this.house;
    const page = await (await browser.newContext()).newPage();
    this.#page = page;
    this.#ended = new Promise((_, reject) => page.on('crash', () => reject(new Error('the page crashed'))));
    this.#ended.catch(() => {});
    server.wire();
    const names = new URLSearchParams({ case: given.name, model: given.model, mode, module });
    await page.goto(`${origin}/${this.name}/?${names}`);
    const opened = await this.#wait(page.evaluate(() => /** @type {any} */ (globalThis).bench.opened()));
    if (!opened.adapter) throw new Error('the library asked for no WebGPU device');
    return { ...opened, adapter: named(opened.adapter).name, wire: server.wire() };
  }

  /** @param {number} count @returns {Promise<Repetition>} */
  async repeat(count) {
    if (!this.#page) throw new Error('the page is closed');
    return this.#wait(this.#page.evaluate((times) => /** @type {any} */ (globalThis).bench.repeat(times), count));
  }

  async close() {
    const page = this.#page;
    this.#page = undefined;
    await page?.context().close();
  }

  /** @template T @param {Promise<T>} answer @returns {Promise<T>} */
  #wait(answer) {
    return Promise.race([answer, this.#ended]);
  }
}

/** @implements {Contender} */
export class PythonContender {
  /** @type {Mode[]} */
  modes = ['train', 'forward'];
  /** @type {Conversation|undefined} */
  #talk;

  /**
   * @param {typeof PYTHON_SUBJECTS[number]} name
   * @param {string} python   the program of the environment
   * @param {string} site     where models and work are
   */
  constructor(name, python, site) {
    this.name = name;
    this.where = 'process of its own';
    this.adapter = name === 'pytorch-cuda' ? 'CUDA' : 'CPU';
    this.python = python;
    this.site = site;
  }

  /**
   * @param {Case} given
   * @param {Mode} mode
   * @returns {Promise<Opening>}
   */
  async open({ name, model }, mode) {
    const device = this.name === 'pytorch-cuda' ? 'cuda' : 'cpu';
    const given = [
      join(BENCH, 'peers/pytorch.py'),
      join(this.site, 'models', model),
      join(this.site, 'work', `${name}.json`),
      mode,
      device,
    ];
    // Threads that wait must not spin: the browser's turn is next.
    this.#talk = new Conversation(this.python, given, { ...process.env, ...QUIET, OMP_WAIT_POLICY: 'passive' });
    const { device: adapter, memory = 0, ...opened } = await this.#talk.answer();
    const counts = { dispatches: 0, submits: 0, buffers: 0, liveBytes: 0, peakBytes: memory, pipelines: 0 };
    opened.first = { ...opened.first, before: counts, after: counts };
    return { ...opened, adapter, wire: null };
  }

  /** @param {number} count @returns {Promise<Repetition>} */
  async repeat(count) {
    if (!this.#talk) throw new Error('the process has ended');
    return this.#talk.ask({ count });
  }

  async close() {
    this.#talk?.close();
    this.#talk = undefined;
  }
}

/** Nothing is asked of the network, and nothing is said that is no answer. */
export const QUIET = {
  HF_HUB_OFFLINE: '1',
  HF_HUB_DISABLE_PROGRESS_BARS: '1',
  TRANSFORMERS_VERBOSITY: 'error',
  PYTHONWARNINGS: 'ignore',
};
