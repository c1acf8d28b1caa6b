// Continues a run by itself whose device or worker has failed: it starts a new worker, opens the device again, or the
// CPU where it does not come back, and resumes the run from its last saved state.

/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {import('./protocol.js').WorkerError} WorkerError */
/** @typedef {'webgpu'|'cpu'|null} DeviceName  null is the one that the visitor has chosen */

/** Errors after which the worker is replaced. */
const FAILURES = ['fatal', 'device'];
/** Failures in a row without an update between them, after which the run stays interrupted. */
const MOST_FAILURES = 4;

/**
 * A run whose device or worker has failed.
 * @typedef {object} Failure
 * @property {number} run
 * @property {number} step      updates done
 * @property {boolean} paused   whether it waited for the visitor
 * @property {WorkerError} error
 */

/**
 * @typedef {object} Parts
 * @property {import('./state.js').Store<AppState>} store
 * @property {(device: DeviceName) => Promise<void>} reopen   starts a new worker and opens a device
 * @property {(run: number, paused: boolean) => Promise<boolean>} resume  whether the run ended without an error
 */

/**
 * Continues the run that has just failed, if its state is stored. A device that fails twice at the same step is
 * replaced by the CPU.
 * @param {Parts} parts
 * @returns {Promise<boolean>} whether the run ended without an error
 */
export async function recover({ store, reopen, resume }) {
  let failures = 0;
  let lastStep = -1;
  for (;;) {
    const failure = failureOf(store.state);
    if (!failure) return false;
    failures = failure.step > lastStep ? 1 : failures + 1;
    lastStep = Math.max(lastStep, failure.step);
    if (failures > MOST_FAILURES) return false;
    store.update({ recovered: { ...failure, from: null } });
    if (!(await reopened(reopen, failures < 2 ? null : 'cpu'))) return false;
    if (await resume(failure.run, failure.paused)) return true;
  }
}

/**
 * @param {Parts['reopen']} reopen
 * @param {DeviceName} device
 */
async function reopened(reopen, device) {
  for (const each of device === null ? [device, /** @type {const} */ ('cpu')] : [device]) {
    try {
      await reopen(each);
      return true;
    } catch {
      // The next one may open; after the last one, the page shows why it does not.
    }
  }
  return false;
}

/**
 * The run that has failed with its device or worker; null for any other outcome.
 * @param {AppState} state
 * @returns {Failure|null}
 */
export function failureOf({ stages, run, saved }) {
  const { error } = stages.training;
  if (!error || !saved || !FAILURES.includes(error.code)) return null;
  if (run.kind !== 'failed') return { run: saved.run, step: saved.step, paused: false, error };
  return { run: saved.run, step: run.step, paused: run.paused, error };
}
