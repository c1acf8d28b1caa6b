// The rows of the dataset: searched, filtered, edited in place, deleted, and downloaded.
//
// Pages of rows can be read during a training run. Changes are refused while something is running.

import { pages } from '../../components/pages.js';
import { h, setOff } from '../../dom.js';
import { t } from '../../i18n.js';
import { isBlocked } from '../../state.js';
import { selectionBar } from './rows-selection.js';
import { rowsTableOf } from './rows-table.js';
import { rowsToolbar } from './rows-toolbar.js';

/** @typedef {import('../../protocol.js').DatasetRow} DatasetRow */
/** @typedef {import('../../data/own-data.js').WantedRows} WantedRows */

const ROWS_PER_PAGE = 10;

/**
 * The rows that the visitor looks for; a label of null is any.
 * @typedef {{query: string, label: number|null}} Filter
 */

/** A row that is being edited. @typedef {{row: number, text: string, label: number}} Draft */

/**
 * What a table shows beside its rows.
 * @typedef {object} RowsState
 * @property {Filter} filter
 * @property {Set<number>} selected  indices in the dataset
 * @property {Draft|null} draft
 */

/**
 * @param {import('../../app.js').App} app
 * @param {(text: string) => void} say
 */
export function rowsTable(app, say) {
  const { store, workflow } = app;
  /** @type {RowsState} */
  const shown = { filter: { query: '', label: null }, selected: new Set(), draft: null };
  let count = 0;
  /** @type {unknown} */
  let version = null;
  let requests = 0;

  const wanted = (/** @type {WantedRows} */ { offset, count: rows }) => ({
    offset,
    count: rows,
    ...(shown.filter.query ? { query: shown.filter.query } : {}),
    ...(shown.filter.label === null ? {} : { label: shown.filter.label }),
  });
  const isFiltered = () => shown.filter.query !== '' || shown.filter.label !== null;
  const load = async (/** @type {number} */ from, /** @type {number} */ to) => {
    if (from >= to) return [];
    return (await workflow.data.rows(wanted({ offset: from, count: to - from }))).rows;
  };

  /** Draws the same page again. */
  const refresh = () => {
    table.show(count, version, { follow: true });
    selection.show();
    showOff();
  };
  const actions = {
    change: async (/** @type {import('../../protocol.js').Edit} */ edit, /** @type {string} */ said) => {
      const made = await workflow.data.edit(edit);
      if (made) say(said);
      return made;
    },
    refresh,
    say,
  };
  const render = rowsTableOf(app, shown, actions);
  const table = pages({
    size: ROWS_PER_PAGE,
    label: 'dataset.pages',
    load,
    render: (/** @type {DatasetRow[]} */ rows) => {
      const drawn = rows.length > 0 ? render(rows) : h('p', { class: 'placeholder' }, empty());
      queueMicrotask(showOff);
      return drawn;
    },
  });
  const selection = selectionBar(app, shown, actions);
  const toolbar = rowsToolbar(app, shown, () => void reload(false), actions);
  const element = h(
    'section',
    { class: 'rows-view', 'aria-label': t('dataset.rows'), 'data-i18n-label': 'dataset.rows' },
    toolbar.element,
    selection.element,
    table.element,
  );

  const empty = () => t(isFiltered() ? 'rows.none_found' : 'rows.none');

  /** @param {boolean} follow  whether the visitor stays on the page */
  async function reload(follow) {
    const { dataset } = store.state;
    const request = ++requests;
    if (!dataset) return;
    // A page that cannot be loaded shows why.
    const found = isFiltered()
      ? await workflow.data.rows(wanted({ offset: 0, count: 1 })).then(
          ({ num_matching }) => num_matching,
          () => 1,
        )
      : dataset.num_rows;
    if (request !== requests) return;
    count = found;
    version = {};
    table.show(count, version, { follow });
    toolbar.showFound(isFiltered() ? count : null);
  }

  function showOff() {
    const off = isBlocked(store.state);
    for (const button of element.querySelectorAll('button[data-edits]')) setOff(button, off);
  }

  let wasNamed = '';
  /** @type {unknown} */
  let drawn = null;
  store.watch(['dataset', 'language'], (state) => {
    const dataset = state.dataset;
    element.hidden = dataset === null;
    if (!dataset) return;
    const named = `${dataset.source} ${dataset.name}`;
    // An edit keeps the page; another table begins with its first one.
    const follow = dataset.edited && named === wasNamed;
    if (dataset !== drawn) {
      // The rows of before may have other indices now.
      shown.draft = null;
      shown.selected.clear();
    }
    drawn = dataset;
    if (!follow || (shown.filter.label ?? 0) >= dataset.labels.length) shown.filter.label = null;
    wasNamed = named;
    selection.show();
    toolbar.show();
    void reload(follow);
  });
  store.watch(['busy', 'opened', 'fatal'], showOff);
  return { element };
}
