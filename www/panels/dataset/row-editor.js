// The editor of a row: its text and its label. Enter keeps the change, Escape drops it.

import { labelName } from '../../components/labels.js';
import { h, setAttribute } from '../../dom.js';
import { t } from '../../i18n.js';
import { isEnter } from '../../data/keys.js';

/** @typedef {import('./rows.js').Draft} Draft */

/**
 * The row of a table with its fields.
 * @param {import('../../protocol.js').DatasetView|null} dataset
 * @param {Draft} draft
 * @param {import('./rows.js').RowsState} shown
 * @param {import('./rows-table.js').RowsActions} actions
 * @param {HTMLElement} first  the cell with the number
 */
export function editRow(dataset, draft, shown, actions, first) {
  const { row } = draft;
  const before = { ...draft };
  const close = () => {
    shown.draft = null;
    actions.refresh();
  };
  const keep = async () => {
    const text = draft.text.trim();
    if (text === '') return setAttribute(fields.text, 'aria-invalid', 'true');
    const changed = text !== before.text || draft.label !== before.label;
    if (!changed) return close();
    shown.draft = null;
    const edit = /** @type {const} */ ({ op: 'set', row, text, label: draft.label });
    if (await actions.change(edit, t('rows.changed', { row: row + 1 }))) return;
    shown.draft = draft;
    actions.refresh();
  };
  const fields = rowFields(dataset?.labels ?? [], draft, { keep: () => void keep(), close }, String(row));
  return h(
    'tr',
    { class: 'editing' },
    first,
    h('td', {}, fields.text),
    h('td', {}, fields.label),
    h(
      'td',
      { class: 'row-actions' },
      textButton('rows.keep', 'keep-row', () => void keep()),
      textButton('rows.drop', 'drop-row', close),
    ),
  );
}

/**
 * The form of a new row, which stays open for the next one.
 * @param {import('../../app.js').App} app
 * @param {import('./rows-table.js').RowsActions} actions
 * @param {() => void} close
 */
export function newRow({ store }, actions, close) {
  const draft = { row: -1, text: '', label: 0 };
  const add = async () => {
    const text = draft.text.trim();
    if (text === '') return fields.text.focus();
    const { label } = draft;
    Object.assign(draft, { text: '' });
    fields.text.value = '';
    const row = (store.state.dataset?.num_rows ?? 0) + 1;
    if (await actions.change({ op: 'insert', rows: [{ text, label }] }, t('rows.added', { row }))) return;
    Object.assign(draft, { text });
    fields.text.value = text;
  };
  const fields = rowFields(store.state.dataset?.labels ?? [], draft, { keep: () => void add(), close }, 'new');
  const element = h(
    'div',
    { class: 'new-row', 'data-testid': 'new-row' },
    fields.text,
    fields.label,
    textButton('rows.keep_new', 'keep-new-row', () => void add()),
    textButton('rows.drop', 'drop-new-row', close),
  );
  return { element, focus: () => fields.text.focus() };
}

/**
 * @param {string} key
 * @param {string} testId
 * @param {() => void} click
 */
const textButton = (key, testId, click) =>
  h('button', { type: 'button', class: 'quiet', i18n: key, 'data-testid': testId, on: { click } });

/**
 * @param {string[]} labels
 * @param {Draft} draft  what is typed goes there
 * @param {{keep: () => void, close: () => void}} actions
 * @param {string} key   of the row
 */
function rowFields(labels, draft, { keep, close }, key) {
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') close();
    else if (isEnter(event)) keep();
    else return;
    event.preventDefault();
  };
  const text = h(
    'textarea',
    {
      class: 'text-field',
      rows: String(Math.min(6, 1 + Math.floor(draft.text.length / 70))),
      'aria-label': t('dataset.text'),
      'data-key': `text-${key}`,
      'data-testid': 'row-text',
      on: { keydown, input: ({ target }) => (draft.text = target.value) },
    },
    draft.text,
  );
  const label = h(
    'select',
    {
      class: 'text-field',
      'aria-label': t('dataset.label'),
      'data-key': `label-${key}`,
      'data-testid': 'row-label',
      on: { keydown, change: ({ target }) => (draft.label = Number(target.value)) },
    },
    ...labels.map((name, id) => h('option', { value: id, selected: id === draft.label }, labelName(name))),
  );
  return { text, label };
}
