// The evaluations of a run, of which the page keeps a bounded number.

/** @typedef {import('./protocol.js').EvaluatedPart} EvaluatedPart */

/**
 * A report and the rows that it is of.
 * @typedef {import('./protocol.js').EvaluationReport & {part: EvaluatedPart}} EvaluationReport
 */

/** A run evaluates once an epoch, and may have many epochs. */
const MAX_REPORTS = 500;

/**
 * The key of a report among those of a run. At the last step both parts may be evaluated.
 * @param {Pick<EvaluationReport, 'step'|'part'>} report
 */
export const keyOf = ({ step, part }) => `${part} ${step}`;

/**
 * The latest report of the test rows.
 * @template {Pick<EvaluationReport, 'part'>} Report
 * @param {Report[]} reports
 */
export const lastOfTest = (reports) => reports.findLast(({ part }) => part === 'test');

/** Whether some reports are of validation rows. @param {Pick<EvaluationReport, 'part'>[]} reports */
export const hasValidation = (reports) => reports.some(({ part }) => part === 'validation');

/**
 * The reports of the epochs: of the validation rows, where a run has them. One of the test rows at the end is then no
 * later value of the same quantity.
 * @template {Pick<EvaluationReport, 'step'|'part'>} Report
 * @param {Report[]} reports
 */
export function ofEpochs(reports) {
  const part = hasValidation(reports) ? 'validation' : 'test';
  // An untrained model is evaluated at step 0.
  return reports.filter((report) => report.part === part && report.step > 0);
}

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
