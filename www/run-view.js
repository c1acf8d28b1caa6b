// What the page shows of a run. It is kept beside the model that the worker keeps, and shown again when that model is
// used again.

import { LogHistory } from './log-history.js';
import { isSameModel } from './same-model.js';
import { patchStage } from './state.js';

/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {import('./state.js').Store<AppState>} AppStore */
/** @typedef {Pick<AppState, 'run'|'runInputs'|'logs'|'evaluations'|'shownEvaluation'|'checkpoints'|'archive'>} Shown */
/** @typedef {Pick<AppState, 'trained'|'previous'>} Models  what the worker holds */

/**
 * @typedef {object} RunView
 * @property {Shown} shown
 * @property {import('./stages.js').StageState} evaluation
 */

/**
 * @param {AppState} state
 * @returns {RunView}
 */
export function viewOf({ run, runInputs, logs, evaluations, shownEvaluation, checkpoints, archive, stages }) {
  const shown = { run, runInputs, logs, evaluations, shownEvaluation, checkpoints, archive };
  return { shown, evaluation: stages.evaluation };
}

/**
 * The view where there is no run.
 * @returns {RunView}
 */
export function emptyView() {
  return {
    shown: {
      run: { kind: 'idle' },
      runInputs: null,
      logs: new LogHistory(),
      evaluations: [],
      shownEvaluation: null,
      checkpoints: { kept: [], notSaved: null },
      archive: { kind: 'idle' },
    },
    evaluation: { state: 'idle', stale: false, progress: null, error: null },
  };
}

/**
 * @param {AppStore} store
 * @param {RunView} view
 */
export function show(store, { shown, evaluation }) {
  store.update(shown);
  patchStage(store, 'evaluation', evaluation);
}

/**
 * Shows a run that is over, also in the mark of its stage.
 * @param {AppStore} store
 * @param {RunView} view
 */
export function showEnded(store, view) {
  show(store, view);
  const { run } = view.shown;
  const error = run.kind === 'failed' ? run.error : null;
  const state = run.kind === 'done' ? 'done' : error ? 'error' : 'idle';
  patchStage(store, 'training', { state, error, progress: null });
}

/**
 * Whether a run has left a model of its own. Otherwise the worker has the models of before: it drops a run without a
 * finite step, and then also the older one of two models.
 * @param {Models} before
 * @param {Models} after
 * @param {number} steps  of the run, which differ where a run repeats the one before it
 */
export function hasNewModel(before, after, steps) {
  const isUnchanged =
    isSameModel(after.trained, before.trained) &&
    (after.previous === null || isSameModel(after.previous, before.previous));
  return !isUnchanged || steps > 0;
}
