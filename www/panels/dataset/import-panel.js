// A table that is read: the progress, what was found in it, and the buttons that make it the dataset or drop it.

import { alert, messageLanguage, notice } from '../../components/notices.js';
import { labelBars } from '../../components/labels.js';
import { figures } from '../../components/figures.js';
import { h, redraw, replace, setAttribute, setOff, setText } from '../../dom.js';
import { bytes, number, t } from '../../i18n.js';
import { blocker, hasBadRows, remarks } from '../../data/import-choice.js';
import { isBlocked } from '../../state.js';
import { importMessage } from '../../workspace/now.js';
import { importOptions } from './import-options.js';
import { badRows, previewTable, sameLabels } from './import-tables.js';

/** @typedef {import('../../protocol.js').ImportView} ImportView */

/**
 * @param {import('../../app.js').App} app
 * @param {import('./replacing.js').Replacing} guard
 * @param {{say: (text: string) => void, showRows: () => void}} page
 */
export function importPanel(app, guard, { say, showRows }) {
  const { store, workflow } = app;
  /** What the visitor agrees to, for the table that is shown. */
  const agreed = { leaveOut: false, merge: false };
  /** @type {ImportView|null} */
  let shown = null;
  const progress = progressLine(app);
  const heading = h('h2', { tabindex: '-1', 'data-testid': 'import-name' });
  const problem = h('div', { class: 'problem' });
  const result = h('div', { class: 'import-result' });
  const bad = badRows((/** @type {boolean} */ checked) => {
    agreed.leaveOut = checked;
    showActions();
  });
  const use = h('button', {
    type: 'button',
    class: 'primary',
    i18n: 'import.use',
    'data-testid': 'use-import',
    'aria-describedby': 'import-blocker',
    on: { click: () => guard.ask(() => void useTable()) },
  });
  const cancel = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: 'import.cancel',
    'data-testid': 'cancel-import',
    on: { click: () => leave('import.kept') },
  });
  const why = h('p', { class: 'note', id: 'import-blocker', 'data-testid': 'import-blocker' });
  const actions = h('div', { class: 'import-actions' }, h('div', { class: 'actions' }, use, cancel), why);
  const element = h(
    'section',
    { class: 'import', 'aria-label': t('import.title'), 'data-i18n-label': 'import.title' },
    heading,
    progress,
    problem,
    result,
    bad.element,
    actions,
  );

  async function useTable() {
    const name = store.state.pendingImport?.view?.name ?? '';
    await workflow.data.use({ skip_bad_rows: agreed.leaveOut, merge_labels: agreed.merge });
    if (store.state.pendingImport) return;
    say(t('import.used', { name, rows: store.state.dataset?.num_rows ?? 0 }));
    showRows();
  }

  /** @param {boolean} merge */
  function chooseMerge(merge) {
    agreed.merge = merge;
    showActions();
  }

  /** @param {string} key  what is said */
  function leave(key) {
    workflow.data.cancel();
    say(t(key));
    showRows();
  }

  function showActions() {
    const { pendingImport } = store.state;
    const reason = pendingImport && blocker(pendingImport, agreed);
    setOff(use, isBlocked(store.state) || reason !== null);
    setOff(cancel, store.state.importing !== null);
    setText(why, reason ? t(reason.key, reason.params) : '');
    actions.hidden = pendingImport === null;
    // A choice during a run could not be read, and the controls would show what was not read. While this table is read
    // they keep the focus.
    const { importing } = store.state;
    const options = result.querySelector('.import-options');
    options?.toggleAttribute('inert', isBlocked(store.state) && importing === null);
    use.hidden = pendingImport?.view === null;
  }

  store.watch(['pendingImport', 'importing', 'language'], (state) => {
    const { pendingImport, importing } = state;
    const appears = element.hidden && (pendingImport !== null || importing !== null);
    element.hidden = pendingImport === null && importing === null;
    const view = pendingImport?.view ?? null;
    setText(heading, importing?.name ?? view?.name ?? inputName(pendingImport?.input) ?? '');
    if (!appears || state.view !== 'dataset') return;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView({ block: 'start' });
  });
  store.watch(['pendingImport', 'language'], (state) => {
    const { pendingImport } = state;
    const view = pendingImport?.view ?? null;
    // A phone has the table below the tools.
    const isFirst = view !== null && shown === null;
    if (view !== shown) Object.assign(agreed, { leaveOut: false, merge: false });
    if (view && view !== shown) say(t('import.found', { rows: view.num_rows, labels: view.labels.length }));
    shown = view;
    replace(problem, pendingImport?.error && alert(pendingImport.error));
    bad.show(view && hasBadRows(view) ? view : null);
    redraw(
      result,
      ...(pendingImport ? [importOptions(app, pendingImport)] : []),
      ...(view ? found(view, agreed.merge, chooseMerge) : []),
    );
    showActions();
    if (isFirst && state.view === 'dataset') heading.scrollIntoView({ block: 'start' });
  });
  store.watch(['busy', 'opened', 'fatal', 'importing'], showActions);
  return { element };
}

/** @param {import('../../state.js').ImportInput} [input] */
const inputName = (input) => (input?.kind === 'files' ? input.name : input?.dataset);

/**
 * What was found in a table.
 * @param {ImportView} view
 * @param {boolean} merge
 * @param {(merge: boolean) => void} chooseMerge
 */
function found(view, merge, chooseMerge) {
  const { labels, num_rows, num_skipped, hub } = view;
  const counts = labels.map(({ count }) => count);
  const names = labels.map(({ name }) => name);
  return [
    figures([
      { label: t('import.rows'), value: number(num_rows), attributes: { 'data-testid': 'import-rows' } },
      { label: t('import.labels'), value: number(labels.length) },
      { label: t('import.bad'), value: number(num_skipped) },
      { label: t('import.size'), value: bytes(view.bytes) },
      ...(hub ? [{ label: t('import.rows_total'), value: number(hub.num_rows_total) }] : []),
    ]),
    // In the words of the worker, which name the columns.
    view.problem !== null && problemOf(view.problem),
    ...remarks(view).map(({ key, params }) => notice({ 'data-testid': key.replace('.', '-') }, t(key, params))),
    h('h3', {}, t('import.preview')),
    previewTable(view),
    labels.length > 0 && h('h3', {}, t('import.label_order')),
    labels.length > 0 &&
      h(
        'div',
        { class: 'many-bars', tabindex: '0', role: 'group', 'aria-label': t('import.labels') },
        labelBars(names, counts),
      ),
    sameLabels(view, merge, chooseMerge),
  ];
}

/** Why a table cannot be used, as a whole sentence of the worker. @param {string} problem */
const problemOf = (problem) =>
  h('p', { class: 'alert', role: 'alert', lang: messageLanguage(problem), 'data-testid': 'import-problem' }, problem);

/** The bytes or rows that are read, and the button that stops it. @param {import('../../app.js').App} app */
function progressLine({ store, workflow }) {
  const meter = h('progress', { max: '1', 'data-i18n-label': 'import.progress', 'aria-label': t('import.progress') });
  const text = h('p', { class: 'note' });
  const stop = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: 'import.stop',
    'data-testid': 'stop-import',
    on: { click: () => void workflow.data.stop().catch(() => {}) },
  });
  const element = h(
    'div',
    { class: 'download', 'data-testid': 'import-progress' },
    meter,
    h('div', { class: 'download-line' }, text, stop),
  );
  store.watch(['importing', 'language'], ({ importing }) => {
    element.hidden = importing === null;
    if (!importing) return;
    const { done, total } = importing;
    if (total > 0) meter.value = Math.min(1, done / total);
    else meter.removeAttribute('value');
    setAttribute(element, 'data-done', done);
    setAttribute(element, 'data-total', total);
    setText(text, importMessage(importing));
  });
  return element;
}
