// The dataset: a choice of ways to bring data at the side, and the table that is read or the rows that are used.

import { auditBadge, auditPanel } from './audit.js';
import { cardsPanel } from './dataset/cards.js';
import { importPanel } from './dataset/import-panel.js';
import { replacing } from './dataset/replacing.js';
import { rowsTable } from './dataset/rows.js';
import { cardsTool } from './dataset/cards-tool.js';
import { hubTool } from './dataset/hub-tool.js';
import { sourceChooser } from './dataset/source-chooser.js';
import { tableTool } from './dataset/table-tool.js';
import { figures } from '../components/figures.js';
import { labelBars } from '../components/labels.js';
import { placeholder } from '../components/notices.js';
import { settingsFoot, settingsForm } from './settings-form.js';
import { panelParts, stageButton } from './widgets.js';
import { nextTask } from '../next-task.js';
import { isUnsaved } from '../data/unsaved.js';
import { undoKey } from '../data/keys.js';
import { h, replace, setText } from '../dom.js';
import { number, t } from '../i18n.js';

/** With more classes the bars are in a box that scrolls. */
const MANY_CLASSES = 6;

/**
 * Made in several tasks, because it is the largest panel.
 * @param {import('../app.js').App} app
 */
export async function datasetPanel(app) {
  const { side, main } = panelParts('dataset');
  const spoken = h('p', { class: 'visually-hidden', role: 'status' });
  const say = (/** @type {string} */ text) => setText(spoken, text);
  const guard = replacing(app);
  const { elements, problem } = await tools(app, side, guard);

  await nextTask();
  const read = importPanel(app, guard, { say, showRows: () => showRows() });
  const cards = cardsPanel(app, say);
  await nextTask();
  const summary = h('div', { class: 'summary' });
  const rows = rowsTable(app, say);
  await nextTask();
  const current = h(
    'div',
    {
      class: 'current-rows',
      tabindex: '-1',
      role: 'group',
      'aria-label': t('dataset.rows'),
      'data-i18n-label': 'dataset.rows',
    },
    summary,
    auditBadge(app.store),
    cards.element,
    rows.element,
    auditPanel(app).element,
  );
  /** The table that was read is gone, and the focus with it. */
  function showRows() {
    current.hidden = false;
    current.focus({ preventScroll: true });
    current.scrollIntoView({ block: 'start' });
  }
  current.addEventListener('keydown', (event) => {
    const key = undoKey(event);
    const dataset = app.store.state.dataset;
    if (!key || !(key === 'undo' ? dataset?.can_undo : dataset?.can_redo)) return;
    event.preventDefault();
    void app.workflow.data[key]();
  });
  side.append(...elements);
  main.append(spoken, guard.element, problem, read.element, current);
  askBeforeLeaving(app);

  app.store.watch(['pendingImport', 'importing'], ({ pendingImport, importing }) => {
    current.hidden = pendingImport !== null || importing !== null;
  });
  app.store.watch(['dataset', 'source', 'language'], (state) => {
    const dataset = state.dataset;
    if (!dataset) return replace(summary, placeholder('dataset.placeholder'));
    replace(
      summary,
      figures([
        { label: t('dataset.source'), value: sourceName(state), attributes: { 'data-testid': 'dataset-name' } },
        { label: t('dataset.rows'), value: number(dataset.num_rows), attributes: { 'data-testid': 'dataset-rows' } },
        { label: t('dataset.distinct'), value: number(dataset.distinct_texts) },
        { label: t('dataset.classes'), value: number(dataset.labels.length) },
      ]),
      bars(dataset),
    );
  });
}

/**
 * The choice of a way to bring data, and the controls of each.
 * @param {import('../app.js').App} app
 * @param {HTMLElement} side
 * @param {import('./dataset/replacing.js').Replacing} guard
 */
async function tools(app, side, guard) {
  const { row, problem } = stageButton(app, 'dataset', () => guard.ask(() => void app.workflow.run('dataset')));
  const kept = h('p', { class: 'note', i18n: 'source.kept' });
  const foot = settingsFoot(app, side, row);
  const form = settingsForm(app, 'data');
  await nextTask();
  /** @type {Record<import('../state.js').DataTool, HTMLElement[]>} */
  const all = {
    toy: [h('div', { class: 'tool' }, kept, form), foot],
    table: [tableTool(app)],
    cards: [cardsTool(app, guard)],
    hub: [hubTool(app)],
  };
  app.store.watch(['dataTool', 'source'], ({ dataTool, source }) => {
    for (const [tool, elements] of Object.entries(all))
      for (const element of elements) element.hidden = tool !== dataTool;
    kept.hidden = source.kind === 'toy';
  });
  return { elements: [sourceChooser(app.store), ...Object.values(all).flat()], problem };
}

/** @param {import('../protocol.js').DatasetView} dataset */
function bars({ labels, label_counts }) {
  if (labels.length === 0) return null;
  const element = labelBars(labels, label_counts);
  if (labels.length <= MANY_CLASSES) return element;
  return h('div', { class: 'many-bars', tabindex: '0', role: 'group', 'aria-label': t('dataset.classes') }, element);
}

/** Where the rows are from. @param {import('../state.js').AppState} state */
function sourceName(state) {
  const dataset = state.dataset;
  const { source = 'rows', name = '', edited = false } = dataset ?? {};
  const isToy = state.source.kind === 'toy' || source === 'article' || source === 'reviews';
  const shown = isToy ? t('source.toy') : source === 'cards' ? t('source.cards') : name || t('source.table');
  // Cards are made of edits.
  return edited && source !== 'cards' ? t('source.edited', { name: shown }) : shown;
}

/** The browser asks before it closes a tab with rows that are nowhere else. @param {import('../app.js').App} app */
function askBeforeLeaving({ store }) {
  window.addEventListener('beforeunload', (event) => {
    if (isUnsaved(store.state)) event.preventDefault();
  });
}
