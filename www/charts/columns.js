// The columns of the training charts. Their length does not grow with the number of steps.

import { ofEpochs } from '../reports.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {(number|null)[]} Column */

/**
 * The logs, evaluations and planned learning rates by step. The plan is the form's before the first run, then that of
 * the latest run.
 * @param {Pick<AppState, 'logs'|'plan'|'evaluations'|'run'>} state
 */
export function chartColumns({ logs, plan, evaluations, run }) {
  const planned = (run.kind === 'idle' ? plan : run.plan)?.schedule.points ?? [];
  const points = logs.points();
  const byStep = new Map(points.map((log) => [log.step, log]));
  const evaluated = new Map(ofEpochs(evaluations).map(({ step, eval_loss }) => [step, eval_loss]));
  const last = points.at(-1)?.step ?? 0;
  const ahead = planned.map(([step]) => step).filter((step) => step > last);
  const steps = [...new Set([...byStep.keys(), ...evaluated.keys(), ...ahead])].sort((a, b) => a - b);
  const column = (/** @type {(step: number) => number|null|undefined} */ value) =>
    steps.map((step) => value(step) ?? null);
  return {
    steps,
    loss: [steps, column((step) => byStep.get(step)?.loss), column((step) => evaluated.get(step))],
    rate: [steps, column((step) => byStep.get(step)?.learning_rate), plannedRates(planned, steps)],
    norm: [steps, column((step) => finite(byStep.get(step)?.grad_norm))],
  };
}

/**
 * The planned learning rate at each step, interpolated between the points of the schedule.
 * @param {[number, number][]} planned
 * @param {number[]} steps  in ascending order, as the points
 * @returns {Column}
 */
export function plannedRates(planned, steps) {
  let at = 0;
  return steps.map((step) => {
    while (at + 1 < planned.length && (planned[at + 1]?.[0] ?? Infinity) <= step) at += 1;
    const [from, to] = [planned[at], planned[at + 1]];
    if (!from || step < from[0]) return null;
    if (!to) return step === from[0] ? from[1] : null;
    return from[1] + ((to[1] - from[1]) * (step - from[0])) / (to[0] - from[0]);
  });
}

/** The gradient norm is not finite where fp16 skipped the update. @param {number|undefined} value */
const finite = (value) => (Number.isFinite(value) ? value : null);
