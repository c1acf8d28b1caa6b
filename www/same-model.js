// Compares the trained models that the worker reports.

/** @typedef {import('./protocol.js').TrainedState} TrainedState */

/**
 * @param {TrainedState|null|undefined} a
 * @param {TrainedState|null|undefined} b
 */
export function isSameModel(a, b) {
  if (!a || !b) return !a && !b;
  return a.seed === b.seed && a.global_step === b.global_step && a.max_steps === b.max_steps && a.epoch === b.epoch;
}
