// What was detected about a table. Each choice can be changed, and the table is then read again.

import { h } from '../../dom.js';
import { t } from '../../i18n.js';
import { withLabelColumn, withTextColumn } from '../../data/import-choice.js';

/** @typedef {import('../../data-protocol.js').ImportOptions} ImportOptions */
/** @typedef {import('../../data-protocol.js').Detected} Detected */
/** @typedef {{value: string, text: string}} Option */

const ENCODINGS = /** @type {const} */ ([
  ['utf-8', 'UTF-8'],
  ['utf-16le', 'UTF-16 LE'],
  ['utf-16be', 'UTF-16 BE'],
  ['cp949', 'CP949 (EUC-KR)'],
  ['windows-1252', 'Windows-1252'],
]);
const FORMATS = /** @type {const} */ ([
  ['csv', 'CSV'],
  ['tsv', 'TSV'],
  ['jsonl', 'JSON Lines'],
  ['json', 'JSON'],
]);
const DELIMITERS = /** @type {const} */ ([
  [',', 'import.comma'],
  [';', 'import.semicolon'],
  ['\t', 'import.tab'],
  ['|', 'import.bar'],
]);

/** With another delimiter the table has other columns. @type {ImportOptions} */
const OTHER_COLUMNS = { text: undefined, label: undefined };

/**
 * @param {import('../../app.js').App} app
 * @param {import('../../state.js').PendingImport} pending
 */
export function importOptions({ workflow }, pending) {
  const { input, view } = pending;
  const readAgain = (/** @type {ImportOptions} */ choice) => void workflow.data.readAgain(choice);
  const isFolder = input.kind === 'files' && input.files.length > 1;
  const fields = [
    ...(input.kind === 'hub' ? hubFields(pending, (next) => void workflow.data.read(next)) : []),
    ...(input.kind === 'files' && !isFolder ? fileFields(pending, readAgain) : []),
    ...(view && !isFolder ? columnFields(view.detected, readAgain) : []),
  ];
  if (fields.length === 0) return null;
  return h('div', { class: 'import-options' }, ...fields);
}

/**
 * @param {import('../../state.js').PendingImport} pending
 * @param {(choice: ImportOptions) => void} choose
 */
function fileFields({ options, view }, choose) {
  const used = { ...view?.detected, ...options };
  const format = used.format ?? null;
  const isTable = format === null || format === 'csv' || format === 'tsv';
  const encodings = ENCODINGS.map(([value, text]) => ({ value, text }));
  const formats = FORMATS.map(([value, text]) => ({ value, text }));
  const delimiters = DELIMITERS.map(([value, key]) => ({ value, text: t(key) }));
  const headers = [
    { value: 'true', text: t('import.header_yes') },
    { value: 'false', text: t('import.header_no') },
  ];
  const header = used.header === undefined ? null : String(used.header);
  return [
    select('encoding', used.encoding ?? null, encodings, (value) => choose({ encoding: /** @type {any} */ (value) })),
    select('format', format, formats, (value) => choose(withFormat(value))),
    isTable &&
      select('delimiter', used.delimiter ?? null, delimiters, (delimiter) => choose({ ...OTHER_COLUMNS, delimiter })),
    isTable && select('header', header, headers, (value) => choose({ header: value === 'true' })),
  ];
}

/**
 * @param {string} format
 * @returns {ImportOptions}
 */
const withFormat = (format) => ({
  ...OTHER_COLUMNS,
  format: /** @type {any} */ (format),
  delimiter: undefined,
  header: undefined,
});

/**
 * @param {Detected} detected
 * @param {(choice: ImportOptions) => void} choose
 */
function columnFields({ columns, text, label }, choose) {
  const options = columns.map((name, column) => ({ value: String(column), text: columnName(name, column) }));
  return [
    h(
      'fieldset',
      { class: 'text-columns' },
      h('legend', {}, t('import.text_columns')),
      ...options.map((option, column) =>
        h(
          'label',
          {},
          h('input', {
            type: 'checkbox',
            checked: text.includes(column),
            'data-key': `text-${column}`,
            'data-testid': `text-column-${column}`,
            on: {
              change: ({ target }) => {
                const next = withTextColumn(text, column, target.checked);
                target.checked = next.includes(column);
                if (next.join() !== text.join()) choose({ text: next });
              },
            },
          }),
          option.text,
        ),
      ),
    ),
    select('label', label === null ? null : String(label), options, (value) =>
      choose(withLabelColumn(text, Number(value))),
    ),
  ];
}

/**
 * @param {string} name
 * @param {number} column
 */
const columnName = (name, column) => name.trim() || t('import.column', { number: column + 1 });

/**
 * The subset and the split of a dataset of the Hub.
 * @param {import('../../state.js').PendingImport} pending
 * @param {(input: import('../../state.js').ImportInput) => void} read
 */
function hubFields({ input, view }, read) {
  if (input.kind !== 'hub' || !view?.hub) return [];
  const { configs } = view.hub;
  const current = configs.find(({ config }) => config === input.config) ?? configs[0];
  const named = configs.map(({ config }) => ({ value: config, text: config }));
  const splits = (current?.splits ?? []).map((split) => ({ value: split, text: split }));
  return [
    select('config', current?.config ?? null, named, (config) => read({ ...input, config, split: null })),
    select('split', input.split ?? splits[0]?.value ?? null, splits, (split) =>
      read({ ...input, config: current?.config ?? null, split }),
    ),
  ];
}

/**
 * @param {string} name
 * @param {string|null} value  null: not known
 * @param {Option[]} options
 * @param {(value: string) => void} choose
 */
function select(name, value, options, choose) {
  const id = `import-${name}`;
  const unknown = options.some((option) => option.value === value)
    ? []
    : [{ value: '', text: t(name === 'label' ? 'import.choose' : 'import.detect') }];
  const control = h(
    'select',
    { id, class: 'text-field', 'data-key': id, 'data-testid': id, on: { change: () => choose(control.value) } },
    ...[...unknown, ...options].map((option) =>
      h('option', { value: option.value, selected: option.value === (value ?? '') }, option.text),
    ),
  );
  return h('div', { class: 'line-field' }, h('label', { for: id }, t(`import.option_${name}`)), control);
}
