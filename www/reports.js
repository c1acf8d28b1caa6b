// The evaluations of a run, of which the page keeps a bounded number.

/**
 * A report; those of the rows that `validation_size` holds out of the training part are marked.
 * @typedef {import('./protocol.js').EvaluationReport & {part?: 'validation'}} EvaluationReport
 */

/** A run evaluates once an epoch, and may have many epochs. */
const MAX_REPORTS = 500;

/**
 * The key of a report among those of a run: its step, negative for validation rows. Both may be evaluated at the end.
 * @param {Pick<EvaluationReport, 'step'|'part'>} report
 */
export const keyOf = ({ step, part }) => (part === 'validation' ? -step : step);

/**
 * The latest report of the test rows.
 * @template {Pick<EvaluationReport, 'part'>} Report
 * @param {Report[]} reports
 */
export const lastOfTest = (reports) => reports.findLast(({ part }) => part !== 'validation');

/**
 * Adds a report, in the place of one of the same key. When there are too many, every second one is dropped, but never
 * the latest.
 * @param {EvaluationReport[]} reports
 * @param {EvaluationReport} report
 * @returns {EvaluationReport[]}
 */
export function withReport(reports, report) {
  const others = reports.filter((other) => keyOf(other) !== keyOf(report));
  const kept = others.length < MAX_REPORTS ? others : others.filter((_, at) => at % 2 === 0);
  return [...kept, report];
}
