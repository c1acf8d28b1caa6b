// The charts of a training run: loss, learning rate, and gradient norm by step.

import { lineChart } from '../charts/line.js';
import { h } from '../dom.js';
import { t } from '../i18n.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../charts/line.js').Column} Column */

/** Charts are redrawn no more often than this, because a redraw at every step would block the main thread. */
const DRAW_EVERY_MS = 200;
/** Of longer runs only every n-th step is drawn, because a chart has fewer pixels. */
const MAX_POINTS = 1500;

/** @param {import('../state.js').Store<AppState>} store */
export function trainingCharts(store) {
  const loss = lineChart({
    height: 240,
    title: () => t('training.loss'),
    x: () => t('training.step'),
    sync: 'training',
    lines: [
      { label: () => t('training.loss'), color: '--series-1' },
      { label: () => t('training.eval_loss'), color: '--series-2', kind: 'points' },
    ],
  });
  const rate = lineChart({
    height: 170,
    title: () => t('training.learning_rate'),
    x: () => t('training.step'),
    sync: 'training',
    lines: [
      { label: () => t('training.learning_rate'), color: '--series-3' },
      { label: () => t('training.planned'), color: '--muted', kind: 'dashed' },
    ],
  });
  const norm = lineChart({
    height: 170,
    title: () => t('training.grad_norm'),
    x: () => t('training.step'),
    sync: 'training',
    lines: [{ label: () => t('training.grad_norm'), color: '--series-4' }],
  });
  const element = h(
    'div',
    { class: 'charts' },
    figure('training.loss', 'training.loss_about', loss.element, 'wide'),
    figure('training.learning_rate', 'training.learning_rate_about', rate.element),
    figure('training.grad_norm', 'training.grad_norm_about', norm.element),
  );

  let drawn = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const draw = () => {
    drawn = performance.now();
    const columns = chartColumns(store.state);
    loss.show(columns.loss);
    rate.show(columns.rate);
    norm.show(columns.norm);
  };
  store.watch(['logs', 'plan', 'evaluations', 'run'], () => {
    clearTimeout(timer);
    const wait = DRAW_EVERY_MS - (performance.now() - drawn);
    if (wait <= 0) draw();
    else timer = setTimeout(draw, wait);
  });
  store.watch(['language', 'theme'], () => {
    for (const chart of [loss, rate, norm]) chart.refresh();
  });
  return element;
}

/**
 * @param {string} title
 * @param {string} about
 * @param {HTMLElement} chart
 * @param {string} [size]
 */
function figure(title, about, chart, size = '') {
  return h(
    'figure',
    { class: size },
    h('figcaption', {}, h('strong', { i18n: title }), ' ', h('span', { class: 'note', i18n: about })),
    chart,
  );
}

/** The gradient norm is not finite where fp16 skipped the update. @param {number|undefined} value */
const finite = (value) => (Number.isFinite(value) ? (value ?? null) : null);

/**
 * Logs and plan as columns. The plan is the form's before the first run, then that of the latest run.
 * @param {AppState} state
 */
function chartColumns({ logs, plan, evaluations, run }) {
  const planned = (run.kind === 'idle' ? plan : run.plan)?.learning_rates ?? [];
  const last = Math.max(planned.length, logs.at(-1)?.step ?? 0);
  const every = Math.max(1, Math.ceil(last / MAX_POINTS));
  const byStep = new Map(logs.map((log) => [log.step, log]));
  const evaluated = new Map(evaluations.map((report) => [report.step, report.eval_loss]));
  /** @type {Column} */
  const steps = [];
  for (let step = 1; step <= last; step += 1) if (step % every === 0 || evaluated.has(step)) steps.push(step);
  const log = (/** @type {number|null} */ step) => (step === null ? undefined : byStep.get(step));
  return {
    loss: [steps, steps.map((step) => log(step)?.loss ?? null), steps.map((step) => evaluated.get(step ?? 0) ?? null)],
    rate: [
      steps,
      steps.map((step) => log(step)?.learning_rate ?? null),
      steps.map((step) => planned[(step ?? 0) - 1] ?? null),
    ],
    norm: [steps, steps.map((step) => finite(log(step)?.grad_norm))],
  };
}
