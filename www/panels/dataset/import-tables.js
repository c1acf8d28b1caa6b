// The tables of a table that is read: its first rows as written, its bad rows, and labels that may be the same.

import { pages } from '../../components/pages.js';
import { scrollable } from '../../components/scrollable.js';
import { h, setText } from '../../dom.js';
import { number, t, tOr } from '../../i18n.js';

/** @typedef {import('../../protocol.js').ImportView} ImportView */
/** @typedef {import('../../protocol.js').SkippedRow} SkippedRow */

const PREVIEW_ROWS = 5;
const BAD_ROWS_PER_PAGE = 5;
/** Longer cells are cut in the preview. */
const MOST_CHARACTERS = 200;

/** The first rows as they are written. @param {ImportView} view */
export function previewTable({ detected, preview }) {
  const { columns, text, label } = detected;
  const use = (/** @type {number} */ column) =>
    column === label ? t('import.as_label') : text.includes(column) ? t('import.as_text') : '';
  const used = (/** @type {number} */ column) => (use(column) ? 'used' : null);
  const head = columns.map((name, column) =>
    h('th', { scope: 'col', class: used(column) }, name || number(column + 1), h('span', {}, use(column))),
  );
  const body = preview
    .slice(0, PREVIEW_ROWS)
    .map((cells) =>
      h('tr', {}, ...columns.map((_, column) => h('td', { class: used(column) }, cut(cells[column] ?? '')))),
    );
  return scrollable(
    h('table', { class: 'preview-table' }, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...body)),
    { label: t('import.preview') },
  );
}

/** @param {string} text */
const cut = (text) => (text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);

/**
 * Proposes to treat labels as one that differ only in their spelling.
 * @param {ImportView} view
 * @param {boolean} merge                      whether the visitor has agreed
 * @param {(merge: boolean) => void} choose
 */
export function sameLabels({ labels, same_labels }, merge, choose) {
  if (same_labels.length === 0) return null;
  const names = (/** @type {number[]} */ group) =>
    group.map((id) => t('import.quoted', { name: labels[id]?.name ?? '', count: labels[id]?.count ?? 0 })).join(', ');
  return h(
    'div',
    { class: 'notice', 'data-testid': 'same-labels' },
    h('p', {}, t('import.same_labels')),
    h('ul', { class: 'same-labels' }, ...same_labels.map((group) => h('li', {}, names(group)))),
    h(
      'label',
      { class: 'tick' },
      h('input', {
        type: 'checkbox',
        checked: merge,
        'data-key': 'merge-labels',
        'data-testid': 'merge-labels',
        on: { change: ({ target }) => choose(target.checked) },
      }),
      t('import.merge'),
    ),
  );
}

/**
 * The rows that cannot be used, and the box that leaves them out.
 * @param {(checked: boolean) => void} agree
 */
export function badRows(agree) {
  const about = h('p', {});
  const more = h('p', { class: 'note' });
  const box = h('input', {
    type: 'checkbox',
    'data-testid': 'leave-out',
    on: { change: ({ target }) => agree(target.checked) },
  });
  const words = h('span', {});
  /** @type {SkippedRow[]} */
  let rows = [];
  const table = pages({
    size: BAD_ROWS_PER_PAGE,
    label: 'import.bad_pages',
    load: (from, to) => rows.slice(from, to),
    render: badTable,
  });
  const element = h('section', {
    class: 'bad-rows',
    'data-testid': 'bad-rows',
    'aria-label': t('import.bad'),
    'data-i18n-label': 'import.bad',
  });
  const parts = [about, table.element, more, h('label', { class: 'tick' }, box, words)];
  /** @type {ImportView|null} */
  let shown = null;
  return {
    element,
    /** @param {ImportView|null} view */
    show(view) {
      element.hidden = view === null;
      if (view !== shown) box.checked = false;
      shown = view;
      if (!view) return element.replaceChildren();
      if (element.childElementCount === 0) element.append(...parts);
      rows = view.skipped;
      setText(about, t('import.bad_about', { rows: view.num_skipped }));
      setText(words, t('import.leave_out', { rows: view.num_skipped }));
      const hidden = view.num_skipped - rows.length;
      setText(more, hidden > 0 ? t('import.more_bad', { rows: hidden }) : '');
      more.hidden = hidden <= 0;
      table.show(rows.length, view);
    },
  };
}

/** @param {SkippedRow[]} rows */
function badTable(rows) {
  const head = ['import.line', 'import.reason', 'import.excerpt'].map((key) => h('th', { scope: 'col' }, t(key)));
  const body = rows.map(({ line, reason, excerpt }) =>
    h('tr', {}, h('td', { class: 'number' }, number(line)), h('td', {}, reasonText(reason)), h('td', {}, excerpt)),
  );
  return scrollable(h('table', { class: 'rows' }, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...body)), {
    label: t('import.bad'),
  });
}

/** @param {import('../../protocol.js').SkipReason} reason */
function reasonText(reason) {
  if (reason.kind !== 'ragged') return tOr(`import.reason_${reason.kind}`, reason.kind);
  return t('import.reason_ragged', { found: reason.found, expected: reason.expected });
}
