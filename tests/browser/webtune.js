// The page as a test sees it: open it, press its buttons, wait for what it says, read what it knows.
//
// What a visitor can see is asserted on the page itself; numbers that it shows rounded are read from `window.__webtune`.

import { expect } from '@playwright/test';
import { HOME } from './server.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {import('../../www/state.js').AppState} AppState */
/** @typedef {import('../../www/stages.js').Stage} Stage */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Building the self-test's pipelines is slow on a software adapter. */
const OPENING = 4 * MINUTE;

/** The folders of models.js, seen from any of the server's sites. @param {string} name */
export const madeModel = (name) => `../models-test/${name}/`;
/** Enough for the tiny BERT to learn the article's two sentences. */
export const QUICK = { model: madeModel('tiny'), learning_rate: '0.001' };

export class Webtune {
  /** @type {string[]} */
  #problems = [];
  /** @type {RegExp[]} */
  #allowed = [];

  /**
   * @param {Page} page
   * @param {import('./server.js').TestServer} server
   */
  constructor(page, server) {
    this.page = page;
    this.server = server;
    page.on('console', (message) => {
      if (message.type() === 'error') this.#problems.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.#problems.push(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      const own = url.startsWith(server.origin + HOME) && request.method() === 'GET';
      if (!own && !/^(data|blob):/.test(url))
        this.#problems.push(`a request that leaves the site: ${request.method()} ${url}`);
    });
  }

  /** An error in the console that this test is about. @param {...RegExp} patterns */
  allow(...patterns) {
    this.#allowed.push(...patterns);
  }

  /**
   * Opens the page and waits until it has a device or has said why not.
   * @param {Record<string, string|number>} [query]
   * @param {string} [site]  with a prelude, see preludes.js
   */
  async open(query = {}, site) {
    await this.#keepLogs();
    const url = new URL(this.server.site(site));
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    await this.page.goto(url.href);
    await this.opened();
    if (site === undefined) await expect(this.page.locator('#notices').getByTestId('error')).toHaveCount(0);
  }

  /** Waits until the page has a device, or has said why it has none. */
  async opened() {
    const waiting = this.page.locator('.chip.waiting');
    await expect(this.page.getByTestId('device-name')).toBeVisible();
    await expect(waiting).toHaveCount(0, { timeout: OPENING });
  }

  /** @param {string} id of a control, as in `data-testid` */
  button(id) {
    return this.page.getByTestId(id);
  }

  /** @param {Stage} stage */
  stage(stage) {
    return this.page.getByTestId(`stage-${stage}`);
  }

  /** The alerts inside a section of the page. @param {string} id of the section */
  alert(id) {
    return this.page.locator(`#${id}`).getByTestId('error');
  }

  /** @param {string} setting */
  field(setting) {
    return this.page.locator(`#setting-${setting}`);
  }

  /**
   * Presses a button that starts stages and waits until they have all ended, well or badly.
   * @param {string} id
   * @param {number} [timeout]
   */
  async press(id, timeout) {
    await this.button(id).click();
    await this.idle(timeout);
  }

  /** Waits until no stage runs. @param {number} [timeout] */
  async idle(timeout = 5 * MINUTE) {
    await this.page.waitForFunction(
      () => {
        const { busy, fatal } = /** @type {any} */ (window).__webtune.store.state;
        return !busy || fatal !== null;
      },
      undefined,
      { timeout, polling: 100 },
    );
  }

  /** Everything has run to its end. */
  async succeeded() {
    const stages = await this.read('stages');
    expect(
      Object.entries(stages).flatMap(([stage, { error }]) => (error ? [`${stage}: ${error.message}`] : [])),
    ).toEqual([]);
    for (const stage of /** @type {Stage[]} */ (Object.keys(stages)))
      await expect(this.stage(stage)).toHaveAttribute('data-state', 'done');
    await expect(this.page.getByTestId('summary')).toHaveAttribute('data-stopped', 'false');
  }

  /**
   * A part of what the page knows.
   * @template {keyof AppState} K
   * @param {K} key
   * @returns {Promise<AppState[K]>}
   */
  read(key) {
    return this.page.evaluate((name) => /** @type {any} */ (window).__webtune.store.state[name], key);
  }

  /** The result of the latest run, or null while it runs or after an error. */
  async result() {
    const run = await this.read('run');
    return run.kind === 'done' ? run.result : null;
  }

  /**
   * Waits for a run to have done so many steps.
   * @param {number} steps
   * @param {number} [timeout]
   */
  async stepped(steps, timeout = 5 * MINUTE) {
    await expect.poll(() => this.step(), { timeout }).toBeGreaterThanOrEqual(steps);
  }

  /** The number of steps that the page shows. */
  async step() {
    return Number(await this.page.getByTestId('train-step').getAttribute('data-step'));
  }

  /** The probabilities shown under one heading of "try it". @param {'try-before'|'try-after'} id */
  async probabilities(id) {
    const shown = this.page.getByTestId(id);
    await expect(shown).toHaveAttribute('data-probabilities', /^\[/);
    return /** @type {number[]} */ (JSON.parse((await shown.getAttribute('data-probabilities')) ?? ''));
  }

  /**
   * Types a sentence and waits for its answer.
   * @param {string} sentence
   * @param {number} [timeout]
   */
  async classify(sentence, timeout = 2 * MINUTE) {
    await this.page.getByTestId('try-input').fill(sentence);
    await this.page.getByTestId('try-button').click();
    await expect(this.page.locator('#try .quote')).toHaveText(sentence, { timeout });
    await expect(this.stage('try')).toHaveAttribute('data-state', 'done');
  }

  /** What went wrong without the test having said that it would. */
  async problems() {
    await this.#keepLogs();
    return this.#problems.filter((problem) => !this.#allowed.some((pattern) => pattern.test(problem)));
  }

  /** A worker's console does not all reach Playwright: the page keeps its lines, until it is left. */
  async #keepLogs() {
    if (this.page.isClosed()) return;
    const logs = await this.page.evaluate(
      () => /** @type {{level: string, text: string}[]|undefined} */ (/** @type {any} */ (window).__webtune?.logs),
    );
    for (const { level, text } of logs ?? []) if (level === 'error') this.#problems.push(`worker: ${text}`);
  }
}
