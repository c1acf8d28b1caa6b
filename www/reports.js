// The evaluations of a run, of which the page keeps a bounded number.

/** @typedef {import('./protocol.js').EvaluationReport} EvaluationReport */

/** A run evaluates once an epoch, and may have many epochs. */
const MAX_REPORTS = 500;

/**
 * Adds a report, in the place of one of the same step. When there are too many, every second one is dropped, but never
 * the latest.
 * @param {EvaluationReport[]} reports
 * @param {EvaluationReport} report
 * @returns {EvaluationReport[]}
 */
export function withReport(reports, report) {
  const others = reports.filter(({ step }) => step !== report.step);
  const kept = others.length < MAX_REPORTS ? others : others.filter((_, at) => at % 2 === 0);
  return [...kept, report];
}
