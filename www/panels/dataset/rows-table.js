// A page of rows as a table. A text or a label is a button that opens the editor of its row.

import { labelBadge } from '../../components/labels.js';
import { scrollable } from '../../components/scrollable.js';
import { h } from '../../dom.js';
import { number, t } from '../../i18n.js';
import { languageOf } from '../../data/language.js';
import { editRow } from './row-editor.js';

/** @typedef {import('../../protocol.js').DatasetRow} DatasetRow */
/** @typedef {import('./rows.js').RowsState} RowsState */

/**
 * @typedef {object} RowsActions
 * @property {(edit: import('../../protocol.js').Edit, said: string) => Promise<boolean>} change
 * @property {() => void} refresh
 * @property {(text: string) => void} say
 */

/**
 * Returns what draws a page.
 * @param {import('../../app.js').App} app
 * @param {RowsState} shown
 * @param {RowsActions} actions
 */
export function rowsTableOf({ store }, shown, actions) {
  const open = (
    /** @type {DatasetRow} */ { row, text, label },
    /** @type {string} */ key,
    /** @type {Element} */ from,
  ) => {
    shown.draft = { row, text, label };
    const body = from.closest('.page-body');
    actions.refresh();
    const field = body?.querySelector(`[data-key="${key}"]`);
    if (field instanceof HTMLElement) field.focus();
  };

  /** @param {DatasetRow} found */
  const shownRow = (found) => {
    const { row, text, label } = found;
    const labels = store.state.dataset?.labels ?? [];
    const edit = (/** @type {string} */ key, /** @type {import('../../dom.js').Child} */ child) =>
      h(
        'button',
        {
          type: 'button',
          class: 'cell',
          'data-key': key,
          'data-edits': true,
          title: t('rows.edit'),
          on: { click: ({ currentTarget }) => open(found, key, currentTarget) },
        },
        child,
      );
    return h(
      'tr',
      { class: shown.selected.has(row) ? 'selected' : null },
      numberCell(found),
      h('td', { lang: languageOf(text, store.state.source) }, edit(`text-${row}`, text)),
      h('td', {}, edit(`label-${row}`, labelBadge(labels[label] ?? String(label), label))),
      h('td', { class: 'row-actions' }, deleteButton(row)),
    );
  };

  /** @param {DatasetRow} found */
  const numberCell = ({ row }) =>
    h(
      'td',
      { class: 'number' },
      h(
        'label',
        { class: 'select-row' },
        h('input', {
          type: 'checkbox',
          checked: shown.selected.has(row),
          'aria-label': t('rows.select', { row: row + 1 }),
          'data-key': `select-${row}`,
          on: {
            change: ({ target }) => {
              if (target.checked) shown.selected.add(row);
              else shown.selected.delete(row);
              actions.refresh();
            },
          },
        }),
        number(row + 1),
      ),
    );

  /** @param {number} row */
  const deleteButton = (row) =>
    h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': t('rows.delete', { row: row + 1 }),
        title: t('rows.delete', { row: row + 1 }),
        // The row that follows has the same index afterwards, and gets the focus.
        'data-key': `delete-${row}`,
        'data-edits': true,
        'data-testid': 'delete-row',
        on: { click: () => void actions.change({ op: 'delete', rows: [row] }, t('rows.deleted', { rows: 1 })) },
      },
      '×',
    );

  return (/** @type {DatasetRow[]} */ rows) => {
    const { draft } = shown;
    const all = rows.every(({ row }) => shown.selected.has(row));
    const body = rows.map((row) =>
      draft?.row === row.row ? editRow(store.state.dataset, draft, shown, actions, numberCell(row)) : shownRow(row),
    );
    return scrollable(h('table', { class: 'rows editable' }, h('thead', {}, head(rows, all)), h('tbody', {}, ...body)));
  };

  /**
   * @param {DatasetRow[]} rows
   * @param {boolean} all  whether every one is selected
   */
  function head(rows, all) {
    const box = h('input', {
      type: 'checkbox',
      checked: all,
      'aria-label': t('rows.select_page'),
      'data-key': 'select-page',
      on: {
        change: ({ target }) => {
          for (const { row } of rows) {
            if (target.checked) shown.selected.add(row);
            else shown.selected.delete(row);
          }
          actions.refresh();
        },
      },
    });
    return h(
      'tr',
      {},
      h('th', { scope: 'col' }, h('label', { class: 'select-row' }, box, t('dataset.row'))),
      h('th', { scope: 'col' }, t('dataset.text')),
      h('th', { scope: 'col' }, t('dataset.label')),
      h('td', {}),
    );
  }
}
