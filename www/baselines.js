// The baselines: what simple classifiers reach on the same test rows. They are made by themselves when the tokens are
// there.

import { wilson } from './interval.js';
import { RequestError, asShown } from './session.js';
import { MOST_EMBEDDED } from './work.js';

/** @typedef {import('./app.js').App} App */
/** @typedef {import('./protocol.js').BaselineView} BaselineView */
/** @typedef {import('./protocol.js').EvaluationReport} EvaluationReport */
/** @typedef {import('./protocol.js').SplitView} SplitView */
/** @typedef {import('./state.js').AppState} AppState */

/**
 * @typedef {object} BaselinesState
 * @property {BaselineView[]} baselines
 * @property {SplitView|null} split   whose test rows they are of
 * @property {boolean} missing        the one that needs the encoder is not there yet
 * @property {{done: number, total: number}|null} embedding  it is being made
 * @property {boolean} declined       the visitor has stopped it: it is made only when asked for
 * @property {import('./protocol.js').WorkerError|null} error
 */

/** The encoder embeds the rows by itself only where this takes no longer. */
const MOST_SECONDS = 5;
/** The rows that a GPU embeds by itself before its speed is known. */
const MOST_ROWS = 2000;

/**
 * The jobs: at once what needs no encoder, then what embeds every row.
 * @param {App} app
 * @param {() => number|null} embeddingSeconds  how long the encoder will take; null where it is not known
 * @returns {import('./background.js').Job[]}
 */
export function baselineJobs(app, embeddingSeconds) {
  const { store } = app;
  const ready = (/** @type {AppState} */ { dataset, split, tokens, stages }) =>
    tokens && stages.tokens.state === 'done' && !stages.tokens.stale ? [dataset, split, tokens] : null;
  return [
    { inputs: ready, run: () => make(app, { embeddings: false }) },
    {
      inputs: (state) => {
        const quick = isQuick(state, embeddingSeconds());
        const { missing, declined, split } = state.baselines;
        return quick && missing && !declined && split === state.split ? ready(state) : null;
      },
      run: () => make(app, { embeddings: true }),
      stop: () => {
        // The reply may have arrived since.
        if (store.state.baselines.embedding) void app.session.request({ type: 'control', action: 'stop' });
      },
    },
  ];
}

/**
 * Whether the encoder reads every row in a few seconds.
 * @param {Pick<AppState, 'opened'|'dataset'>} state
 * @param {number|null} seconds  where it is known
 */
export function isQuick({ opened, dataset }, seconds) {
  if (seconds !== null) return seconds <= MOST_SECONDS;
  const device = opened?.device;
  return device?.kind === 'webgpu' && !device.software && (dataset?.num_rows ?? Infinity) <= MOST_ROWS;
}

/**
 * Makes the missing baseline when the visitor asks for it.
 * @param {App} app
 */
export const embed = (app) =>
  app.workflow.exclusively(async () => {
    await make(app, { embeddings: true });
  });

/**
 * Stops the encoder for the visitor.
 * @param {App} app
 */
export async function stopEmbedding({ store, session }) {
  store.update({ baselines: { ...store.state.baselines, declined: true } });
  await session.request({ type: 'control', action: 'stop' });
}

/**
 * @param {App} app
 * @param {{embeddings: boolean}} options
 * @returns {Promise<boolean>} false where it was stopped
 */
async function make({ store, session }, { embeddings }) {
  const { split } = store.state;
  const known = store.state.baselines.split === split ? store.state.baselines.baselines : [];
  const patch = (/** @type {Partial<BaselinesState>} */ change) =>
    store.update({ baselines: { ...store.state.baselines, ...change } });
  patch(embeddings ? { embedding: { done: 0, total: 0 } } : { declined: false });
  try {
    const request = /** @type {const} */ ({ type: 'baselines', embeddings });
    const view = await session.request(request, (event) => {
      if (event.kind === 'embedding') patch({ embedding: { done: event.done, total: event.total } });
    });
    patch({ baselines: view.baselines, split, missing: !embeddings, embedding: null, error: null });
    return true;
  } catch (error) {
    const stopped = error instanceof RequestError && error.code === 'stopped';
    patch({ baselines: known, split, embedding: null, error: stopped ? null : asShown(error) });
    return !stopped;
  }
}

/**
 * The baselines to compare an evaluation with: none where they are of other test rows.
 * @param {Pick<AppState, 'baselines'|'split'>} state
 * @param {Pick<EvaluationReport, 'confusion'>|undefined} report
 */
export function comparable({ baselines: { baselines, split: of }, split }, report) {
  if (!of || of !== split) return [];
  if (!report) return baselines;
  const rows = report.confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  return rows.every((count, label) => count === of.test_label_counts[label]) ? baselines : [];
}

/**
 * @typedef {object} Score
 * @property {string} id              of a baseline, or `model`
 * @property {number} accuracy
 * @property {[number, number]} interval  of the accuracy, 95 %
 * @property {number} macro_f1
 */

/**
 * What fine-tuning adds: the baselines, the simplest first, then the model.
 * @param {BaselineView[]} baselines
 * @param {Pick<EvaluationReport, 'confusion'|'eval_accuracy'|'macro'>} report
 */
export function scores(baselines, { confusion, eval_accuracy, macro }) {
  const rows = confusion.flat().reduce((sum, count) => sum + count, 0);
  const score = (/** @type {string} */ id, /** @type {number} */ accuracy, /** @type {number} */ macro_f1) => {
    const seen = id === 'embeddings' ? Math.min(rows, MOST_EMBEDDED.test) : rows;
    return { id, accuracy, interval: wilson(Math.round(accuracy * seen), seen), macro_f1 };
  };
  return {
    rows,
    baselines: baselines.map(({ id, eval_accuracy: accuracy, macro_f1 }) => score(id, accuracy, macro_f1)),
    model: score('model', eval_accuracy, macro.f1),
  };
}

/**
 * The best baseline, how far the model is above it, and whether the intervals of both are apart. Null without one.
 * @param {ReturnType<typeof scores>} compared
 */
export function gain({ baselines, model }) {
  const best = baselines.reduce(
    (/** @type {Score|null} */ found, each) => (found && found.accuracy >= each.accuracy ? found : each),
    null,
  );
  if (!best) return null;
  const apart = model.interval[0] > best.interval[1] || model.interval[1] < best.interval[0];
  return { best, difference: model.accuracy - best.accuracy, apart };
}
