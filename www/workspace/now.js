// Sentences about what the page does now: for the dock, a screen reader, and the title of the window.

import { bytes, duration, number, t, tOr } from '../i18n.js';
import { STAGES } from '../stages.js';
import { runResult, runningRun } from '../state.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../stages.js').Stage} Stage */

/** The stage that runs, if one does. @param {AppState} state */
export const runningStage = ({ stages }) => STAGES.find((stage) => stages[stage].state === 'running');

/** The first stage that has failed. @param {AppState} state */
export const failedStage = ({ stages }) => STAGES.find((stage) => stages[stage].state === 'error');

/**
 * The visible description of the current activity, which may change at every step.
 * @param {AppState} state
 * @returns {string}
 */
export function nowMessage(state) {
  const current = runningStage(state);
  if (runningRun(state) && current !== 'try') return runMessage(state);
  if (current === 'model') return modelMessage(state);
  if (state.importing) return importMessage(state.importing);
  if (current) return t(`now.${current}`);
  if (state.archive.kind === 'writing') return writingMessage(state.archive);
  if (state.comparison.kind === 'running') return t('self_test.comparing');
  if (state.fatal) return '';
  if (!state.opened) return state.openError ? '' : t('now.opening');
  return restMessage(state);
}

/** @param {AppState} state */
function runMessage(state) {
  const run = runningRun(state);
  if (!run) return '';
  const paused = run.state === 'paused' ? `${t('now.paused')} ` : '';
  if (run.evaluating) return paused + t('now.evaluating', run.evaluating);
  if (run.state === 'stopped') return t('now.stopping');
  if (run.step === 0) return t(paused ? 'now.paused_at_start' : 'now.first_step', { max_steps: run.max_steps });
  const at = t('now.step', { step: run.step, max_steps: run.max_steps });
  if (paused) return paused + at;
  return run.eta_ms > 0 ? `${at} · ${t('now.left', { time: duration(run.eta_ms / 1000) })}` : at;
}

/** @param {AppState} state */
function modelMessage({ download, phase }) {
  if (download && download.loaded < download.total)
    return t('now.downloading', { loaded: bytes(download.loaded), total: bytes(download.total) });
  return phase ? tOr(`phase.${phase}`, phase) : t('now.model');
}

/**
 * How much of an archive is written. It is a little larger than its files.
 * @param {{bytes: number, total: number}} writing
 */
export const writingMessage = ({ bytes: written, total }) =>
  t('export.progress', { bytes: bytes(Math.min(written, total)), total: bytes(total) });

/** @param {NonNullable<AppState['importing']>} importing */
export function importMessage({ unit, done, total }) {
  if (unit === 'bytes') return t('import.read_bytes', { done: bytes(done), total: bytes(total) });
  return total > 0 ? t('import.read_rows', { done, total }) : t('import.asking', { done });
}

/** @param {AppState} state */
function restMessage(state) {
  const failed = failedStage(state);
  if (failed) return t('now.failed', { stage: t(`${failed}.title`) });
  const result = runResult(state);
  if (result?.stopped) return t('now.stopped', { step: result.global_step, max_steps: result.max_steps });
  if (result) return t('now.done', { steps: result.global_step, time: duration(result.train_runtime) });
  return t('now.ready');
}

/**
 * The announcement of a screen reader, which changes only when a stage starts, ends or fails.
 * @param {AppState} state
 */
export function announcement(state) {
  if (runningRun(state)?.state === 'paused') return t('now.paused');
  const current = runningStage(state);
  if (current) return t('now.spoken', { stage: t(`${current}.title`) });
  return state.busy ? '' : nowMessage(state);
}

/** The title of the window: the position in a run, or the view. @param {AppState} state */
export function windowTitle(state) {
  const name = t('page.title');
  const run = runningRun(state);
  if (run && run.step > 0) return `${number(run.step)}/${number(run.max_steps)} · ${name}`;
  const current = runningStage(state);
  if (state.busy && current) return `${t(`${current}.title`)} · ${name}`;
  return state.view === 'overview' ? name : `${t(`${state.view}.title`)} · ${name}`;
}
