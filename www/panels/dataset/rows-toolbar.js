// The tools above the rows: search, filter, undo, a new row, and the download.

import { labelName } from '../../components/labels.js';
import { h, replace, setAttribute, setOff, setText } from '../../dom.js';
import { t } from '../../i18n.js';
import { isBlocked } from '../../state.js';
import { downloadRows } from './download.js';
import { newRow } from './row-editor.js';

/** Typing is followed by a pause of this length before the search. */
const SEARCH_DELAY_MS = 200;

/**
 * @param {import('../../app.js').App} app
 * @param {import('./rows.js').RowsState} shown
 * @param {() => void} filterChanged
 * @param {import('./rows-table.js').RowsActions} actions
 */
export function rowsToolbar(app, shown, filterChanged, actions) {
  const { store, workflow } = app;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const search = h('input', {
    type: 'search',
    class: 'text-field',
    'data-i18n-label': 'rows.search',
    'aria-label': t('rows.search'),
    autocomplete: 'off',
    'data-testid': 'search-rows',
    on: {
      input: () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          shown.filter.query = search.value.trim();
          filterChanged();
        }, SEARCH_DELAY_MS);
      },
    },
  });
  const filter = h('select', {
    class: 'text-field',
    'data-i18n-label': 'rows.filter',
    'aria-label': t('rows.filter'),
    'data-testid': 'filter-rows',
    on: {
      change: () => {
        shown.filter.label = filter.value === '' ? null : Number(filter.value);
        filterChanged();
      },
    },
  });
  const found = h('p', { class: 'note', role: 'status', 'data-testid': 'found-rows' });
  const undo = iconButton('rows.undo', '↶', 'undo-rows', () => void change('undo'));
  const redo = iconButton('rows.redo', '↷', 'redo-rows', () => void change('redo'));
  const add = h('button', {
    type: 'button',
    class: 'quiet',
    i18n: 'rows.add',
    'data-edits': true,
    'data-testid': 'add-row',
    'aria-expanded': 'false',
    on: { click: () => openNew() },
  });
  const csv = downloadButton('CSV', 'download-csv', () => void downloadRows(app, 'csv'));
  const jsonl = downloadButton('JSONL', 'download-jsonl', () => void downloadRows(app, 'jsonl'));
  const place = h('div', { class: 'new-row-place' });

  /** @param {'undo'|'redo'} way */
  async function change(way) {
    if (await workflow.data[way]()) actions.say(t(way === 'undo' ? 'rows.undone' : 'rows.redone'));
  }

  function openNew() {
    const form = newRow(app, actions, () => {
      replace(place);
      add.setAttribute('aria-expanded', 'false');
      add.focus();
    });
    replace(place, form.element);
    add.setAttribute('aria-expanded', 'true');
    form.focus();
  }

  const element = h(
    'div',
    { class: 'rows-tools' },
    h('div', { class: 'rows-toolbar' }, search, filter, undo, redo, add, h('span', { class: 'downloads' }, csv, jsonl)),
    found,
    place,
  );

  function showHistory() {
    const dataset = store.state.dataset;
    const blocked = isBlocked(store.state);
    setOff(undo, blocked || !dataset?.can_undo);
    setOff(redo, blocked || !dataset?.can_redo);
  }
  store.watch(['busy', 'opened', 'fatal', 'dataset'], showHistory);
  store.watch(['language'], () => {
    for (const [button, key] of /** @type {const} */ ([
      [undo, 'rows.undo'],
      [redo, 'rows.redo'],
    ]))
      button.title = t(key);
    csv.title = t('rows.download_csv');
    jsonl.title = t('rows.download_jsonl');
    for (const button of [csv, jsonl]) button.setAttribute('aria-label', button.title);
    search.placeholder = t('rows.search');
  });
  let names = '';
  return {
    element,
    /** Follows the labels of the dataset. */
    show() {
      const labels = store.state.dataset?.labels ?? [];
      replace(
        filter,
        h('option', { value: '', selected: shown.filter.label === null }, t('rows.all_labels')),
        ...labels.map((name, id) => h('option', { value: id, selected: shown.filter.label === id }, labelName(name))),
      );
      // The new row has a choice of the labels of before.
      if (names !== labels.join('\n')) replace(place);
      if (place.childElementCount === 0) add.setAttribute('aria-expanded', 'false');
      names = labels.join('\n');
      // An empty dataset has no rows to add a label to.
      add.hidden = labels.length === 0;
    },
    /** @param {number|null} rows  that match; null without a search */
    showFound(rows) {
      setText(found, rows === null ? '' : t('rows.found', { rows }));
      found.hidden = rows === null;
      setAttribute(found, 'data-found', rows);
    },
  };
}

/**
 * @param {string} key
 * @param {string} sign
 * @param {string} testId
 * @param {() => void} click
 */
const iconButton = (key, sign, testId, click) =>
  h(
    'button',
    {
      type: 'button',
      class: 'quiet icon',
      'data-i18n-label': key,
      'aria-label': t(key),
      'data-testid': testId,
      on: { click },
    },
    sign,
  );

/**
 * @param {string} text
 * @param {string} testId
 * @param {() => void} click
 */
const downloadButton = (text, testId, click) =>
  h(
    'button',
    { type: 'button', class: 'quiet', 'data-edits': true, 'data-testid': testId, on: { click } },
    `↓ ${text}`,
  );
