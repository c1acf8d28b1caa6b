// The simplest classifier to compare a model with: it always predicts the most frequent class.

/**
 * The most frequent class of the test rows, where the model is no better than always predicting it; else null. A test
 * part of a single class says nothing, and has a warning of its own.
 * @param {Pick<import('./protocol.js').EvaluationReport, 'confusion'|'eval_accuracy'>} report
 * @returns {{label: number, share: number}|null}
 */
export function majorityNotBeaten({ confusion, eval_accuracy }) {
  const counts = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const most = Math.max(0, ...counts);
  if (most === rows) return null;
  const share = most / rows;
  return eval_accuracy <= share ? { label: counts.indexOf(most), share } : null;
}
