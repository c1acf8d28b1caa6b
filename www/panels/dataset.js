// The dataset: its rows in pages and the number of rows per label.

import { pages } from '../components/pages.js';
import { settingsFoot, settingsForm } from './settings-form.js';
import { figures } from '../components/figures.js';
import { labelBadge, labelBars } from '../components/labels.js';
import { placeholder } from '../components/notices.js';
import { scrollable } from '../components/scrollable.js';
import { panelParts, stageButton } from './widgets.js';
import { h, replace } from '../dom.js';
import { number, t } from '../i18n.js';

const ROWS_PER_PAGE = 10;

/** @param {import('../app.js').App} app */
export function datasetPanel(app) {
  const { side, main } = panelParts('dataset');
  const { row, problem } = stageButton(app, 'dataset');
  side.append(settingsForm(app, 'data'), settingsFoot(app, side, row));

  const summary = h('div', { class: 'summary' });
  const load = async (/** @type {number} */ from, /** @type {number} */ to) => {
    const { rows } = await app.session.request({ type: 'dataset_rows', offset: from, count: to - from });
    return rows;
  };
  const rows = pages({ size: ROWS_PER_PAGE, label: 'dataset.pages', load, render });
  main.append(problem, summary, rows.element);

  app.store.watch(['dataset', 'language'], ({ dataset }) => {
    rows.element.hidden = dataset === null;
    if (!dataset) return replace(summary, placeholder('dataset.placeholder'));
    replace(
      summary,
      figures([
        { label: t('dataset.rows'), value: number(dataset.num_rows) },
        { label: t('dataset.distinct'), value: number(dataset.distinct_texts) },
        { label: t('dataset.classes'), value: number(dataset.labels.length) },
      ]),
      labelBars(dataset.labels, dataset.label_counts),
    );
    rows.show(dataset.num_rows, dataset);
  });

  /**
   * @param {import('../protocol.js').Row[]} page
   * @param {number} from
   */
  function render(page, from) {
    const labels = app.store.state.dataset?.labels ?? [];
    const head = ['dataset.row', 'dataset.text', 'dataset.label'].map((key) => h('th', { scope: 'col' }, t(key)));
    const body = page.map(({ text, label }, at) =>
      h(
        'tr',
        {},
        h('td', { class: 'number' }, number(from + at + 1)),
        h('td', { lang: 'en' }, text),
        h('td', {}, labelBadge(labels[label] ?? String(label), label)),
      ),
    );
    return scrollable(h('table', { class: 'rows' }, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...body)));
  }
}
