// What can be done with the selected rows: delete them, or give them a label.

import { labelName } from '../../components/labels.js';
import { h, replace, setText } from '../../dom.js';
import { t } from '../../i18n.js';

/**
 * @param {import('../../app.js').App} app
 * @param {import('./rows.js').RowsState} shown
 * @param {import('./rows-table.js').RowsActions} actions
 */
export function selectionBar({ store }, shown, actions) {
  const words = h('span', { role: 'status', 'data-testid': 'selected-rows' });
  const label = h('select', {
    class: 'text-field',
    'data-i18n-label': 'rows.new_label',
    'aria-label': t('rows.new_label'),
    'data-testid': 'selected-label',
  });
  const button = (/** @type {string} */ key, /** @type {string} */ testId, /** @type {() => void} */ click) =>
    h('button', {
      type: 'button',
      class: 'secondary',
      i18n: key,
      'data-edits': true,
      'data-testid': testId,
      on: { click },
    });
  const rows = () => [...shown.selected].sort((a, b) => a - b);
  const relabel = button('rows.relabel', 'relabel-rows', () => {
    const to = Number(label.value);
    const edit = { op: /** @type {const} */ ('set_many'), rows: rows().map((row) => pair(row, to)) };
    void actions.change(edit, t('rows.relabelled', { rows: edit.rows.length }));
  });
  const remove = button('rows.delete_selected', 'delete-rows', () => {
    const selected = rows();
    void actions.change({ op: 'delete', rows: selected }, t('rows.deleted', { rows: selected.length }));
  });
  const clear = h('button', {
    type: 'button',
    class: 'quiet',
    i18n: 'rows.clear',
    on: {
      click: () => {
        shown.selected.clear();
        actions.refresh();
      },
    },
  });
  const element = h('div', { class: 'selection-bar', hidden: true }, words, label, relabel, remove, clear);
  return {
    element,
    show() {
      const labels = store.state.dataset?.labels ?? [];
      element.hidden = shown.selected.size === 0;
      setText(words, t('rows.selected', { rows: shown.selected.size }));
      const { value } = label;
      replace(
        label,
        ...labels.map((name, id) => h('option', { value: id, selected: String(id) === value }, labelName(name))),
      );
    },
  };
}

/**
 * @param {number} row
 * @param {number} label
 * @returns {[number, number]}
 */
const pair = (row, label) => [row, label];
