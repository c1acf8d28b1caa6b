// Decides which stages are up to date: each is compared with the settings and the model that it was made from.

import { asText } from './settings.js';
import { BATCH_SETTINGS, GROUPS, NEEDS, SPLIT_SETTINGS, STAGES } from './stages.js';
import { patchStage } from './state.js';

/** @typedef {import('./protocol.js').Setting} Setting */
/** @typedef {import('./stages.js').Stage} Stage */
/** @typedef {import('./state.js').Store<import('./state.js').AppState>} AppStore */

/** Stages whose results are rows. @type {Stage[]} */
const ROWS_STAGES = ['dataset', 'split', 'tokens'];
/** No inputs of a stage are equal to this. */
const REPLACED = 'replaced';

/**
 * The stages that need another one, without the sentence, which only reads.
 * @param {Stage} stage
 */
const dependents = (stage) => STAGES.filter((each) => each !== 'try' && NEEDS[each].includes(stage));

export class Freshness {
  #store;
  #settings;
  #modelBase;
  /** The inputs that each stage was made from. @type {Map<Stage, string>} */
  #madeFrom = new Map();

  /** How many times the dataset was made or replaced. */
  datasets = 0;

  /**
   * @param {AppStore} store
   * @param {import('./settings.js').Settings} settings
   * @param {string} modelBase  identifies the model of the site
   */
  constructor(store, settings, modelBase) {
    this.#store = store;
    this.#settings = settings;
    this.#modelBase = modelBase;
  }

  /**
   * The current inputs of a stage as text.
   * @param {Stage} stage
   * @returns {string}
   */
  inputs(stage) {
    if (stage === 'model' || stage === 'try') {
      const { origin } = this.#store.state;
      if (origin.kind === 'site') return this.#modelBase;
      return origin.kind === 'hub' ? `hub ${origin.repo}` : `disk ${origin.id}`;
    }
    const { source } = this.#store.state;
    if (source.kind === 'toy') return this.#settingsOf(stage, () => true);
    const own = `own rows ${source.revision}`;
    // The rows are not made from the settings of the toy, which may change without any effect.
    const matters = (/** @type {Setting} */ { name, group }) => group !== 'data' || SPLIT_SETTINGS.includes(name);
    return stage === 'dataset' ? own : `${own}&${this.#settingsOf(stage, matters)}`;
  }

  /** The inputs of the toy dataset, also while the dataset is the visitor's. */
  toyInputs() {
    return this.#settingsOf('dataset', () => true);
  }

  /**
   * @param {Stage} stage
   * @param {(setting: Setting) => boolean} matters
   */
  #settingsOf(stage, matters) {
    /** @type {string[]|undefined} */
    const groups = stage in GROUPS ? GROUPS[/** @type {keyof typeof GROUPS} */ (stage)] : undefined;
    const relevant = this.#settings.table.filter(
      (setting) =>
        matters(setting) &&
        (!groups || groups.includes(setting.group) || (stage === 'tokens' && BATCH_SETTINGS.includes(setting.name))),
    );
    const values = this.#settings.values();
    return relevant.map(({ name }) => `${name}=${asText(values[name] ?? '?')}`).join('&');
  }

  /** @param {Stage} stage */
  isFresh(stage) {
    return this.#madeFrom.get(stage) === this.inputs(stage);
  }

  /**
   * The stages that must run before this one, in order.
   * @param {Stage} stage
   * @returns {Stage[]}
   */
  missing(stage) {
    const needed = NEEDS[stage].flatMap((need) => [...this.missing(need), ...(this.isFresh(need) ? [] : [need])]);
    return STAGES.filter((candidate) => needed.includes(candidate));
  }

  /**
   * Records that a stage was made. The stages that depend on it are made again when they are next needed.
   * @param {Stage} stage
   * @param {string} inputs
   */
  made(stage, inputs) {
    for (const dependent of dependents(stage)) {
      if (ROWS_STAGES.includes(stage) && ROWS_STAGES.includes(dependent)) this.#replaceRows(dependent);
      else this.#madeFrom.delete(dependent);
    }
    this.#madeFrom.set(stage, inputs);
    if (stage === 'dataset') this.datasets += 1;
  }

  /**
   * What the page shows of a stage is of other rows now, also where its settings are the same.
   * @param {Stage} stage
   */
  #replaceRows(stage) {
    if (this.#madeFrom.has(stage)) this.#madeFrom.set(stage, REPLACED);
    for (const dependent of dependents(stage)) if (ROWS_STAGES.includes(dependent)) this.#replaceRows(dependent);
  }

  /** Forgets every stage: the worker was replaced. */
  reset() {
    this.#madeFrom.clear();
  }

  /** @param {Stage} stage */
  invalidate(stage) {
    this.#madeFrom.delete(stage);
  }

  /**
   * Records that an earlier result of a stage is shown again. Other stages do not depend on it.
   * @param {Stage} stage
   * @param {string|null} inputs  that it was made from
   */
  restore(stage, inputs) {
    if (inputs === null) this.#madeFrom.delete(stage);
    else this.#madeFrom.set(stage, inputs);
  }

  /**
   * Forgets what `work` changes about a stage, when it returns false.
   * @param {Stage} stage
   * @param {() => Promise<boolean>} work
   * @returns {Promise<boolean>}
   */
  async transaction(stage, work) {
    const before = this.#madeFrom.get(stage);
    const succeeded = await work();
    if (!succeeded && before !== undefined) this.#madeFrom.set(stage, before);
    return succeeded;
  }

  /** Marks the stages whose inputs have changed since they were made. */
  markStale() {
    for (const stage of STAGES) {
      const madeFrom = this.#madeFrom.get(stage);
      const stale = madeFrom !== undefined && madeFrom !== this.inputs(stage);
      if (this.#store.state.stages[stage].stale !== stale) patchStage(this.#store, stage, { stale });
    }
  }
}
