// The columns of the accuracy chart: the accuracy of each evaluation, and each baseline at one level.

/** @typedef {import('../protocol.js').BaselineView} BaselineView */
/** @typedef {import('./columns.js').Column} Column */
/** @typedef {import('../protocol.js').EvaluatedPart} EvaluatedPart */
/** @typedef {import('../reports.js').EvaluationReport} EvaluationReport */

/** The baselines, the simplest first. Each has a line of its own in the chart. */
export const BASELINES = /** @type {const} */ (['majority', 'tfidf', 'embeddings']);

/**
 * @param {number[]} steps  of the other charts, so that all have the same axis
 * @param {Pick<EvaluationReport, 'step'|'eval_accuracy'|'part'>[]} evaluations
 * @param {BaselineView[]} baselines
 * @returns {Column[]} the steps, the accuracy on test rows and on validation rows, and a level for each of BASELINES
 */
export function accuracyColumns(steps, evaluations, baselines) {
  // An untrained model is evaluated at step 0, which no chart has.
  const shown = evaluations.filter(({ step }) => step > 0);
  const ends = [steps[0] ?? 0, steps.at(-1) ?? 1];
  const xs = [...new Set([...ends, ...shown.map(({ step }) => step)])].sort((a, b) => a - b);
  const accuracy = (/** @type {EvaluatedPart} */ wanted) => {
    const byStep = new Map(shown.filter(({ part }) => part === wanted).map((each) => [each.step, each.eval_accuracy]));
    return xs.map((step) => byStep.get(step) ?? null);
  };
  const levels = BASELINES.map((id) => {
    const level = baselines.find((baseline) => baseline.id === id)?.eval_accuracy ?? null;
    return xs.map(() => level);
  });
  return [xs, accuracy('test'), accuracy('validation'), ...levels];
}

/**
 * The range of the accuracy axis. It does not begin at 0, so that a model and a baseline of nearly the same accuracy
 * can be told apart.
 * @param {number|null} low
 * @returns {[number, number]}
 */
export function accuracyRange(low) {
  const bottom = low === null || !Number.isFinite(low) ? 0 : Math.floor((low - 0.05) * 10) / 10;
  return [Math.max(0, bottom), 1.02];
}
