// What the visitor chooses about a table that is read, and why it cannot be used yet.

/** @typedef {import('../protocol.js').ImportOptions} ImportOptions */
/** @typedef {import('../protocol.js').ImportView} ImportView */

const MOST_LABELS = 100;

/** Nothing is chosen: all is detected. @type {ImportOptions} */
export const AS_DETECTED = { encoding: null, format: null, delimiter: null, header: null, text: null, label: null };

/**
 * What the visitor should know about a table that was read, as sentences of the i18n files.
 * @param {Pick<ImportView, 'num_malformed'|'hub'>} view
 * @returns {{key: string, params: Record<string, number>}[]}
 */
export function remarks({ num_malformed, hub }) {
  const cells = hub?.truncated_cells ?? 0;
  return [
    ...(num_malformed > 0 ? [{ key: 'import.malformed', params: { count: num_malformed } }] : []),
    ...(cells > 0 ? [{ key: 'import.truncated', params: { count: cells } }] : []),
  ];
}

/** @param {ImportView} view */
export const hasBadRows = ({ num_skipped }) => num_skipped > 0;

/**
 * Why a table cannot be made the dataset, as a sentence of the i18n files, or null. What the worker refuses for another
 * reason has its sentence in `problem`.
 * @param {Pick<import('../state.js').PendingImport, 'view'|'isRead'>} pending
 * @param {{leaveOut: boolean, merge: boolean}} agreed
 * @returns {{key: string, params: Record<string, number>}|null}
 */
export function blocker({ view, isRead }, { leaveOut, merge }) {
  if (!view || !isRead) return { key: 'import.not_read', params: {} };
  if (view.detected.label === null && view.labels.length === 0) return { key: 'import.no_label', params: {} };
  if (view.num_rows === 0) return { key: 'import.no_rows', params: {} };
  const labels = numLabels(view, merge);
  if (labels < 2) return { key: 'import.one_label', params: {} };
  if (labels > MOST_LABELS) return { key: 'import.many_labels', params: { labels, most: MOST_LABELS } };
  if (view.problem !== null) return { key: 'import.problem', params: {} };
  if (hasBadRows(view) && !leaveOut) return { key: 'import.tick', params: { rows: view.num_skipped } };
  return null;
}

/**
 * @param {ImportView} view
 * @param {boolean} merge  whether labels that differ only in their spelling are one
 */
function numLabels({ labels, same_labels }, merge) {
  const merged = merge ? same_labels.reduce((sum, group) => sum + group.length - 1, 0) : 0;
  return labels.length - merged;
}

/**
 * The text columns after one is ticked or cleared, in the order of the table; at least one stays.
 * @param {number[]} columns
 * @param {number} column
 * @param {boolean} ticked
 */
export function withTextColumn(columns, column, ticked) {
  const others = columns.filter((each) => each !== column);
  if (!ticked) return others.length > 0 ? others : columns;
  return [...others, column].sort((a, b) => a - b);
}

/**
 * The choice of a label column. It is no text column, unless it is the only one.
 * @param {number[]} text
 * @param {number} label
 * @returns {Partial<ImportOptions>}
 */
export function withLabelColumn(text, label) {
  return { label, text: withTextColumn(text, label, false) };
}
