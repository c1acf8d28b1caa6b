// The menu beside a chart: the chart as SVG or PNG, and the log of its run as CSV or JSON.

import { lightColours, pngFile, svgFile } from '../charts/save.js';
import { h, setText } from '../dom.js';
import { save } from '../files.js';
import { currentLanguage, number, t } from '../i18n.js';
import { isThinned, runCsv, runFileName, runJson } from '../run-log.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {ReturnType<typeof import('../charts/line.js').lineChart>} Chart */

/**
 * @param {import('../state.js').Store<AppState>} store
 * @param {Chart} chart
 * @param {string} name  of the chart in file names
 * @param {string} title  i18n key
 */
export function chartMenu(store, chart, name, title) {
  const status = h('p', { class: 'note', role: 'status' });
  const thinned = h('p', { class: 'note', i18n: 'chart_menu.thinned' });
  const item = (/** @type {string} */ key, /** @type {() => Blob|Promise<Blob>} */ make) => {
    const [what, extension = ''] = [key === 'csv' || key === 'json' ? 'log' : name, key];
    const press = async () => {
      try {
        const file = runFileName(store.state, what, extension);
        save(file, await make());
        close(true);
      } catch (error) {
        setText(status, t('chart_menu.failed', { problem: error instanceof Error ? error.message : String(error) }));
      }
    };
    return h('button', {
      type: 'button',
      class: 'quiet',
      'data-testid': `${name}-${key}`,
      i18n: `chart_menu.${key}`,
      on: { click: () => void press() },
    });
  };
  const summary = h('summary', {
    'data-testid': `save-${name}`,
    // The name of the chart follows in the label of the list.
    'data-i18n-label': 'chart_menu.open',
    'aria-label': t('chart_menu.open'),
  });
  const menu = h(
    'details',
    { class: 'chart-menu' },
    summary,
    h(
      'div',
      { class: 'chart-menu-list', role: 'group', 'data-i18n-label': title, 'aria-label': t(title) },
      item('svg', () => svgFile(drawingOf(store.state, chart))),
      item('png', () => pngFile(drawingOf(store.state, chart))),
      item('csv', () => new Blob([runCsv(store.state)], { type: 'text/csv' })),
      item('json', () => new Blob([runJson(store.state)], { type: 'application/json' })),
      thinned,
      status,
    ),
  );

  function close(takesFocus = false) {
    if (!menu.open) return;
    menu.open = false;
    setText(status, '');
    if (takesFocus) summary.focus();
  }
  menu.addEventListener('toggle', () => {
    thinned.hidden = !isThinned(store.state);
  });
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    event.stopPropagation();
    close(true);
  });
  menu.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !menu.contains(relatedTarget)) close();
  });
  document.addEventListener('click', ({ target }) => {
    if (target instanceof Node && !menu.contains(target)) close();
  });
  // Without a run there is nothing to save.
  store.watch(['run'], ({ run }) => {
    menu.hidden = run.kind === 'idle';
  });
  return menu;
}

/**
 * @param {AppState} state
 * @param {Chart} chart
 * @returns {import('../charts/svg.js').Drawing}
 */
function drawingOf({ model, run, trained }, chart) {
  const { lines, ...rest } = chart.drawing();
  const named = lines.map(({ color }) => color);
  const [ground = '', ink = '', muted = '', grid = '', ...colours] = lightColours([
    '--surface',
    '--ink',
    '--muted',
    '--grid',
    ...named,
  ]);
  const steps = run.kind === 'done' ? run.result.global_step : run.kind === 'idle' ? 0 : run.step;
  const facts = { model: model?.name ?? '', steps, seed: String(trained?.seed ?? '–') };
  return {
    ...rest,
    about: t(trained && run.kind !== 'running' ? 'chart_menu.about' : 'chart_menu.about_running', facts),
    language: currentLanguage(),
    lines: lines.map((line, at) => ({ ...line, color: colours[at] ?? ink })),
    formatX: (value) => number(value),
    style: { ground, ink, muted, grid, font: 'system-ui, sans-serif' },
  };
}
