// Page object: opens the page in any of the browsers, presses its buttons, waits for results, reads its state.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';

/** @typedef {import('../../www/state.js').AppState} AppState */
/** @typedef {import('./engines.js').Driver} Driver */

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export class Page {
  #driver;

  /** @param {Driver} driver @param {string} site */
  constructor(driver, site) {
    this.#driver = driver;
    this.site = site;
  }

  /**
   * Opens the page on the CPU device, and waits until it has opened.
   * @param {Record<string, string|number>} [query]
   */
  async open(query = {}) {
    const url = new URL(this.site);
    for (const [name, value] of Object.entries({ device: 'cpu', depth: 'expert', ...query }))
      url.searchParams.set(name, String(value));
    await this.#driver.open(url.href);
    await this.until('the page has a device', () => {
      const { state } = /** @type {any} */ (window).__webtune?.store ?? {};
      const problem = state?.openError ?? state?.fatal ?? document.querySelector('#boot')?.textContent;
      if (problem) throw new Error(problem.message ?? problem);
      return Boolean(state?.opened) && document.querySelector('.chip.waiting') === null;
    });
  }

  /**
   * Waits until a function of the page returns true.
   * @template {unknown[]} A
   * @param {string} what
   * @param {(...given: A) => boolean} holds
   * @param {A} given
   */
  async until(what, holds, ...given) {
    const end = performance.now() + 4 * MINUTE;
    for await (const _ of setInterval(SECOND / 10)) {
      if (await this.#driver.evaluate(holds, ...given)) return;
      if (performance.now() > end) throw new Error(`in vain: until ${what}`);
    }
  }

  /** Presses a control when it is drawn and on. @param {string} id  as in `data-testid` */
  async press(id) {
    const selector = `[data-testid="${id}"]`;
    await this.until(
      `${id} can be pressed`,
      (wanted) => {
        const control = document.querySelector(wanted);
        return control !== null && control.getClientRects().length > 0 && !control.matches('[aria-disabled=true]');
      },
      selector,
    );
    await this.#driver.click(selector);
  }

  /** Shows a view. @param {import('../../www/views.js').View} view */
  async show(view) {
    await this.#driver.click(`#rail a[href="#${view}"]`);
    await this.until(
      `the view ${view} is made`,
      (id) => Boolean(document.querySelector(`#${id} > .panel-main > *`)),
      view,
    );
  }

  /** Waits until no stage runs, and until none has failed. */
  async idle() {
    await this.until('no stage runs', () => {
      const { busy, fatal, stages } = /** @type {any} */ (window).__webtune.store.state;
      const failed = fatal ?? Object.values(stages).find(({ error }) => error)?.error;
      if (failed) throw new Error(failed.message);
      return !busy;
    });
  }

  /**
   * One part of the page's state.
   * @template {keyof AppState} K
   * @param {K} key
   * @returns {Promise<AppState[K]>}
   */
  read(key) {
    return this.#driver.evaluate((name) => /** @type {any} */ (window).__webtune.store.state[name], key);
  }

  /** Loss and gradient norm of each step of the latest run. @returns {Promise<[number, number][]>} */
  losses() {
    return this.#driver.evaluate(() =>
      /** @type {AppState} */ (/** @type {any} */ (window).__webtune.store.state).logs
        .points()
        .map(({ loss, grad_norm }) => [loss, grad_norm]),
    );
  }

  /** The text of an element. @param {string} selector @returns {Promise<string>} */
  text(selector) {
    return this.#driver.evaluate((wanted) => document.querySelector(wanted)?.textContent ?? '', selector);
  }

  /** The steps that the page shows. */
  async step() {
    return this.#driver.evaluate(() =>
      Number(document.querySelector('[data-testid=train-step]')?.getAttribute('data-step')),
    );
  }

  /** Waits until a run has done some steps. @param {number} steps */
  stepped(steps) {
    return this.until(
      `step ${steps}`,
      (wanted) => Number(document.querySelector('[data-testid=train-step]')?.getAttribute('data-step')) >= wanted,
      steps,
    );
  }

  /** Chooses a file of the disk. @param {string} id  of the field @param {string} path */
  pick(id, path) {
    return this.#driver.pick(`[data-testid="${id}"]`, path);
  }

  /** Chooses a language. @param {'en'|'ko'} language */
  async speak(language) {
    await this.#driver.evaluate((chosen) => {
      const field = /** @type {HTMLSelectElement} */ (document.querySelector('[data-testid=language]'));
      field.value = chosen;
      field.dispatchEvent(new Event('change', { bubbles: true }));
    }, language);
    await this.until(`the language is ${language}`, (chosen) => document.documentElement.lang === chosen, language);
  }
}

/** The file that arrives in the folder of downloads, when it is whole. @param {string} folder @param {number} bytes */
export async function saved(folder, bytes) {
  const end = performance.now() + MINUTE;
  for await (const _ of setInterval(SECOND / 10)) {
    for (const name of await readdir(folder)) {
      const content = await readFile(join(folder, name)).catch(() => null);
      if (name.endsWith('.zip') && content?.length === bytes) return { name, content };
    }
    if (performance.now() > end) throw new Error(`no file of ${bytes} bytes has arrived: ${await readdir(folder)}`);
  }
  throw new Error('unreachable');
}
