// Training and evaluation: requests to the worker, and what their events change in the store.

import { LogHistory } from './log-history.js';
import { withReport } from './reports.js';
import { RequestError, asShown } from './session.js';
import { patchRun, patchStage, runningRun } from './state.js';
import { bytes, t } from './i18n.js';

/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./state.js').Store<import('./state.js').AppState>} AppStore */

/**
 * Trains with the store's plan, which must be that of `values`.
 * @param {Session} session
 * @param {AppStore} store
 * @param {import('./protocol.js').Values} values
 * @param {boolean} paused  whether to wait before the first step
 */
export async function train(session, store, values, paused) {
  refuseShortage(store.state.plan);
  const { run, logs, evaluations, shownEvaluation, archive, stages } = store.state;
  start(store, paused);
  try {
    const onEvent = (/** @type {ProgressEvent} */ event) => onTrainingEvent(store, event);
    const result = await session.request({ type: 'train', values, paused }, onEvent);
    finish(store, result);
  } catch (error) {
    if (runningRun(store.state)?.step === 0) {
      store.update({ run, logs, evaluations, shownEvaluation, archive });
      patchStage(store, 'evaluation', stages.evaluation);
    } else fail(store, error);
    throw error;
  }
}

/**
 * Evaluates the model as it is now, trained or not.
 * @param {Session} session
 * @param {AppStore} store
 */
export async function evaluate(session, store) {
  const report = await session.request({ type: 'evaluate' }, (event) => onTrainingEvent(store, event));
  store.update({ evaluations: withReport(store.state.evaluations, report), shownEvaluation: null });
}

/**
 * Refuses a run that does not fit into the device's memory, as the worker would.
 * @param {import('./protocol.js').PlanView|null} plan
 */
function refuseShortage(plan) {
  const shortage = plan?.memory?.shortage;
  if (!shortage) return;
  const message = t(`memory.shortage_${shortage.kind}`, {
    needs: bytes(shortage.needs),
    offered: bytes(shortage.offered),
  });
  throw new RequestError({ code: 'memory', message, field: null });
}

/**
 * @param {AppStore} store
 * @param {boolean} paused
 */
function start(store, paused) {
  const { plan } = store.state;
  store.update({
    run: {
      kind: 'running',
      plan,
      state: paused ? 'paused' : 'running',
      step: 0,
      max_steps: plan?.max_steps ?? 0,
      epoch: 0,
      tokens_per_second: 0,
      step_ms: 0,
      eta_ms: 0,
      evaluating: null,
    },
    logs: new LogHistory(),
    evaluations: [],
    shownEvaluation: null,
    archive: { kind: 'idle' },
  });
  patchStage(store, 'evaluation', { state: 'idle', error: null, stale: false });
}

/**
 * @param {AppStore} store
 * @param {import('./protocol.js').TrainResult} result
 */
function finish(store, result) {
  const { evaluations: reported } = store.state;
  // An event has usually reported the last evaluation already.
  const evaluations = result.evaluation ? withReport(reported, result.evaluation) : reported;
  const run = runningRun(store.state);
  store.update({
    run: { kind: 'done', plan: run?.plan ?? null, tokens_per_second: run?.tokens_per_second ?? 0, result },
    evaluations,
  });
  if (evaluations.length > 0) patchStage(store, 'evaluation', { state: 'done', progress: null });
}

/**
 * @param {AppStore} store
 * @param {unknown} error
 */
function fail(store, error) {
  const run = runningRun(store.state);
  if (!run) return;
  const { plan, step, max_steps, tokens_per_second } = run;
  store.update({ run: { kind: 'failed', plan, error: asShown(error), step, max_steps, tokens_per_second } });
  if (store.state.stages.evaluation.state === 'running')
    patchStage(store, 'evaluation', { state: 'idle', progress: null });
}

/**
 * @param {AppStore} store
 * @param {ProgressEvent} event
 */
function onTrainingEvent(store, event) {
  const { logs, evaluations } = store.state;
  switch (event.kind) {
    case 'run':
      return patchRun(store, { state: event.state });
    case 'step': {
      const { step, max_steps, epoch, tokens_per_second, step_ms, eta_ms } = event;
      patchRun(store, { step, max_steps, epoch, tokens_per_second, step_ms, eta_ms, evaluating: null });
      patchStage(store, 'training', { progress: max_steps > 0 ? step / max_steps : null });
      // Added in place, because copying the logs at every step takes quadratic time.
      logs.add(event.logs);
      return store.update({ logs });
    }
    case 'evaluating': {
      const { done, total } = event;
      patchRun(store, { evaluating: { done, total } });
      return patchStage(store, 'evaluation', { state: 'running', progress: total > 0 ? done / total : null });
    }
    case 'evaluation':
      patchRun(store, { evaluating: null });
      store.update({ evaluations: withReport(evaluations, event.report) });
      // The stage is done when the run is, because more evaluations may follow.
      return patchStage(store, 'evaluation', { state: 'running', progress: null });
    default:
  }
}
