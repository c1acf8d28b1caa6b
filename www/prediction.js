// Which model a shown prediction is of: it stays on the page while the training continues.

/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {NonNullable<AppState['prediction']>} Prediction */

/**
 * A prediction with the run and the step that it was made at. Each run has a log history of its own.
 * @param {Pick<AppState, 'logs'>} state
 * @param {string} text
 * @param {import('./protocol.js').PredictResult} result
 * @returns {Prediction}
 */
export const predictionOf = ({ logs }, text, result) => ({ text, result, logs, step: logs.last?.step ?? 0 });

/**
 * `untrained`: nothing was trained; `running`: the model of the run in progress; `earlier_run`: the one before it;
 * `earlier_step`: that of an earlier step of the run that is shown; `current`: the model as it is now.
 * @param {Prediction} prediction
 * @param {Pick<AppState, 'logs'|'run'>} state
 * @returns {'untrained'|'running'|'earlier_run'|'earlier_step'|'current'}
 */
export function predictedBy({ result, logs, step }, state) {
  if (!result.after) return 'untrained';
  if (logs !== state.logs) return 'earlier_run';
  if (state.run.kind === 'running') return 'running';
  return step < (state.logs.last?.step ?? 0) ? 'earlier_step' : 'current';
}

/** The i18n keys of the models' titles. */
export const MODEL_TITLES = /** @type {const} */ ({
  untrained: 'try.before',
  running: 'try.so_far',
  earlier_run: 'try.earlier_run',
  earlier_step: 'try.earlier_step',
  current: 'try.after',
});
