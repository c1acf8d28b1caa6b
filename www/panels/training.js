// Training: the plan of the run and its warnings, then the progress of the run.

import { accuracyTable } from './baselines.js';
import { keptModels } from './kept-models.js';
import { memoryPanel } from './memory.js';
import { presets } from './presets.js';
import { settingsFoot, settingsForm } from './settings-form.js';
import { trainingCharts } from './training-charts.js';
import { figures } from '../components/figures.js';
import { fold } from '../components/fold.js';
import { callout, warningList } from '../components/notices.js';
import { panelParts, stageButton } from './widgets.js';
import { h, replace, setOff, setText } from '../dom.js';
import { nextTask } from '../next-task.js';
import { bytes, duration, number, percent, t } from '../i18n.js';
import { isBlocked, runResult, runningRun } from '../state.js';

/** @typedef {import('../state.js').AppState} AppState */

/** The most steps of checkpoints that a line names. */
const MAX_STEPS = 8;

/**
 * Made in several tasks, because its forms have most of the settings.
 * @param {import('../app.js').App} app
 */
export async function trainingPanel(app) {
  const { store, workflow, settings } = app;
  const { head, side, main } = panelParts('training');
  const { row, problem } = stageButton(app, 'training');
  const byHand = h('button', {
    type: 'button',
    class: 'quiet',
    'data-testid': 'train-paused',
    i18n: 'training.by_hand',
    on: { click: () => void workflow.run('training', { paused: true }) },
  });
  row.querySelector('.actions')?.append(byHand);
  const form = settingsForm(app, 'training');
  await nextTask();
  const memory = fold(store, 'expert', 'settings.memory', settingsForm(app, 'memory'));
  const controls = [presets(app), form, memory, settingsFoot(app, side, row)];
  await nextTask();
  const plan = h('div', { class: 'plan' });
  const live = h('div', { class: 'live' });
  const restored = h('p', { class: 'note', 'data-testid': 'restored' });
  const checkpoints = h('p', { class: 'note', 'data-testid': 'checkpoints', role: 'status' });
  const saved = h('p', { class: 'note', 'data-testid': 'state-saved' });
  const charts = trainingCharts(store);
  await nextTask();
  side.append(...controls);
  head.append(fold(store, 'teach-only', 'fold.explain', callout('training.callout')));
  main.append(
    problem,
    keptModels(app),
    live,
    restored,
    checkpoints,
    saved,
    charts,
    plan,
    accuracyTable(store),
    memoryPanel(app),
  );

  store.watch(['busy', 'opened', 'fatal'], (state) => {
    setOff(byHand, isBlocked(state));
  });
  const showPlan = () => replace(plan, ...planText(store.state, settings.preset));
  store.watch(['plan', 'split', 'run', 'language'], showPlan);
  settings.subscribe(showPlan);
  store.watch(['run', 'logs', 'evaluations', 'language'], (state) => replace(live, liveFigures(state)));
  store.watch(['checkpoints', 'language'], (state) => {
    setText(checkpoints, checkpointText(state.checkpoints));
    checkpoints.hidden = checkpoints.textContent === '';
    checkpoints.classList.toggle('stale', state.checkpoints.notSaved !== null);
  });
  store.watch(['saved', 'stateNotSaved', 'run', 'language'], (state) => {
    setText(saved, savedText(state));
    saved.hidden = saved.textContent === '';
    saved.classList.toggle('stale', state.stateNotSaved !== null);
  });
  store.watch(['run', 'language'], (state) => {
    setText(restored, bestText(runResult(state)));
    restored.hidden = restored.textContent === '';
  });
}

/**
 * Why the model is that of an earlier epoch, or why the run ended early; nothing for other runs.
 * @param {import('../protocol.js').TrainResult|null} result
 */
function bestText(result) {
  const { best = null, stopped_early = false } = result ?? {};
  if (!result || !best) return '';
  const params = {
    epoch: number(best.best_epoch, { maximumFractionDigits: 2 }),
    step: best.best_step,
    metric: number(best.best_metric, { maximumFractionDigits: 3 }),
  };
  const isLast = best.best_step === result.global_step;
  const key = isLast ? 'training.best_is_last' : best.restored ? 'training.best_restored' : 'training.best_was';
  return [stopped_early && t('training.stopped_early'), t(key, params)].filter(Boolean).join(' ');
}

/**
 * The steps whose checkpoints are saved, and why one is not.
 * @param {AppState['checkpoints']} checkpoints
 */
function checkpointText({ kept, notSaved }) {
  const steps = kept.length > MAX_STEPS ? [...kept.slice(0, MAX_STEPS - 1).map(String), '…', kept.at(-1)] : kept;
  return [
    kept.length > 0 && t('training.checkpoints', { count: kept.length, steps: steps.join(', ') }),
    notSaved && t(`training.not_saved_${notSaved.reason}`, { step: notSaved.step }),
  ]
    .filter(Boolean)
    .join(' ');
}

/**
 * From where the run would continue after a crash.
 * @param {AppState} state
 */
function savedText({ run, saved, stateNotSaved }) {
  if (run.kind !== 'running') return '';
  if (stateNotSaved) return t(`training.state_not_saved_${stateNotSaved.reason}`, { step: stateNotSaved.step });
  if (!saved) return '';
  const { step, bytes: size, seconds } = saved;
  if (step === 0) return t('training.state_at_start');
  return t('training.state_saved', { step, size: bytes(size), time: duration(seconds) });
}

/**
 * The plan of the run as a sentence, and its warnings.
 * @param {AppState} state
 * @param {string|null} preset
 */
function planText({ plan, split, run }, preset) {
  if (!plan) return [h('p', { class: 'placeholder' }, t('training.no_plan'))];
  const known = new Set(plan.warnings.map(({ code }) => code));
  const warnings = [...plan.warnings, ...(split?.warnings ?? []).filter(({ code }) => !known.has(code))];
  // The result of the reference is known for the article's settings only.
  const list = warningList(warnings, 'warnings');
  if (preset === 'article')
    list?.querySelector('[data-code="warmup_longer_than_run"]')?.append(` ${t('training.article_ends')}`);
  return [
    h(
      'p',
      { class: 'plan-sentence' },
      t(run.kind === 'running' ? 'training.plan_running' : 'training.plan', {
        max_steps: plan.max_steps,
        steps_per_epoch: plan.steps_per_epoch,
        warmup_steps: plan.warmup_steps,
        peak: number(plan.schedule.peak),
      }),
    ),
    list,
  ];
}

/** @param {AppState} state */
function liveFigures(state) {
  const { logs } = state;
  const { step, max_steps, epoch, tokens_per_second, step_ms } = position(state);
  const { last } = logs;
  const evaluated = state.evaluations.at(-1);
  const run = runningRun(state);
  const result = runResult(state);
  return figures([
    {
      label: t('training.step'),
      value: step === null ? '–' : t('training.step_of', { step, max_steps }),
      attributes: { 'data-testid': 'train-step', 'data-step': step ?? 0 },
    },
    { label: t('training.epoch'), value: epoch === null ? '–' : number(epoch, { maximumFractionDigits: 2 }) },
    {
      label: t('training.loss'),
      value: last ? number(last.loss, { maximumFractionDigits: 4 }) : '–',
      attributes: { 'data-testid': 'train-loss', 'data-value': last ? last.loss : '' },
    },
    {
      label: t('evaluation.accuracy'),
      value: evaluated && evaluated.step > 0 ? percent(evaluated.eval_accuracy) : '–',
    },
    {
      label: t('training.tokens_per_second'),
      value: tokens_per_second > 0 ? number(tokens_per_second, { maximumFractionDigits: 0 }) : '–',
    },
    run
      ? { label: t('training.eta'), value: run.eta_ms > 0 ? duration(run.eta_ms / 1000) : '–' }
      : { label: t('training.runtime'), value: result ? duration(result.train_runtime) : '–' },
    { label: t('training.step_time'), value: step_ms ? duration(step_ms / 1000) : '–' },
  ]);
}

/**
 * The position of the latest run; null before the first.
 * @param {AppState} state
 * @returns {{
 *   step: number|null,
 *   max_steps: number,
 *   epoch: number|null,
 *   tokens_per_second: number,
 *   step_ms: number|null,
 * }}
 */
function position({ run, logs }) {
  switch (run.kind) {
    case 'idle':
      return { step: null, max_steps: 0, epoch: null, tokens_per_second: 0, step_ms: null };
    case 'running':
      return run;
    case 'failed':
      return { ...run, epoch: logs.last?.epoch ?? null, step_ms: null };
    case 'done': {
      const { global_step, max_steps, epoch, train_steps_per_second } = run.result;
      const { tokens_per_second } = run;
      return { step: global_step, max_steps, epoch, tokens_per_second, step_ms: 1000 / train_steps_per_second };
    }
  }
}
