// Runs one stage and records its outcome in the store.

import { loadModel } from './loading.js';
import { predictionOf } from './prediction.js';
import { asShown } from './session.js';
import { patchStage } from './state.js';
import { evaluate, train } from './training.js';

/** @typedef {import('./stages.js').Stage} Stage */
/** @typedef {import('./state.js').Origin} Origin */

/**
 * @typedef {object} StageOptions
 * @property {boolean} [paused]                  whether a training run waits before its first step
 * @property {Origin|Promise<Origin>} [origin]   of the model; by default the store's
 * @property {number} [resume]                   the interrupted run that a training run continues
 */

export class StageRunner {
  #session;
  #store;
  #settings;
  #freshness;
  #planner;
  #sources;

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./state.js').Store<import('./state.js').AppState>} store
   * @param {import('./settings.js').Settings} settings
   * @param {import('./freshness.js').Freshness} freshness
   * @param {import('./planner.js').Planner} planner
   * @param {import('./loading.js').Sources} sources
   */
  constructor(session, store, settings, freshness, planner, sources) {
    this.#session = session;
    this.#store = store;
    this.#settings = settings;
    this.#freshness = freshness;
    this.#planner = planner;
    this.#sources = sources;
  }

  /**
   * @param {Stage} stage
   * @param {StageOptions} [options]
   * @returns {Promise<boolean>} whether it succeeded
   */
  async run(stage, options = {}) {
    patchStage(this.#store, stage, { state: 'running', error: null, progress: null });
    // The stage makes the toy, also in place of the visitor's rows.
    const before = stage === 'dataset' ? this.#freshness.toyInputs() : this.#freshness.inputs(stage);
    try {
      await this.#perform(stage, options);
      // Settings may have changed since. The model's input is its origin, which changes only after loading.
      this.#freshness.made(stage, stage === 'model' ? this.#freshness.inputs(stage) : before);
      patchStage(this.#store, stage, { state: 'done', progress: null, stale: false });
      // The memory of a run depends on the network and on the longest row.
      if ((stage === 'model' || stage === 'tokens') && this.#store.state.split) await this.#planner.update();
      return true;
    } catch (error) {
      const shown = asShown(error);
      this.#freshness.invalidate(stage);
      patchStage(this.#store, stage, { state: 'error', error: shown, progress: null });
      if (shown.field) this.#settings.refuse(shown.field, shown.message);
      return false;
    }
  }

  /**
   * @param {Stage} stage
   * @param {StageOptions} options
   * @returns {Promise<void>}
   */
  async #perform(stage, { paused = false, origin, resume }) {
    const [session, store, values] = [this.#session, this.#store, this.#settings.values()];
    switch (stage) {
      case 'dataset': {
        const dataset = await session.request({ type: 'dataset', values });
        return store.update({ dataset, source: { kind: 'toy' } });
      }
      case 'split':
        return store.update({ split: await session.request({ type: 'split', values }) });
      case 'model':
        return loadModel(session, store, this.#sources, await (origin ?? store.state.origin));
      case 'tokens':
        return store.update({ tokens: await session.request({ type: 'tokenize', values }) });
      case 'training':
        await this.#planner.update();
        return train(
          session,
          store,
          resume === undefined ? { type: 'train', values, paused } : { type: 'resume', run: resume, paused },
          this.#freshness.inputs('training'),
        );
      case 'evaluation':
        return evaluate(session, store);
      case 'try': {
        const text = store.state.sentence;
        const result = await session.request({ type: 'predict', text });
        return store.update({ prediction: predictionOf(store.state, text, result) });
      }
    }
  }
}
