// The page during a soak: a run of the tiny BERT, its progress and its end.

import { Webtune, madeModel } from '../browser/webtune.js';

/** @typedef {import('@playwright/test').BrowserContext} BrowserContext */
/** @typedef {import('../browser/server.js').TestServer} TestServer */

const MINUTE = 60_000;
const STEPS = { cpu: 400, webgpu: 30 };

export class SoakPage {
  #webtune;
  #device;

  /**
   * @param {Webtune} webtune
   * @param {'cpu'|'webgpu'} device
   */
  constructor(webtune, device) {
    this.#webtune = webtune;
    this.#device = device;
  }

  /**
   * Opens a tab with the job of a device.
   * @param {BrowserContext} context
   * @param {TestServer} server
   * @param {'cpu'|'webgpu'} device
   */
  static async open(context, server, device) {
    const webtune = new Webtune(await context.newPage(), server);
    const job = { model: madeModel('tiny'), learning_rate: '0.001', num_rows: 40, state_save_seconds: 1 };
    // WebGPU has the site whose device a test can lose.
    const site = device === 'webgpu' ? 'device-lost-later' : undefined;
    await webtune.open({ ...job, device, max_steps: STEPS[device] }, site);
    return new SoakPage(webtune, device);
  }

  /**
   * Opens a tab with a run of the page's own model that does not end by itself, and whose memory is counted. The log of
   * a run grows with its steps; beside this model it is small.
   * @param {BrowserContext} context
   * @param {TestServer} server
   * @param {'cpu'|'webgpu'} device
   */
  static async openEndless(context, server, device) {
    const webtune = new Webtune(await context.newPage(), server);
    await webtune.openBare({ device, max_steps: 1_000_000 }, 'counted');
    return new SoakPage(webtune, device);
  }

  get page() {
    return this.#webtune.page;
  }

  get device() {
    return this.#device;
  }

  get steps() {
    return STEPS[this.#device];
  }

  /** Starts the run, without waiting for its end. */
  async start() {
    await this.#webtune.show('training');
    await this.#webtune.button('run-training').click();
  }

  /**
   * Waits until the run has done a step; null if it has ended before.
   * @param {number} step
   */
  async reached(step) {
    const done = await this.page.waitForFunction(
      (wanted) => {
        const { run, stages } = /** @type {any} */ (window).__webtune.store.state;
        if (run.kind === 'done' || stages.training.state === 'error') return { step: null };
        return run.kind === 'running' && run.step >= wanted ? { step: run.step } : false;
      },
      step,
      { timeout: 10 * MINUTE, polling: 50 },
    );
    return /** @type {{step: number|null}} */ (await done.jsonValue()).step;
  }

  /** Waits for the reason why the state of the run is not saved. */
  async notSaved() {
    await this.page.waitForFunction(() => /** @type {any} */ (window).__webtune.store.state.stateNotSaved, undefined, {
      timeout: MINUTE,
      polling: 50,
    });
  }

  /** Continues the interrupted run that the page offers. */
  async resume() {
    await this.page.getByTestId('interrupted-resume').click();
  }

  /** The step from which the run was continued. */
  async continuedFrom() {
    const state = () => this.page.evaluate(() => /** @type {any} */ (window).__webtune.store.state.recovered?.from);
    return (await state()) ?? NaN;
  }

  /** The loss of each step, the mean loss and the loss of the evaluation, when the run has ended. */
  async finished() {
    await this.page.waitForFunction(
      () => {
        const { run, busy } = /** @type {any} */ (window).__webtune.store.state;
        return run.kind === 'done' && !busy;
      },
      undefined,
      { timeout: 15 * MINUTE, polling: 100 },
    );
    const logs = await this.#webtune.logs();
    const result = await this.#webtune.result();
    return [...logs.map(({ loss }) => loss), result?.train_loss ?? NaN, result?.evaluation?.eval_loss ?? NaN];
  }

  close() {
    return this.page.context().close();
  }
}
