// The page of the components: figures, bars, labels, tables and pages of rows.

import { h } from '../../dom.js';
import { number } from '../../i18n.js';
import { RequestError } from '../../session.js';
import { figures } from '../figures.js';
import { bar, labelBadge, labelBars } from '../labels.js';
import { pages } from '../pages.js';
import { scrollable } from '../scrollable.js';

/** @typedef {import('../gallery.js').Group} Group */

const LABELS = ['negative', 'positive', 'neutral', 'mixed', '기타', 'another class with a long name'];
const ROWS = 24;
const ROWS_PER_PAGE = 3;
const TEXTS = [
  'This blender is wonderful.',
  '이 믹서기는 정말 훌륭합니다.',
  'It broke on the first day, and nobody of the support has answered any of my four messages since then.',
];

/** @param {number} from @param {number} to */
const someRows = (from, to) =>
  Array.from({ length: to - from }, (_, at) => ({ text: TEXTS[at % TEXTS.length] ?? '', label: (from + at) % 2 }));

/** @param {{text: string, label: number}[]} rows @param {number} from */
const rowTable = (rows, from) =>
  scrollable(
    h(
      'table',
      { class: 'rows' },
      h('thead', {}, h('tr', {}, ...['Row', 'Text', 'Label'].map((name) => h('th', { scope: 'col' }, name)))),
      h(
        'tbody',
        {},
        ...rows.map(({ text, label }, at) =>
          h(
            'tr',
            {},
            h('td', { class: 'number' }, number(from + at + 1)),
            h('td', {}, text),
            h('td', {}, labelBadge(LABELS[label] ?? '', label)),
          ),
        ),
      ),
    ),
  );

/** @param {(from: number, to: number) => Promise<{text: string, label: number}[]>} load */
function pager(load) {
  const made = pages({ size: ROWS_PER_PAGE, label: 'dataset.pages', load, render: rowTable });
  made.show(ROWS, {});
  return made.element;
}

/** Pages whose first rows are shown, while the next ones never arrive. */
function busyPager() {
  let arrived = false;
  const made = pages({
    size: ROWS_PER_PAGE,
    label: 'dataset.pages',
    load: (from, to) => (arrived ? new Promise(() => {}) : someRows(from, to)),
    render: (/** @type {{text: string, label: number}[]} */ rows, from) => {
      if (!arrived) queueMicrotask(() => made.show(ROWS, {}));
      arrived = true;
      return rowTable(rows, from);
    },
  });
  made.show(ROWS, {});
  return made.element;
}

function wideTable() {
  const columns = Array.from({ length: 14 }, (_, at) => `column_${at + 1}`);
  return scrollable(
    h(
      'table',
      { class: 'compact' },
      h('thead', {}, h('tr', {}, ...columns.map((name) => h('th', { scope: 'col', class: 'number' }, name)))),
      h('tbody', {}, h('tr', {}, ...columns.map((_, at) => h('td', { class: 'number' }, number(1.5 ** at))))),
    ),
  );
}

/** @type {Group[]} */
export const data = [
  {
    title: 'Figures and bars',
    make: () => [
      {
        state: 'figures: default, big, empty, long',
        element: figures([
          { label: 'Accuracy', value: '97.5%', attributes: { class: 'big' } },
          { label: 'Rows', value: number(12345) },
          { label: 'Loss', value: '–' },
          { label: '모델', value: 'sentence-transformers/all-MiniLM-L6-v2' },
        ]),
      },
      { state: 'bars of six classes', element: labelBars(LABELS, [50, 40, 31, 20, 9, 0]) },
      { state: 'bars without rows', element: labelBars(LABELS.slice(0, 2), [0, 0]) },
      { state: 'bar without a class', element: h('p', {}, bar(0.7, 'real')) },
      {
        state: 'badges',
        element: h('p', { class: 'legend' }, ...LABELS.map((label, id) => labelBadge(label, id))),
      },
    ],
  },
  {
    title: 'Tables and pages',
    make: () => [
      { state: 'pages', element: pager(async (from, to) => someRows(from, to)) },
      { state: 'pages: busy', element: busyPager() },
      {
        state: 'pages: error',
        element: pager(() =>
          Promise.reject(new RequestError({ code: 'internal', message: 'No answer.', field: null })),
        ),
      },
      {
        state: 'pages: the rows are gone',
        element: pager(() => Promise.reject(new RequestError({ code: 'not_ready', message: '', field: null }))),
      },
      { state: 'a table that scrolls sideways', element: wideTable() },
    ],
  },
];
