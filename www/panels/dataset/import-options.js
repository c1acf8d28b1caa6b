// What was detected about a table. Each choice can be changed, and the table is then read again.

import { h } from '../../dom.js';
import { t } from '../../i18n.js';
import { withLabelColumn, withTextColumn } from '../../data/import-choice.js';

/** @typedef {Partial<import('../../protocol.js').ImportOptions>} Choice */
/** @typedef {import('../../protocol.js').Detected} Detected */

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

/** With another delimiter the table has other columns. */
const OTHER_COLUMNS = { text: null, label: null };

/**
 * @param {import('../../app.js').App} app
 * @param {import('../../state.js').PendingImport} pending
 */
export function importOptions({ workflow }, pending) {
  const { input, view } = pending;
  const readAgain = (/** @type {Choice} */ choice) => void workflow.data.readAgain(choice);
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
 * @param {(choice: Choice) => void} choose
 */
function fileFields({ options, view }, choose) {
  const format = options.format ?? view?.detected.format ?? null;
  const encoding = options.encoding ?? view?.detected.encoding ?? null;
  const delimiter = options.delimiter ?? view?.detected.delimiter ?? null;
  const header = options.header ?? view?.detected.header ?? null;
  const isTable = format === null || format === 'csv' || format === 'tsv';
  const encodings = ENCODINGS.map(([value, text]) => ({ value, text }));
  const formats = FORMATS.map(([value, text]) => ({ value, text }));
  const delimiters = DELIMITERS.map(([value, key]) => ({ value, text: t(key) }));
  const headers = [
    { value: 'true', text: t('import.header_yes') },
    { value: 'false', text: t('import.header_no') },
  ];
  return [
    select('encoding', encoding, encodings, (value) => choose({ encoding: value })),
    select('format', format, formats, (value) => choose(withFormat(value))),
    isTable && select('delimiter', delimiter, delimiters, (value) => choose({ ...OTHER_COLUMNS, delimiter: value })),
    isTable &&
      select('header', header === null ? null : String(header), headers, (value) =>
        choose({ header: value === 'true' }),
      ),
  ];
}

/**
 * @param {import('../../protocol.js').TableFormat} format
 * @returns {Choice}
 */
const withFormat = (format) => ({
  ...OTHER_COLUMNS,
  format,
  delimiter: null,
  header: null,
});

/**
 * @param {Detected} detected
 * @param {(choice: Choice) => void} choose
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
  // Without a list of them there is nothing to choose from.
  if (input.kind !== 'hub' || !view?.hub || view.hub.configs.length === 0) return [];
  const { configs, config: used, split: usedSplit } = view.hub;
  const current = configs.find(({ config }) => config === used);
  const named = configs.map(({ config }) => ({ value: config, text: config }));
  const splits = (current?.splits ?? []).map((split) => ({ value: split, text: split }));
  return [
    select('config', used, named, (config) => read({ ...input, config, split: null })),
    select('split', usedSplit, splits, (split) => read({ ...input, config: used, split })),
  ];
}

/**
 * @template {string} V
 * @param {string} name
 * @param {V|null} value  null: not known
 * @param {{value: V, text: string}[]} options
 * @param {(value: V) => void} choose
 */
function select(name, value, options, choose) {
  const id = `import-${name}`;
  const unknown = options.some((option) => option.value === value)
    ? []
    : [{ value: '', text: t(name === 'label' ? 'import.choose' : 'import.detect') }];
  const chosen = () => {
    const option = options.find((each) => each.value === control.value);
    if (option) choose(option.value);
  };
  const control = h(
    'select',
    { id, class: 'text-field', 'data-key': id, 'data-testid': id, on: { change: chosen } },
    ...[...unknown, ...options].map((option) =>
      h('option', { value: option.value, selected: option.value === (value ?? '') }, option.text),
    ),
  );
  return h('div', { class: 'line-field' }, h('label', { for: id }, t(`import.option_${name}`)), control);
}
