// The three arrangements of the same parts: "rail", "columns" and "runs".

import { h } from '../../www/dom.js';
import { percent, t } from '../../www/i18n.js';
import { STAGES } from '../../www/stages.js';
import { evaluated, follow, moment, show, stageState } from './moment.js';
import * as parts from './parts.js';
import { EARLIER, MAX_STEPS, RECOMMENDED } from './recorded.js';
import { own } from './texts.js';

/** @typedef {{side: () => (Node|null)[], main: () => (Node|null)[]}} View */

/** Controls and result of each stage. @type {Record<string, View>} */
const VIEWS = {
  dataset: { side: () => [parts.settings('num_rows')], main: () => [parts.datasetFigures(), parts.rows(12)] },
  split: { side: () => [parts.settings('test_size')], main: () => [parts.split(), parts.overlap()] },
  model: { side: () => [secondary('model.run')], main: () => [parts.model()] },
  tokens: { side: () => [parts.settings('padding', 'max_length')], main: () => [parts.tokens()] },
  training: { side: () => [parts.trainingSettings()], main: () => [parts.training()] },
  evaluation: { side: () => [secondary('evaluation.run')], main: () => [parts.evaluation()] },
  try: { side: () => [callout('evaluation')], main: () => [parts.tryIt()] },
  export: { side: () => [secondary('export.run')], main: () => [parts.exporting()] },
};
/** @param {string} key */
const secondary = (key) => h('p', {}, h('button', { type: 'button', class: 'secondary' }, t(key)));
/** @param {string} stage */
const callout = (stage) =>
  h('div', { class: 'callout' }, h('h3', {}, t(`${stage}.callout.title`)), h('p', {}, t(`${stage}.callout.text`)));

/** @param {...(Node|null)} more */
const topbar = (...more) =>
  h(
    'header',
    { class: 'topbar' },
    h('b', { class: 'brand' }, h('img', { src: '../../www/icon.svg', alt: '' }), 'webtune'),
    ...more,
    h('span', { class: 'chip' }, 'CPU'),
    h('span', { class: 'chip good' }, t('self_test.passed')),
    h('span', { class: 'chip quiet' }, moment.language === 'ko' ? '한국어' : 'English'),
  );

/** A link to a view, with the mark of its stage. @param {string} view @param {number} at @param {string} current */
function stageLink(view, at, current) {
  const marks = { idle: String(at), running: '', done: '✓', error: '!' };
  const state = view === 'overview' ? 'idle' : stageState(view);
  const key = view === 'export' ? 'export.title' : `short.${view}`;
  return h(
    'button',
    {
      type: 'button',
      class: 'stage',
      'data-state': state,
      'data-view': view,
      'aria-current': view === current ? 'page' : null,
      on: { click: () => show({ view }) },
    },
    h('i', { class: 'mark', 'aria-hidden': 'true' }, view === 'overview' ? '◫' : marks[state]),
    h('span', {}, view === 'overview' ? own('overview') : t(key)),
  );
}
const stages = [...STAGES, 'export'];

// A: one view at a time beside a rail of stages; the primary action stays at the bottom.
export function railLayout() {
  const view = moment.view || 'overview';
  const links = ['overview', ...stages].map((name, at) => stageLink(name, at, view));
  return h(
    'div',
    { class: 'layout rail-layout' },
    topbar(),
    h('nav', { class: 'rail', 'aria-label': own('stages') }, ...links),
    view === 'overview'
      ? h('main', { class: 'overview' }, h('h1', {}, t('page.promise')), threeColumns(true))
      : h('main', { class: 'view' }, ...viewPanes(view)),
    h('footer', { class: 'dock' }, parts.primary(), parts.facts(), parts.progress()),
  );
}

/** @param {string} view */
function viewPanes(view) {
  const { side, main } = VIEWS[view];
  return [
    h('header', { class: 'view-head' }, h('h2', {}, t(`${view}.title`)), h('p', { class: 'note' }, t(`${view}.lead`))),
    h('section', { class: 'panel-side' }, ...side()),
    h('section', { class: 'panel-main' }, ...main()),
  ];
}

/**
 * The columns gather, train and preview. In the overview of A the dock has the primary action, and the heads of the
 * columns lead to the views; in B they open drawers.
 * @param {boolean} inRail
 */
function threeColumns(inRail) {
  /** @param {string} view */
  const open = (view) => (inRail ? show({ view }) : show({ drawer: view }));
  /** @param {'gather'|'train'|'preview'} name @param {string[]} views @param {...(Node|null)} content */
  const column = (name, views, ...content) => {
    const links = views.map((view) =>
      h(
        'button',
        { type: 'button', class: 'link', 'data-view': view, on: { click: () => open(view) } },
        view === 'training' && !inRail ? own('settings') : t(view === 'export' ? 'export.title' : `short.${view}`),
      ),
    );
    return h(
      'section',
      { class: `column ${name}` },
      h('header', {}, h('h2', {}, own(name))),
      h('div', { class: 'column-body' }, ...content),
      h('footer', {}, ...links),
    );
  };
  const action = inRail ? null : h('div', { class: 'column-action' }, parts.primary(), parts.facts());
  return h(
    'div',
    { class: 'columns' },
    column('gather', ['dataset', 'split', 'model', 'tokens'], parts.examples(), parts.split()),
    column('train', ['training'], action, inRail ? null : parts.progress(), parts.training({ compact: true })),
    column(
      'preview',
      ['evaluation', 'try', 'export'],
      parts.evaluation({ compact: true }),
      parts.tryIt({ compact: true }),
    ),
  );
}

// B: Teachable Machine's three columns on one screen; details are in drawers.
export function columnsLayout() {
  const { drawer } = moment;
  const close = h(
    'button',
    { type: 'button', class: 'secondary', on: { click: () => show({ drawer: '' }) } },
    own('close'),
  );
  const aside = drawer && h('aside', { class: 'drawer', 'data-drawer': drawer }, close, ...drawerContent(drawer));
  return h('div', { class: 'layout columns-layout' }, topbar(), h('main', {}, threeColumns(false)), aside);
}

/** @param {string} view */
function drawerContent(view) {
  const { side, main } = VIEWS[view];
  const head = [h('h2', {}, t(`${view}.title`)), h('p', { class: 'note' }, t(`${view}.lead`))];
  // The curve is in the column already.
  return [...head, ...side(), ...(view === 'training' ? [] : main())];
}

// C: a table of runs, the settings, and the charts beside them; the stages are tabs.
export function runsLayout() {
  const view = moment.view || 'training';
  const { side, main } = VIEWS[view];
  const tabs = stages.map((name, at) => stageLink(name, at + 1, view));
  const result =
    view === 'training' ? [parts.training({ earlier: moment.state !== 'empty' }), trainingBelow()] : main();
  return h(
    'div',
    { class: 'layout runs-layout' },
    topbar(),
    h('nav', { class: 'tabs', 'aria-label': own('stages') }, ...tabs),
    h('section', { class: 'runs' }, h('h2', {}, own('runs')), runsTable(), parts.primary(), parts.facts()),
    h('section', { class: 'panel-side' }, h('h2', {}, t(`${view}.title`)), ...side()),
    h('section', { class: 'panel-main' }, ...result),
    h('footer', { class: 'status' }, parts.progress()),
  );
}
const trainingBelow = () => parts.evaluation({ compact: true });

function runsTable() {
  if (moment.state === 'empty') return h('p', { class: 'note' }, own('no_runs'));
  const body = h('tbody', {});
  follow(() => {
    const runs = [...EARLIER, ...(moment.state === 'error' ? [] : [{ ...RECOMMENDED, evaluations: evaluated() }])];
    body.replaceChildren(...runs.map((run, at) => runRow(run, at)).reverse());
  });
  const names = ['', t('setting.learning_rate.label'), t('training.loss'), t('evaluation.accuracy')];
  return h(
    'table',
    { class: 'rows', 'data-part': 'runs' },
    h('thead', {}, h('tr', {}, ...names.map((name) => h('th', {}, name)))),
    body,
  );
}

/** @param {import('./recorded.js').RecordedRun} run @param {number} at */
function runRow({ rate, loss, evaluations }, at) {
  const current = at === EARLIER.length;
  const step = current && moment.state === 'running' ? moment.step : MAX_STEPS;
  const accuracy = evaluations.at(-1)?.accuracy;
  const cells = [String(at + 1), rate, loss[step - 1].toFixed(3), accuracy === undefined ? '–' : percent(accuracy)];
  return h('tr', { class: current ? 'current' : '' }, ...cells.map((cell) => h('td', { class: 'number' }, cell)));
}
