// How long a run will take, judged by the last run here, or by the recorded run and the self-test.
//
// Nine jobs on one CPU: the work of a job predicts its CPU time to 10 % from the time of another job. The self-test is
// short and runs while the browser still compiles the module. On a busy computer the estimates from it were 0.4 to 2.4
// times the measured times.

import { recall, remember } from './i18n.js';
import { forwardUnits, recordedUnits, workOf } from './work.js';

/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {import('./protocol.js').DeviceInfo} DeviceInfo */
/** @typedef {import('./recording/recording.js').Recording} Recording */
/** @typedef {import('./work.js').Work} Work */
/** @typedef {{ms: number, basis: 'last_run'|'recording'}} Estimate */
/** @typedef {Work & {key: string, ms: number, first_step_ms: number}} LastRun */

const STORED_AS = 'webtune.last_runs';
/** The most runs that are stored, of different devices, models and versions. */
const MAX_RUNS = 20;
/**
 * On a GPU a small step takes the time of launching its kernels, whatever its tokens are. A run whose steps have more
 * or fewer tokens than this is not judged by the last one.
 */
const MAX_GPU_RATIO = 1.5;

/**
 * What an estimate depends on, beside the state.
 * @typedef {object} Basis
 * @property {import('./protocol.js').Values} values   of the form
 * @property {Recording} recording
 * @property {string} version                          of the crate, as `describe` gives it
 * @property {boolean} [ownFolder]                     the address names another folder than the built-in model's
 */

/**
 * How long the run that would start now will take; null where nothing is known about it.
 * @param {AppState} state
 * @param {Basis} basis
 * @returns {Estimate|null}
 */
export function estimateRun(state, { values, recording, version, ownFolder = false }) {
  const work = workOf(state, values, recording, ownFolder);
  if (!work || !state.opened) return null;
  const { device, self_test } = state.opened;
  const last = storedRuns().find(({ key }) => key === keyOf(state, version, ownFolder));
  const scaled = last ? byLastRun(work, last, device) : null;
  if (scaled !== null) return { ms: scaled, basis: 'last_run' };
  if (device.kind !== 'cpu' || !self_test.passed) return null;
  return { ms: byRecording(work, recording, self_test.ms), basis: 'recording' };
}

/**
 * The seconds of a unit of work on this device; null where nothing is known about it. The time that only the first step
 * takes is shared by all units, so a longer run takes a little less.
 * @param {AppState} state
 * @param {Basis} basis
 */
export function secondsPerUnit(state, basis) {
  const work = workOf(state, basis.values, basis.recording, basis.ownFolder ?? false);
  const estimate = estimateRun(state, basis);
  return work && estimate ? estimate.ms / 1000 / work.units : null;
}

/**
 * How long the encoder takes for one pass over every row; null where it is not known.
 * @param {AppState} state
 * @param {Basis} basis
 */
export function embeddingSeconds(state, basis) {
  const seconds = secondsPerUnit(state, basis);
  const units = forwardUnits(state, basis.values, basis.recording, basis.ownFolder ?? false);
  return seconds === null || units === null ? null : seconds * units;
}

/**
 * Keeps the time of every run that ends by itself, for the next estimate.
 * @param {import('./app.js').App} app
 * @param {Omit<Basis, 'values'>} basis
 */
export function rememberRuns({ store, settings }, { recording, version, ownFolder = false }) {
  /** The work of the run in progress. @type {Work|null} */
  let work = null;
  /** The results until now: a refused run or an exchange of the models shows one again. @type {WeakSet<object>} */
  const seen = new WeakSet();
  store.watch(['run'], (state) => {
    const { run } = state;
    if (run.kind === 'idle' || run.kind === 'failed') {
      work = null;
      return;
    }
    // From the first event of a run, because the form may be changed while it is in progress. A short run has ended
    // at its first event.
    work ??= workOf({ ...state, plan: run.plan }, settings.values(), recording, ownFolder);
    if (run.kind === 'running') return;
    const { result } = run;
    if (!seen.has(result) && !result.stopped && work && result.global_step === work.updates)
      storeRun(keyOf(state, version, ownFolder), work, result);
    seen.add(result);
    work = null;
  });
}

/**
 * @param {Work} work
 * @param {LastRun} last
 * @param {DeviceInfo} device
 * @returns {number|null} milliseconds
 */
export function byLastRun(work, last, { kind }) {
  const ratio = work.tokens_per_update / last.tokens_per_update;
  const similar = work.kind === last.kind && Math.max(ratio, 1 / ratio) <= MAX_GPU_RATIO;
  if (kind !== 'cpu' && !similar) return null;
  return scaled(last, work.units / last.units);
}

/**
 * @param {Work} work
 * @param {Recording} recording
 * @param {number} self_test_ms  of this device
 */
export function byRecording(work, recording, self_test_ms) {
  const { times, logs } = recording;
  const recorded = { ms: times.train_runtime * 1000, first_step_ms: times.first_step_ms, updates: logs.step.length };
  return scaled(recorded, work.units / recordedUnits(recording)) * (self_test_ms / recording.self_test_ms);
}

/**
 * The time of a run with `factor` times the work. What the first step takes longer than the others does not grow.
 * @param {Pick<LastRun, 'ms'|'first_step_ms'|'updates'>} run
 * @param {number} factor
 */
function scaled({ ms, first_step_ms, updates }, factor) {
  const others = updates > 1 ? (ms - first_step_ms) / (updates - 1) : first_step_ms;
  const once = Math.max(0, first_step_ms - others);
  return once + (ms - once) * factor;
}

/**
 * @param {AppState} state
 * @param {string} version
 * @param {boolean} ownFolder
 */
function keyOf({ opened, origin }, version, ownFolder) {
  const model =
    origin.kind === 'hub' ? origin.repo : origin.kind === 'disk' ? `disk ${origin.name}` : siteKey(ownFolder);
  return [version, opened?.device.name ?? '', model].join(' | ');
}

/** @param {boolean} ownFolder */
const siteKey = (ownFolder) => (ownFolder ? 'folder' : 'built-in');

/** @returns {LastRun[]} */
function storedRuns() {
  try {
    const runs = JSON.parse(recall(STORED_AS) ?? '[]');
    return Array.isArray(runs) ? runs.filter(isRun) : [];
  } catch {
    return [];
  }
}

/** @param {any} run  anything that an earlier version may have stored */
const isRun = (run) =>
  typeof run?.key === 'string' &&
  ['units', 'updates', 'tokens_per_update', 'ms', 'first_step_ms'].every((name) => run[name] > 0);

/**
 * @param {string} key
 * @param {Work} work
 * @param {import('./protocol.js').TrainResult} result
 */
function storeRun(key, work, { train_runtime, first_step_ms }) {
  const run = { key, ...work, ms: train_runtime * 1000, first_step_ms };
  const others = storedRuns().filter((other) => other.key !== key);
  remember(STORED_AS, JSON.stringify([run, ...others].slice(0, MAX_RUNS)));
}
