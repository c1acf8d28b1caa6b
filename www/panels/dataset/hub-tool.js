// Brings rows of a dataset of the Hub, by its name.

import { h, setAttribute, setOff, setText } from '../../dom.js';
import { number, t } from '../../i18n.js';
import { isBlocked } from '../../state.js';

/** Enough for a first run, and read in a few seconds. */
const DEFAULT_ROWS = 2000;
const MOST_ROWS = 100_000;

/** A name of the Hub: `owner/name`, or `name` alone for the oldest datasets. @param {string} text */
export const isDatasetName = (text) => /^[\w][\w.-]*(\/[\w][\w.-]*)?$/.test(text.trim());

/**
 * The number of rows that a text asks for, or null.
 * @param {string} text
 */
export function rowsToRead(text) {
  const rows = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
  return rows >= 1 && rows <= MOST_ROWS ? rows : null;
}

/** @param {import('../../app.js').App} app */
export function hubTool({ store, workflow }) {
  const name = field('hub-dataset', 'hub_data.name', 'hub-dataset', { placeholder: 'owner/name' });
  const rows = field('hub-rows', 'hub_data.rows', 'hub-rows', { inputmode: 'numeric' });
  rows.input.value = String(DEFAULT_ROWS);
  const read = h('button', { class: 'secondary', i18n: 'hub_data.read', 'data-testid': 'read-hub' });
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const dataset = name.input.value.trim();
    const max_rows = rowsToRead(rows.input.value);
    name.refuse(isDatasetName(dataset) ? '' : t('hub_data.bad_name'));
    rows.refuse(max_rows === null ? t('hub_data.bad_rows', { most: number(MOST_ROWS) }) : '');
    if (!isDatasetName(dataset)) return name.input.focus();
    if (max_rows === null) return rows.input.focus();
    void workflow.data.read({ kind: 'hub', dataset, config: null, split: null, max_rows });
  };
  store.watch(['busy', 'opened', 'fatal'], (state) => setOff(read, isBlocked(state)));
  return h(
    'form',
    { class: 'tool', novalidate: true, 'data-testid': 'hub-tool', on: { submit } },
    h('p', { class: 'note', i18n: 'hub_data.about' }),
    name.element,
    rows.element,
    h('div', { class: 'actions' }, read),
  );
}

/**
 * A text field with its label and its error.
 * @param {string} id
 * @param {string} label  i18n key
 * @param {string} testId
 * @param {Record<string, string>} attributes
 */
function field(id, label, testId, attributes) {
  const error = h('p', { class: 'field-error', id: `${id}-error` });
  const input = h('input', {
    id,
    type: 'text',
    class: 'text-field',
    autocomplete: 'off',
    spellcheck: 'false',
    'data-testid': testId,
    ...attributes,
  });
  /** @param {string} message */
  const refuse = (message) => {
    setText(error, message);
    error.hidden = message === '';
    setAttribute(input, 'aria-invalid', message ? 'true' : null);
    setAttribute(input, 'aria-describedby', message ? error.id : null);
  };
  refuse('');
  return {
    input,
    refuse,
    element: h('div', { class: 'line-field' }, h('label', { for: id, i18n: label }), input, error),
  };
}
