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
/** @typedef {import('./devices.js').Mode} Mode */
/** @typedef {import('./devices.js').PageSubject} PageSubject */
/** @typedef {import('./devices.js').PythonSubject} PythonSubject */

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

/**
 * What the driver provides for browser subjects.
 * @typedef {object} Host
 * @property {import('./devices.js').DeviceName} device
 * @property {import('@playwright/test').Browser} browser
 * @property {string} origin
 * @property {import('./server.js').BenchServer} server
 * @property {string} module   the address of webtune's script, without the origin
 * @property {string} adapter  name of the browser's adapter, or of the CPU
 */

/** @implements {Contender} */
export class BrowserContender {
  where = 'dedicated module worker';
  /** @type {import('@playwright/test').Page|undefined} */
  #page;
  /** Rejects when the page crashes. @type {Promise<never>} */
  #crashed = new Promise(() => {});

  /**
   * @param {PageSubject} subject
   * @param {Host} host
   */
  constructor(subject, host) {
    this.subject = subject;
    this.name = subject.name;
    this.modes = subject.modes;
    this.host = host;
    this.adapter = host.adapter;
  }

  /**
   * @param {Case} given
   * @param {Mode} mode
   * @returns {Promise<Opening>}
   */
  async open(given, mode) {
    const { browser, origin, server, module, device } = this.host;
    const { page: script, threads } = this.subject;
    const page = await (await browser.newContext()).newPage();
    this.#page = page;
    this.#crashed = new Promise((_, reject) => page.on('crash', () => reject(new Error('the page crashed'))));
    this.#crashed.catch(() => {});
    server.wire();
    const names = new URLSearchParams({ case: given.name, model: given.model, mode, module, device });
    if (threads) names.set('threads', `${threads}`);
    await page.goto(`${origin}/${script}/?${names}`);
    const opened = await this.#wait(page.evaluate(() => /** @type {any} */ (globalThis).bench.opened()));
    return { ...opened, adapter: computedBy(opened, device), wire: server.wire() };
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

/**
 * The adapter that a library uses, or its description of the CPU.
 * @param {{adapter: import('./counters.js').AdapterInfo|null, cpu?: string}} opened
 * @param {import('./devices.js').DeviceName} device
 */
function computedBy({ adapter, cpu }, device) {
  if (device === 'webgpu') {
    if (!adapter) throw new Error('the library requested no WebGPU device');
    return named(adapter).name;
  }
  if (adapter || !cpu) throw new Error('the library does not compute on the CPU');
  return cpu;
}

/** @implements {Contender} */
export class PythonContender {
  /** @type {JsonProcess|undefined} */
  #process;

  /**
   * @param {PythonSubject} subject
   * @param {string} python   the Python interpreter of the environment
   * @param {string} site     the folder of models and work
   */
  constructor(subject, python, site) {
    this.subject = subject;
    this.name = subject.name;
    this.modes = subject.modes;
    this.where = 'separate process';
    this.adapter = subject.pytorch === 'cuda' ? 'CUDA' : 'CPU';
    this.python = python;
    this.site = site;
  }

  /**
   * @param {Case} given
   * @param {Mode} mode
   * @returns {Promise<Opening>}
   */
  async open({ name, model }, mode) {
    const { pytorch: device, threads = null, fused = false } = this.subject;
    const command = [
      join(BENCH, 'peers/pytorch.py'),
      join(this.site, 'models', model),
      join(this.site, 'work', `${name}.json`),
      JSON.stringify({ mode, device, threads, fused }),
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
