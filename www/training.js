// Training and evaluation: requests to the worker, and what their events change in the store.

import { withReport } from './reports.js';
import { RequestError, asShown } from './session.js';
import { emptyView, hasNewModel, show, showEnded, viewOf } from './run-view.js';
import { patchRun, patchStage, runningRun } from './state.js';
import { bytes, t } from './i18n.js';

/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {import('./state.js').Store<import('./state.js').AppState>} AppStore */

/**
 * Trains, or continues an interrupted run, with the store's plan, which must be that of its settings. While the worker
 * keeps the model that was trained before, the page keeps what it shows of that run.
 * @param {Session} session
 * @param {AppStore} store
 * @param {Extract<import('./protocol.js').RequestBody, {type: 'train'|'resume'}>} body
 * @param {string} inputs  the settings as text
 */
export async function train(session, store, body, inputs) {
  refuseShortage(store.state.plan);
  const { trained, previous, previousView, exchanged } = store.state;
  const before = viewOf(store.state);
  start(store, body.paused, inputs);
  const isKept = (/** @type {number} */ steps) => hasNewModel({ trained, previous }, store.state, steps);
  // Only now, because the state of an earlier request may arrive during the run.
  const keep = (/** @type {Pick<AppState, 'previousView'|'exchanged'>} */ views) =>
    store.update(store.state.previous ? views : { previousView: null, exchanged: false });
  const keepBefore = () => keep({ previousView: trained ? before : previousView, exchanged: false });
  const restore = () => {
    show(store, before);
    keep({ previousView, exchanged });
  };
  try {
    const onEvent = (/** @type {ProgressEvent} */ event) => onTrainingEvent(store, event);
    const result = await session.request(body, onEvent);
    // A run that is stopped before its first step has no model.
    if (trained && !isKept(result.global_step)) return restore();
    finish(store, result);
    keepBefore();
  } catch (error) {
    if (isKept(runningRun(store.state)?.step ?? 0)) {
      fail(store, error);
      keepBefore();
    } else restore();
    throw error;
  }
}

/**
 * Exchanges the trained model and the other one that the worker keeps, with what the page shows of their runs.
 * @param {Session} session
 * @param {AppStore} store
 */
export async function restorePrevious(session, store) {
  const { previousView, exchanged } = store.state;
  const current = viewOf(store.state);
  await session.request({ type: 'restore_previous' });
  showEnded(store, previousView ?? emptyView());
  if (store.state.previous) store.update({ previousView: current, exchanged: !exchanged });
}

/**
 * Frees a trained model, and removes what the page shows of its run.
 * @param {Session} session
 * @param {AppStore} store
 * @param {import('./protocol.js').KeptModel} model
 */
export async function discard(session, store, model) {
  await session.request({ type: 'discard', model });
  if (model === 'trained') {
    showEnded(store, emptyView());
    store.update({ prediction: null });
  } else store.update({ previousView: null, exchanged: false });
  // A run that was refused because of that model may be started again.
  if (store.state.stages.training.error?.code === 'memory_kept')
    patchStage(store, 'training', { state: 'idle', error: null });
}

/**
 * Evaluates the model as it is now, trained or not.
 * @param {Session} session
 * @param {AppStore} store
 */
export async function evaluate(session, store) {
  const report = await session.request({ type: 'evaluate' }, (event) => onTrainingEvent(store, event));
  store.update({
    evaluations: withReport(store.state.evaluations, { ...report, part: 'test' }),
    shownEvaluation: null,
  });
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
  const code = shortage.kind === 'kept' ? 'memory_kept' : 'memory';
  throw new RequestError({ code, message, field: null });
}

/**
 * @param {AppStore} store
 * @param {boolean} paused
 * @param {string} runInputs
 */
function start(store, paused, runInputs) {
  const { plan } = store.state;
  show(store, emptyView());
  store.update({
    saved: null,
    stateNotSaved: null,
    runInputs,
    run: {
      kind: 'running',
      plan,
      state: paused ? 'paused' : 'running',
      byHand: paused,
      step: 0,
      max_steps: plan?.max_steps ?? 0,
      epoch: 0,
      tokens_per_second: 0,
      step_ms: 0,
      eta_ms: 0,
      evaluating: null,
    },
  });
}

/**
 * @param {AppStore} store
 * @param {import('./protocol.js').TrainResult} result
 */
function finish(store, result) {
  const { evaluations: reported } = store.state;
  // An event has usually reported the last evaluation already.
  const { evaluation } = result;
  const evaluations = evaluation ? withReport(reported, { ...evaluation, part: 'test' }) : reported;
  const run = runningRun(store.state);
  store.update({
    saved: null,
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
  const { plan, byHand: paused, step, max_steps, tokens_per_second } = run;
  store.update({ run: { kind: 'failed', plan, error: asShown(error), paused, step, max_steps, tokens_per_second } });
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
    case 'evaluation': {
      patchRun(store, { evaluating: null });
      const { report, part } = event;
      store.update({ evaluations: withReport(evaluations, { ...report, part }) });
      // The stage is done when the run is, because more evaluations may follow.
      return patchStage(store, 'evaluation', { state: 'running', progress: null });
    }
    case 'resumed': {
      const { run, step, max_steps, epoch, bytes: size, evaluations: reported } = event;
      patchRun(store, { step, max_steps, epoch });
      patchStage(store, 'training', { progress: max_steps > 0 ? step / max_steps : null });
      logs.add(event.logs);
      const { recovered } = store.state;
      return store.update({
        logs,
        saved: { run, step, bytes: size, seconds: 0 },
        evaluations: reported.map(({ report, part }) => ({ ...report, part })),
        recovered: recovered && { ...recovered, from: step },
      });
    }
    case 'state_saved': {
      const { run, step, bytes: size, seconds } = event;
      return store.update({ saved: { run, step, bytes: size, seconds }, stateNotSaved: null });
    }
    case 'state_not_saved': {
      const { step, reason } = event;
      return store.update({ stateNotSaved: { step, reason } });
    }
    case 'saved':
      return store.update({ checkpoints: { kept: event.kept, notSaved: null } });
    case 'not_saved': {
      const { step, reason } = event;
      return store.update({ checkpoints: { ...store.state.checkpoints, notSaved: { step, reason } } });
    }
    default:
  }
}
