// The messages about the visitor's own data, until the generated protocol.d.ts has them.
//
// `request` is the only place that casts: a caller gets the checked type of its answer.

/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./protocol.js').VisitorFile} DataFile  a file of the visitor's disk */
/** @typedef {'utf-8'|'utf-16le'|'utf-16be'|'cp949'|'windows-1252'} TextEncoding */
/** @typedef {'csv'|'tsv'|'jsonl'|'json'} TableFormat */

/**
 * What the visitor chose about a table. What is missing is detected.
 * @typedef {object} ImportOptions
 * @property {TextEncoding} [encoding]
 * @property {TableFormat} [format]
 * @property {string} [delimiter]
 * @property {boolean} [header]
 * @property {number[]} [text]   columns whose cells are joined to the text, by position
 * @property {number} [label]    column
 */

/**
 * What was used.
 * @typedef {object} Detected
 * @property {TextEncoding} encoding
 * @property {TableFormat} format
 * @property {string|null} delimiter
 * @property {boolean} header
 * @property {string[]} columns
 * @property {number[]} text
 * @property {number|null} label  null: no column repeats its values
 */

/**
 * @typedef {{kind: 'ragged', found: number, expected: number}
 *   | {kind: 'empty_text'|'empty_label'|'unclosed_quote'|'not_json'}} SkipReason
 */
/** @typedef {{line: number, reason: SkipReason, excerpt: string}} SkippedRow */

/**
 * @typedef {object} ImportView
 * @property {string} name
 * @property {Detected} detected
 * @property {string[][]} preview       the first records, as written
 * @property {number} num_rows
 * @property {{name: string, count: number}[]} labels
 * @property {SkippedRow[]} skipped     the first ones
 * @property {number} num_skipped
 * @property {number[][]} same_labels   labels that differ only in blanks, case or number format
 * @property {number} bytes
 * @property {{configs: {config: string, splits: string[]}[], num_rows_total: number}} [hub]
 */

/**
 * A change of the rows or of the labels.
 * @typedef {{op: 'set', row: number, text?: string, label?: number}
 *   | {op: 'set_many', rows: [number, number][]}
 *   | {op: 'insert', rows: import('./protocol.js').Row[]}
 *   | {op: 'delete', rows: number[]}
 *   | {op: 'add_label', name: string}
 *   | {op: 'rename_label', label: number, name: string}
 *   | {op: 'delete_label', label: number}
 *   | {op: 'merge_labels', from: number[], into: number}} Edit
 */

/** @typedef {'article'|'reviews'|'import'|'hub'|'cards'|'rows'} SourceName */

/**
 * @typedef {import('./protocol.js').DatasetView & {
 *   source?: SourceName,
 *   name?: string,
 *   edited?: boolean,
 *   can_undo?: boolean,
 *   can_redo?: boolean,
 * }} DataView
 */

/** @typedef {{row: number, text: string, label: number}} FoundRow  `row` is its index in the dataset */
/** @typedef {{rows: FoundRow[], num_matching: number}} FoundRows */
/** @typedef {{offset: number, count: number, query?: string, label?: number}} RowsWanted */
/** @typedef {'csv'|'jsonl'} DownloadFormat */

/**
 * @typedef {{type: 'import_files', name: string, files: DataFile[], options: ImportOptions}
 *   | {type: 'import_hub', endpoint: string, dataset: string, config: string|null, split: string|null,
 *      max_rows: number, options: ImportOptions}
 *   | {type: 'use_import', skip_bad_rows: boolean, merge_labels: boolean}
 *   | {type: 'new_dataset', labels: string[]}
 *   | {type: 'edit', edit: Edit}
 *   | {type: 'undo'}
 *   | {type: 'redo'}
 *   | {type: 'download_dataset', format: DownloadFormat}
 *   | ({type: 'dataset_rows'} & RowsWanted)} DataRequest
 */

/**
 * @typedef {object} DataResults
 * @property {ImportView} import_files
 * @property {ImportView} import_hub
 * @property {DataView} use_import
 * @property {DataView} new_dataset
 * @property {DataView} edit
 * @property {DataView} undo
 * @property {DataView} redo
 * @property {{file: string, bytes: number}} download_dataset
 * @property {{offset: number, rows: FoundRow[], num_matching: number}} dataset_rows
 */

/** `importing` counts bytes, `importing_rows` rows. @typedef {'importing'|'importing_rows'} ImportingKind */
/**
 * @typedef {{kind: ImportingKind, done: number, total: number}
 *   | {kind: 'piece', bytes: Uint8Array<ArrayBuffer>}} DataEvent
 */

/**
 * @template {DataRequest['type']} T
 * @param {Pick<Session, 'request'>} session
 * @param {Extract<DataRequest, {type: T}>} body
 * @param {(event: DataEvent) => void} [onEvent]
 * @returns {Promise<DataResults[T]>}
 */
export function request(session, body, onEvent) {
  return /** @type {Promise<any>} */ (session.request(/** @type {any} */ (body), /** @type {any} */ (onEvent)));
}

/**
 * The rows of the dataset, or those that match.
 * @param {Pick<Session, 'request'>} session
 * @param {RowsWanted} wanted
 * @returns {Promise<FoundRows>}
 */
export async function findRows(session, wanted) {
  const { rows, num_matching } = await request(session, { type: 'dataset_rows', ...wanted });
  return { rows, num_matching };
}

/** The dataset with what its view says about where it is from. @param {import('./state.js').AppState} state */
export const dataView = ({ dataset }) => /** @type {DataView|null} */ (dataset);
