// The charts of a training run: loss, accuracy, learning rate, and gradient norm by step.

import { comparable } from '../baselines.js';
import { chartMenu } from './chart-menu.js';
import { BASELINES, accuracyColumns, accuracyRange } from '../charts/accuracy.js';
import { chartColumns } from '../charts/columns.js';
import { lineChart } from '../charts/line.js';
import { h, setAttribute, throttled } from '../dom.js';
import { percent, t } from '../i18n.js';
import { hasValidation, lastOfTest } from '../reports.js';

/** @typedef {import('../state.js').AppState} AppState */

/** Charts are redrawn no more often than this, because a redraw at every step would block the main thread. */
const DRAW_EVERY_MS = 200;
/** The lines of the baselines differ by their dashes, in CSS pixels. */
const DASHES = { majority: [2, 4], tfidf: [8, 4], embeddings: [10, 3, 2, 3] };

/** @param {import('../state.js').Store<AppState>} store */
export function trainingCharts(store) {
  const loss = lineChart({
    title: () => t('training.loss'),
    x: () => t('training.step'),
    sync: 'training',
    lines: [
      { label: () => t('training.loss'), color: '--series-1' },
      { label: () => t('training.eval_loss'), color: '--series-2', kind: 'points' },
    ],
  });
  const accuracy = lineChart({
    title: () => t('baselines.chart'),
    x: () => t('training.step'),
    sync: 'training',
    range: accuracyRange,
    format: (value) => percent(value),
    lines: [
      { label: () => t('baselines.model'), color: '--series-2' },
      { label: () => t('baselines.validation'), color: '--series-1', dash: [6, 3] },
      ...BASELINES.map((id) => ({
        label: () => t(`baselines.short.${id}`),
        color: '--muted',
        kind: /** @type {const} */ ('level'),
        dash: DASHES[id],
      })),
    ],
  });
  const rate = lineChart({
    title: () => t('training.learning_rate'),
    x: () => t('training.step'),
    sync: 'training',
    lines: [
      { label: () => t('training.learning_rate'), color: '--series-3' },
      { label: () => t('training.planned'), color: '--muted', kind: 'dashed' },
    ],
  });
  const norm = lineChart({
    title: () => t('training.grad_norm'),
    x: () => t('training.step'),
    sync: 'training',
    lines: [{ label: () => t('training.grad_norm'), color: '--series-4' }],
  });
  const element = h(
    'div',
    { class: 'charts' },
    figure('training.loss', chartMenu(store, loss, 'loss', 'training.loss'), loss.element, 'wide'),
    figure('baselines.chart', chartMenu(store, accuracy, 'accuracy', 'baselines.chart'), accuracy.element, 'accuracy'),
    figure('training.learning_rate', chartMenu(store, rate, 'learning-rate', 'training.learning_rate'), rate.element),
    figure('training.grad_norm', chartMenu(store, norm, 'gradient-norm', 'training.grad_norm'), norm.element),
  );

  const draw = throttled(() => {
    const columns = chartColumns(store.state);
    loss.show(columns.loss);
    rate.show(columns.rate);
    norm.show(columns.norm);
    const { evaluations } = store.state;
    const baselines = comparable(store.state, lastOfTest(evaluations));
    const isHeldOut = hasValidation(evaluations);
    const hadLegendOfOne = !element.hasAttribute('data-validation');
    setAttribute(element, 'data-validation', isHeldOut ? 'true' : null);
    // The legend of two lines has another place.
    if (isHeldOut === hadLegendOfOne) accuracy.refresh();
    accuracy.show(accuracyColumns(columns.steps, evaluations, baselines));
  }, DRAW_EVERY_MS);
  store.watch(['logs', 'plan', 'evaluations', 'run', 'baselines', 'split'], draw);
  store.watch(['language', 'theme'], () => {
    for (const chart of [loss, accuracy, rate, norm]) chart.refresh();
  });
  return element;
}

/**
 * @param {string} title
 * @param {HTMLElement} menu
 * @param {HTMLElement} chart
 * @param {string} [size]
 */
function figure(title, menu, chart, size = '') {
  const about = h('span', { class: 'note', i18n: `${title}_about` });
  return h('figure', { class: size }, h('figcaption', {}, h('strong', { i18n: title }), menu, about), chart);
}
