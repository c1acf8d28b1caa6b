// The driver's interface to a subject: open, repeat steps, close. A subject runs in a page or in a process.
//
// Every browser subject runs in a dedicated module worker of a page with a separate browser context: no cache is
// shared, and a crash affects only that page. All pages of a case stay open between their turns; one of them works at a
// time.

import { join } from 'node:path';
import { named } from './browser.js';
import { JsonProcess } from './processes.js';
import { BENCH } from './site.js';

/** @typedef {import('./cases.js').Case} Case */
/** @typedef {import('./page/serve.js').Repetition} Repetition */
/** @typedef {'train'|'forward'} Mode */

/**
 * The results of opening and of the first step.
 * @typedef {object} Opening
 * @property {Repetition} first
 * @property {number} openToFirst   ms from the navigation (or the start of the process) to the end of the first step
 * @property {string} adapter
 * @property {{bytes: number, files: {path: string, bytes: number}[]}|null} wire
 */

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {Mode[]} modes
 * @property {string} where        the kind of execution context
 * @property {string} adapter      the expected adapter, until opening reports the actual one
 * @property {(given: Case, mode: Mode) => Promise<Opening>} open
 * @property {(count: number) => Promise<Repetition>} repeat
 * @property {() => Promise<void>} close
 */

/** In the order of the table. */
export const BROWSER_SUBJECTS = /** @type {const} */ (['webtune', 'tfjs', 'jax', 'transformers']);
export const PYTHON_SUBJECTS = /** @type {const} */ (['pytorch-cpu', 'pytorch-cuda']);

/**
 * What the driver provides for browser subjects.
 * @typedef {object} Host
 * @property {import('@playwright/test').Browser} browser
 * @property {string} origin
 * @property {import('./server.js').BenchServer} server
 * @property {string} module   the address of webtune's script, without the origin
 * @property {string} adapter  name of the browser's adapter
 */

/** @implements {Contender} */
export class BrowserContender {
  where = 'dedicated module worker';
  /** @type {import('@playwright/test').Page|undefined} */
  #page;
  /** Rejects when the page crashes. @type {Promise<never>} */
  #crashed = new Promise(() => {});

  /**
   * @param {typeof BROWSER_SUBJECTS[number]} name
   * @param {Host} host
   */
  constructor(name, host) {
    this.name = name;
    this.host = host;
    this.adapter = host.adapter;
    /** @type {Mode[]} */
    this.modes = name === 'transformers' ? ['forward'] : ['train', 'forward'];
  }

  /**
   * @param {Case} given
   * @param {Mode} mode
   * @returns {Promise<Opening>}
   */
  async open(given, mode) {
    const { browser, origin, server, module } = this.host;
    const page = await (await browser.newContext()).newPage();
    this.#page = page;
    this.#crashed = new Promise((_, reject) => page.on('crash', () => reject(new Error('the page crashed'))));
    this.#crashed.catch(() => {});
    server.wire();
    const names = new URLSearchParams({ case: given.name, model: given.model, mode, module });
    await page.goto(`${origin}/${this.name}/?${names}`);
    const opened = await this.#wait(page.evaluate(() => /** @type {any} */ (globalThis).bench.opened()));
    if (!opened.adapter) throw new Error('the library requested no WebGPU device');
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
    return Promise.race([answer, this.#crashed]);
  }
}

/** @implements {Contender} */
export class PythonContender {
  /** @type {Mode[]} */
  modes = ['train', 'forward'];
  /** @type {JsonProcess|undefined} */
  #process;

  /**
   * @param {typeof PYTHON_SUBJECTS[number]} name
   * @param {string} python   the Python interpreter of the environment
   * @param {string} site     the folder of models and work
   */
  constructor(name, python, site) {
    this.name = name;
    this.where = 'separate process';
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
    const command = [
      join(BENCH, 'peers/pytorch.py'),
      join(this.site, 'models', model),
      join(this.site, 'work', `${name}.json`),
      mode,
      device,
    ];
    // Waiting threads must not spin while the browser has its turn.
    this.#process = new JsonProcess(this.python, command, { ...process.env, ...QUIET, OMP_WAIT_POLICY: 'passive' });
    const { device: adapter, memory = 0, ...opened } = await this.#process.answer();
    const counts = { dispatches: 0, submits: 0, buffers: 0, liveBytes: 0, peakBytes: memory, pipelines: 0 };
    opened.first = { ...opened.first, before: counts, after: counts };
    return { ...opened, adapter, wire: null };
  }

  /** @param {number} count @returns {Promise<Repetition>} */
  async repeat(count) {
    if (!this.#process) throw new Error('the process has ended');
    return this.#process.ask({ count });
  }

  async close() {
    this.#process?.close();
    this.#process = undefined;
  }
}

/** No network access, and no output besides the JSON answers. */
export const QUIET = {
  HF_HUB_OFFLINE: '1',
  HF_HUB_DISABLE_PROGRESS_BARS: '1',
  TRANSFORMERS_VERBOSITY: 'error',
  PYTHONWARNINGS: 'ignore',
};
