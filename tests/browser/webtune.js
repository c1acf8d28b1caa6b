// Page object: opens the page, shows its views, presses its buttons, waits for results, reads its state.
//
// The page is opened at the depth `expert`, at which nothing is folded, unless a test asks for another one. One view is
// shown at a time: `show` shows another one, and `press`, `fill` and `classify` show theirs.
//
// Tests assert visible results on the page; exact values of rounded numbers are read from `window.__webtune`.

import { expect } from '@playwright/test';
import { HOME } from './server.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {import('../../www/state.js').AppState} AppState */
/** @typedef {import('../../www/stages.js').Stage} Stage */
/** @typedef {import('../../www/views.js').View} View */

/** Files of a tokenizer that most models lack. */
const OPTIONAL = /\/(tokenizer_config|special_tokens_map|added_tokens)\.json$/;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Compiling the pipelines of the self-test is slow on a software adapter. */
const OPENING = 4 * MINUTE;

/** A folder of models.js, relative to any site of the server. @param {string} name */
export const madeModel = (name) => `../models-test/${name}/`;
/**
 * The job of the article at recommended settings: two sentences, each repeated, in 30 updates. Its results are known,
 * so that most tests open the page with it.
 */
export const ARTICLE_JOB = {
  toy_dataset: 'article',
  num_rows: 100,
  group_duplicates: 'false',
  num_train_epochs: 3,
  learning_rate: '0.00005',
  head_learning_rate: 0,
};
/** Settings with which the tiny BERT learns the article's two sentences. */
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
      // A folder of a site has no list of its files, so that the page asks for files that a tokenizer may lack.
      const isOptional = /\b404\b/.test(message.text()) && OPTIONAL.test(message.location().url);
      if (message.type() === 'error' && !isOptional) this.#problems.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.#problems.push(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      const own = url.startsWith(server.origin + HOME) && request.method() === 'GET';
      if (!own && !/^(data|blob):/.test(url))
        this.#problems.push(`a request that leaves the site: ${request.method()} ${url}`);
    });
  }

  /** Allows console errors that the test provokes. @param {...RegExp} patterns */
  allow(...patterns) {
    this.#allowed.push(...patterns);
  }

  /**
   * Opens the page with the job of the article, and waits until it has a device or shows why it has none.
   * @param {Record<string, string|number>} [query]
   * @param {string} [site]  with a prelude, see preludes.js
   * @param {string} [fragment]  names the view
   */
  async open(query = {}, site, fragment = '') {
    await this.openBare({ ...ARTICLE_JOB, ...query }, site, fragment);
  }

  /**
   * Opens the page with its default settings, and waits as `open` does.
   * @param {Record<string, string|number>} [query]
   * @param {string} [site]
   * @param {string} [fragment]
   */
  async openBare(query = {}, site, fragment = '') {
    await this.#keepLogs();
    const url = new URL(this.server.site(site));
    for (const [name, value] of Object.entries({ depth: 'expert', ...query }))
      url.searchParams.set(name, String(value));
    url.hash = fragment;
    await this.page.goto(url.href);
    await this.opened();
    if (site === undefined) await expect(this.page.locator('#notices').getByTestId('error')).toHaveCount(0);
  }

  /** Waits until the page has a device or shows why it has none. */
  async opened() {
    const waiting = this.page.locator('.chip.waiting');
    await expect(this.page.getByTestId('device-name')).toBeAttached();
    await expect(waiting).toHaveCount(0, { timeout: OPENING });
  }

  /** Shows a view, as a visitor does. @param {View} view */
  async show(view) {
    await this.page.locator(`#rail a[href="#${view}"]`).click();
    await expect(this.page.locator(`#${view}`)).toBeVisible();
    // The controls of a view are made when it is first shown.
    await expect(this.page.locator(`#${view} > .panel-main > *`).first()).toBeAttached();
  }

  /** Expects that exactly one view is shown, and that the rail marks its link. @param {View} view */
  async expectView(view) {
    const shown = () =>
      this.page
        .locator('main > .panel')
        .evaluateAll((panels) => panels.filter((panel) => panel.checkVisibility()).map(({ id }) => id));
    await expect.poll(shown).toEqual([view]);
    await expect(this.page.locator('#rail [aria-current]')).toHaveAttribute('href', `#${view}`);
  }

  /**
   * Shows the view of a setting and types its value.
   * @param {string} setting
   * @param {string} value
   */
  async fill(setting, value) {
    await this.show(await this.#viewOfSetting(setting));
    await this.field(setting).fill(value);
  }

  /**
   * Shows the view of a setting and selects one of its choices.
   * @param {string} setting
   * @param {string} value
   */
  async select(setting, value) {
    await this.show(await this.#viewOfSetting(setting));
    await this.field(setting).selectOption(value);
  }

  /** Shows a view with rows in pages, and its last page. @param {'dataset'|'tokens'} view */
  async lastPage(view) {
    await this.show(view);
    await this.page.locator(`#${view}`).getByRole('button', { name: 'Last page' }).click();
  }

  /** Waits until the panels of all views are made. That of the comparison with the CPU is the last one. */
  async complete() {
    await expect(this.page.getByTestId('compare')).toBeAttached();
  }

  /**
   * Chooses a language, which a narrow screen has in its menu.
   * @param {'en'|'ko'} language
   */
  async speak(language) {
    const choice = this.page.getByTestId('language');
    const inMenu = !(await choice.isVisible());
    if (inMenu) await this.page.getByTestId('menu').click();
    await choice.selectOption(language);
    if (inMenu) await this.page.getByTestId('menu').click();
    await expect(this.page.locator('html')).toHaveAttribute('lang', language);
  }

  /** @param {string} setting @returns {Promise<View>} */
  #viewOfSetting(setting) {
    return this.page.evaluate((name) => {
      const { group } = /** @type {any} */ (window).__webtune.settings.find(name);
      return group === 'data' ? 'dataset' : group === 'memory' ? 'training' : group;
    }, setting);
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
   * Shows the view of a button that starts stages, presses it, and waits until all have finished or failed.
   * @param {string} id
   * @param {number} [timeout]
   */
  async press(id, timeout) {
    await this.click(id);
    await this.idle(timeout);
  }

  /** Shows the view of a button and presses it. @param {string} id */
  async click(id) {
    const view = await this.button(id).evaluate((button) => button.closest('.panel')?.id ?? null);
    if (view) await this.show(/** @type {View} */ (view));
    await this.button(id).click();
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

  /** Expects that every stage has finished without an error. */
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
   * Reads one part of the page's state.
   * @template {keyof AppState} K
   * @param {K} key
   * @returns {Promise<AppState[K]>}
   */
  read(key) {
    return this.page.evaluate((name) => /** @type {any} */ (window).__webtune.store.state[name], key);
  }

  /** The logs of the latest run; of a run of more than 1,024 steps only some. */
  logs() {
    return this.page.evaluate(() => {
      /** @type {AppState} */
      const { logs } = /** @type {any} */ (window).__webtune.store.state;
      return logs.points();
    });
  }

  /** The first tokenized rows, at most 100. */
  async tokenRows() {
    return this.page.evaluate(async () => {
      /** @type {import('../../www/session.js').Session} */
      const session = /** @type {any} */ (window).__webtune.session;
      return (await session.request({ type: 'tokens', offset: 0, count: 100 })).rows;
    });
  }

  /** The result of the latest run, or null while it runs or after an error. */
  async result() {
    const run = await this.read('run');
    return run.kind === 'done' ? run.result : null;
  }

  /**
   * Waits until a run has done at least `steps` steps.
   * @param {number} steps
   * @param {number} [timeout]
   */
  async stepped(steps, timeout = 5 * MINUTE) {
    await expect.poll(() => this.step(), { timeout }).toBeGreaterThanOrEqual(steps);
  }

  /** The number of steps shown on the page. */
  async step() {
    return Number(await this.page.getByTestId('train-step').getAttribute('data-step'));
  }

  /** The probabilities shown before or after training. @param {'try-before'|'try-after'} id */
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
    await this.show('try');
    await this.page.getByTestId('try-input').fill(sentence);
    await this.page.getByTestId('try-button').click();
    await expect(this.page.locator('#try .quote')).toHaveText(sentence, { timeout });
    await expect(this.stage('try')).toHaveAttribute('data-state', 'done');
  }

  /** Problems that the test does not allow. */
  async problems() {
    await this.#keepLogs();
    return this.#problems.filter((problem) => !this.#allowed.some((pattern) => pattern.test(problem)));
  }

  /** Reads the worker's console lines from the page, because Playwright does not receive all of them. */
  async #keepLogs() {
    if (this.page.isClosed()) return;
    const logs = await this.page.evaluate(
      () => /** @type {{level: string, text: string}[]|undefined} */ (/** @type {any} */ (window).__webtune?.logs),
    );
    for (const { level, text } of logs ?? []) if (level === 'error') this.#problems.push(`worker: ${text}`);
  }
}
