// The recommended settings: the values that the worker chooses for the present data, and when they are chosen again.
//
// Values change only when the visitor presses "Recommended", with one exception: while the form has the recommended
// values, they follow data of the visitor's own, so that a table is imported and trained with one button. The toy
// datasets keep the defaults of the settings table, which are the recommended values for them; an opened page and an
// address then mean the same run everywhere.

import { asShown } from './session.js';
import { asText } from './settings.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./protocol.js').Recommendation} Recommendation */
/** @typedef {import('./settings.js').Settings} Settings */
/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {Pick<AppState, 'dataset'|'split'|'model'|'tokens'>} Data */

/**
 * @typedef {object} RecommendationState
 * @property {Recommendation|null} view
 * @property {string} of              the data that it was made for
 * @property {boolean} asking
 * @property {number|null} minutes    the longest time of a run that the visitor allows
 * @property {import('./protocol.js').WorkerError|null} error
 */

/** The datasets that the page makes itself. */
const TOYS = ['article', 'reviews'];

/**
 * What the recommendation depends on. Not the lengths of the tokenized rows, which depend on `max_length`, which is
 * itself recommended.
 * @param {Data} data
 */
export function factsOf({ dataset, split, model, tokens }) {
  if (!dataset) return '';
  const { name, num_rows, label_counts, distinct_texts } = dataset;
  return JSON.stringify([
    name,
    num_rows,
    label_counts,
    distinct_texts,
    split?.train_label_counts ?? null,
    model?.name ?? null,
    model?.parameters ?? null,
    tokens !== null,
  ]);
}

/**
 * Whether the dataset is the visitor's own, or a toy with edited rows.
 * @param {Pick<AppState, 'dataset'>} state
 */
export function isOwn({ dataset }) {
  return dataset !== null && (dataset.edited || !TOYS.includes(dataset.source));
}

/**
 * Whether the form has the recommended values: those of the worker, or before it was asked those of the table.
 * @param {Settings} settings
 * @param {RecommendationState} recommendation
 */
export function isRecommended(settings, { view }) {
  if (!view) return settings.preset === 'recommended';
  return Object.entries(view.values).every(([name, value]) => settings.text(name) === asText(value));
}

/** Whether the data has changed since the recommendation. @param {AppState} state */
export const isStale = (state) => state.recommendation.view !== null && state.recommendation.of !== factsOf(state);

/**
 * Whether the values follow the data.
 * @param {AppState} state
 * @param {Settings} settings
 */
export const follows = (state, settings) => isOwn(state) && isRecommended(settings, state.recommendation);

/**
 * Limits the time of a run.
 * @param {App['store']} store
 * @param {number|null} minutes
 */
export const setMinutes = (store, minutes) =>
  store.update({ recommendation: { ...store.state.recommendation, minutes } });

/**
 * Forgets what the worker chose, because the defaults of the table are recommended.
 * @param {App['store']} store
 */
export const forget = (store) =>
  store.update({ recommendation: { ...store.state.recommendation, view: null, of: '', error: null } });

/**
 * Asks for the values and puts them into the form. Where the worker lacks something, such as the tokens, the form gets
 * the defaults of the table, which are replaced when it is there.
 * @param {Pick<App, 'store'|'settings'|'session'>} app
 * @param {() => number|null} secondsPerUnit  of the work of a run, see work.js; null where it is not known
 */
export async function recommend({ store, settings, session }, secondsPerUnit) {
  const patch = (/** @type {Partial<RecommendationState>} */ change) =>
    store.update({ recommendation: { ...store.state.recommendation, ...change } });
  const { minutes } = store.state.recommendation;
  const of = factsOf(store.state);
  patch({ asking: true });
  try {
    const view = await session.request({
      type: 'recommend',
      budget_seconds: minutes === null ? null : minutes * 60,
      seconds_per_unit: secondsPerUnit(),
    });
    // In this order: whoever hears of the new values finds them recommended.
    patch({ view, of, asking: false, error: null });
    settings.setAll(view.values);
    return true;
  } catch (error) {
    const shown = asShown(error);
    const isEarly = shown.code === 'not_ready';
    patch({ asking: false, error: isEarly ? null : shown });
    return false;
  }
}

/**
 * The job that lets the values follow the visitor's own data.
 * @param {App} app
 * @param {() => number|null} secondsPerUnit
 * @returns {import('./background.js').Job}
 */
export function recommendJob(app, secondsPerUnit) {
  const { settings } = app;
  return {
    inputs: (state) => (needed(state, settings) && state.split ? [factsOf(state), state.recommendation.minutes] : null),
    async run() {
      await recommend(app, secondsPerUnit);
      return true;
    },
  };
}

/**
 * Whether the values must be asked for again, because they follow the data.
 * @param {AppState} state
 * @param {Settings} settings
 */
export function needed(state, settings) {
  if (!follows(state, settings)) return false;
  return state.recommendation.view === null || isStale(state);
}
