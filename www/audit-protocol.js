// The messages of the audit, of the baselines and of the recommendation, until protocol.d.ts has them.

/** @typedef {import('./protocol.js').Values} Values */
/**
 * What a DatasetView says about where it is from.
 * @typedef {{source?: string, name?: string, edited?: boolean}} DatasetSource
 */
/** @typedef {import('./protocol.js').DatasetView} DatasetView */
/** @typedef {'error'|'warning'|'note'} Severity */

/**
 * A row that a finding is about. `other` is another row, or a label id where `OTHER_IS_LABEL` of findings.js has the
 * finding's id.
 * @typedef {{row: number, text: string, label: number, other: number|null, value: number|null}} FindingRow
 */

/**
 * @typedef {{kind: 'delete_rows', rows: number[]}
 *   | {kind: 'relabel', rows: [number, number][]}
 *   | {kind: 'merge_labels', from: number[], into: number}
 *   | {kind: 'delete_label', label: number}
 *   | {kind: 'settings', values: Values}} Remedy
 */

/**
 * @typedef {object} Finding
 * @property {string} id
 * @property {Severity} severity
 * @property {number} count
 * @property {number} of
 * @property {FindingRow[]} rows      at most 50
 * @property {Record<string, any>} params
 * @property {Remedy|null} remedy
 */

/** `num_rows` is the number of rows that were looked at. */
/** @typedef {{findings: Finding[], has_split: boolean, has_tokens: boolean, num_rows: number}} AuditView */

/**
 * @typedef {{op: 'delete', rows: number[]}
 *   | {op: 'delete_label', label: number}
 *   | {op: 'merge_labels', from: number[], into: number}
 *   | {op: 'set_many', rows: [number, number][]}} Edit
 */

/** @typedef {{id: string, eval_accuracy: number, macro_f1: number, eval_loss: number, ms: number}} Baseline */
/** @typedef {{baselines: Baseline[], train_rows: number, test_rows: number}} BaselinesView */

/** @typedef {{setting: string, code: string, params: Record<string, any>}} Reason */
/** @typedef {{values: Values, reasons: Reason[], num_steps: number}} RecommendView */

/** @typedef {{best_step: number, best_epoch: number, best_metric: number, restored: boolean}} BestEvaluation */
/** What the result of a run has besides. @typedef {{best?: BestEvaluation|null, stopped_early?: boolean}} BestOfRun */
/** Whose rows an evaluation of a run is of. @typedef {'validation'|'test'} EvaluatedPart */

/**
 * @typedef {{type: 'audit', values: Values}
 *   | {type: 'audit_labels'}
 *   | {type: 'baselines', embeddings: boolean}
 *   | {type: 'recommend', budget_seconds: number|null, seconds_per_unit: number|null}} AuditRequest
 */

/**
 * @typedef {object} AuditResults
 * @property {AuditView} audit
 * @property {AuditView} audit_labels
 * @property {BaselinesView} baselines
 * @property {RecommendView} recommend
 */

/** @typedef {{kind: 'embedding', done: number, total: number}} EmbeddingEvent */

/**
 * `session.request` for these messages.
 * @template {AuditRequest['type']} T
 * @param {Pick<import('./session.js').Session, 'request'>} session
 * @param {Extract<AuditRequest, {type: T}>} body
 * @param {(event: EmbeddingEvent) => void} [onEvent]
 * @returns {Promise<AuditResults[T]>}
 */
export const ask = (session, body, onEvent) => /** @type {any} */ (session).request(body, onEvent);
