// The strip that stays in view: the primary button, the stages with their state, the current activity, and the controls
// of a training run. Above it, the choice of a preset.

import { alert } from '../components/notices.js';
import { byId, h, replace, setAttribute, setText } from '../dom.js';
import { bytes, duration, number, percent, t, tOr } from '../i18n.js';
import { STAGES } from '../stages.js';
import { runResult, runningRun } from '../state.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../stages.js').Stage} Stage */

/** The state that the strip shows. @type {(keyof AppState)[]} */
const WATCHED = [
  'stages',
  'busy',
  'run',
  'opened',
  'fatal',
  'download',
  'phase',
  'evaluations',
  'language',
  'dataset',
  'split',
  'model',
  'tokens',
  'prediction',
  'logs',
  'archive',
  'comparison',
];
const PRESETS = /** @type {const} */ (['recommended', 'article']);

/** @param {App} app */
export function progressPanel(app) {
  presets(app);
  const { store, workflow } = app;
  const run = h('button', {
    type: 'button',
    class: 'primary',
    'data-testid': 'run-all',
    on: { click: () => void workflow.runAll() },
  });
  const items = new Map(STAGES.map((stage) => [stage, stageItem(stage)]));
  const message = h('p', { class: 'now', 'data-testid': 'now' });
  const fill = h('span', { class: 'line-fill' });
  const line = h('div', { class: 'line', 'aria-hidden': 'true' }, fill);
  const spoken = h('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  const problem = h('div', { class: 'problem' });
  const strip = byId('progress');
  strip.append(
    h(
      'div',
      { class: 'strip' },
      h('div', { class: 'strip-run' }, run, controls(app)),
      h(
        'ol',
        { class: 'stages', 'data-i18n-label': 'run.stages', 'aria-label': t('run.stages') },
        ...[...items.values()].map(({ element }) => element),
      ),
      message,
    ),
    line,
    problem,
    spoken,
  );

  store.watch(WATCHED, (state) => {
    run.disabled = state.busy || state.opened === null || state.fatal !== null;
    setText(run, t(state.busy ? 'run.busy' : runResult(state) ? 'run.again' : 'run.all'));
    setAttribute(run, 'aria-busy', state.busy ? 'true' : null);
    for (const [stage, item] of items) item.show(state);
    const current = STAGES.find((stage) => state.stages[stage].state === 'running');
    const progress = current ? state.stages[current].progress : null;
    line.classList.toggle('unknown', current !== undefined && progress === null);
    line.classList.toggle('active', current !== undefined);
    fill.style.width = progress === null ? '' : `${progress * 100}%`;
    setText(message, nowMessage(state, current));
    setText(spoken, announcement(state, current));
    document.title = title(state, current);
  });
  store.watch(['refused', 'language'], ({ refused }) => {
    replace(problem, refused && alert(refused));
    if (refused?.field) document.getElementById(`setting-${refused.field}`)?.focus();
  });
}

/** @param {App} app */
function presets({ settings, store }) {
  const buttons = PRESETS.map((id) =>
    h('button', {
      type: 'button',
      class: 'segment',
      'data-testid': `preset-${id}`,
      i18n: `preset.${id}`,
      on: { click: () => settings.apply(id) },
    }),
  );
  const about = h('p', { class: 'note', role: 'status' });
  byId('presets').append(
    h(
      'div',
      { class: 'segments', role: 'group', 'data-i18n-label': 'preset.choose', 'aria-label': t('preset.choose') },
      ...buttons,
    ),
    about,
  );
  const show = () => {
    const chosen = settings.preset;
    buttons.forEach((button, at) => setAttribute(button, 'aria-pressed', String(PRESETS[at] === chosen)));
    setText(about, t(`preset.${chosen ?? 'custom'}.about`));
  };
  settings.subscribe(show);
  store.watch(['language'], show);
}

/** @param {Stage} stage */
function stageItem(stage) {
  const name = h('span', { class: 'stage-name', i18n: `short.${stage}` });
  const note = h('span', { class: 'stage-note' });
  const stateText = h('span', { class: 'visually-hidden' });
  const link = h(
    'a',
    { href: `#${stage}` },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    h('span', { class: 'stage-text' }, name, note),
    stateText,
  );
  const element = h('li', { 'data-testid': `stage-${stage}`, 'data-state': 'idle' }, link);
  return {
    element,
    /** @param {AppState} state */
    show(state) {
      const { state: stageState, stale } = state.stages[stage];
      setAttribute(element, 'data-state', stageState);
      setAttribute(element, 'data-stale', stale ? 'true' : null);
      setAttribute(element, 'aria-current', stageState === 'running' ? 'step' : null);
      setText(stateText, t(`stage.${stageState}`));
      setText(note, stageState === 'done' || stageState === 'running' ? stageNote(state, stage) : '');
    },
  };
}

/**
 * The outcome of a stage in a few words.
 * @param {AppState} state
 * @param {Stage} stage
 */
function stageNote(state, stage) {
  switch (stage) {
    case 'dataset':
      return state.dataset ? t('dataset.note', { rows: state.dataset.num_rows }) : '';
    case 'split':
      return state.split ? `${number(state.split.train_rows)} + ${number(state.split.test_rows)}` : '';
    case 'model':
      return state.model
        ? t('model.note', {
            parameters: number(state.model.parameters, { notation: 'compact', maximumSignificantDigits: 3 }),
          })
        : '';
    case 'tokens':
      return state.tokens ? t('tokens.note', { longest: state.tokens.longest }) : '';
    case 'training': {
      const { last } = state.logs;
      return last ? t('training.note', { loss: number(last.loss, { maximumFractionDigits: 3 }) }) : '';
    }
    case 'evaluation': {
      const last = state.evaluations.at(-1);
      return last ? percent(last.eval_accuracy) : '';
    }
    case 'try':
      return '';
  }
}

/**
 * The visible description of the current activity, which may change at every step.
 * @param {AppState} state
 * @param {Stage|undefined} current
 */
function nowMessage(state, current) {
  const { download, phase, archive, comparison } = state;
  const run = runningRun(state);
  if (run && current !== 'try') {
    const paused = run.state === 'paused' ? `${t('now.paused')} ` : '';
    if (run.evaluating) return paused + t('now.evaluating', run.evaluating);
    if (run.state === 'stopped') return t('now.stopping');
    if (run.step === 0)
      return t(run.state === 'paused' ? 'now.paused_at_start' : 'now.first_step', { max_steps: run.max_steps });
    const at = t('now.step', { step: run.step, max_steps: run.max_steps });
    if (paused) return paused + at;
    return run.eta_ms > 0 ? `${at} · ${t('now.left', { time: duration(run.eta_ms / 1000) })}` : at;
  }
  if (current === 'model') {
    if (download && download.loaded < download.total)
      return t('now.downloading', { loaded: bytes(download.loaded), total: bytes(download.total) });
    return phase ? tOr(`phase.${phase}`, phase) : t('now.model');
  }
  if (current) return t(`now.${current}`);
  if (archive.kind === 'writing') return t('export.progress', { bytes: bytes(archive.bytes) });
  if (comparison.kind === 'running') return t('self_test.comparing');
  if (state.fatal) return '';
  if (!state.opened) return t('now.opening');
  const failed = STAGES.find((stage) => state.stages[stage].state === 'error');
  if (failed) return t('now.failed', { stage: t(`${failed}.title`) });
  const result = runResult(state);
  if (result?.stopped) return t('now.stopped', { step: result.global_step, max_steps: result.max_steps });
  if (result) return t('now.done', { steps: result.global_step, time: duration(result.train_runtime) });
  return t('now.ready');
}

/**
 * The announcement of a screen reader, which changes only when a stage starts, ends or fails.
 * @param {AppState} state
 * @param {Stage|undefined} current
 */
function announcement(state, current) {
  if (runningRun(state)?.state === 'paused') return t('now.paused');
  if (current) return t('now.spoken', { stage: t(`${current}.title`) });
  if (state.busy) return '';
  return nowMessage(state, undefined);
}

/**
 * @param {AppState} state
 * @param {Stage|undefined} current
 */
function title(state, current) {
  const name = t('page.title');
  const run = runningRun(state);
  if (run && run.step > 0) return `${number(run.step)}/${number(run.max_steps)} · ${name}`;
  return state.busy && current ? `${t(`${current}.title`)} · ${name}` : name;
}

/** @param {App} app */
function controls({ store, workflow }) {
  const control = (/** @type {'pause'|'resume'|'step'|'stop'} */ action) =>
    h('button', {
      type: 'button',
      class: 'secondary',
      'data-testid': action,
      i18n: `control.${action}`,
      on: { click: () => void workflow.control(action).catch(() => {}) },
    });
  const pause = control('pause');
  const resume = control('resume');
  const step = control('step');
  const stop = control('stop');
  const group = h(
    'div',
    { class: 'controls', role: 'group', 'data-i18n-label': 'control.group', 'aria-label': t('control.group') },
    pause,
    resume,
    step,
    stop,
  );
  store.watch(['run'], (state) => {
    const run = runningRun(state);
    const focused = document.activeElement;
    group.hidden = run === null;
    const paused = run?.state === 'paused';
    pause.hidden = paused;
    resume.hidden = !paused;
    for (const button of [pause, resume, step]) button.disabled = run?.state === 'stopped';
    // A second stop ends the evaluation of a stopped run.
    stop.disabled = run?.state === 'stopped' && !run.evaluating;
    // Pause and resume replace each other, so the focus moves with them.
    if (focused === pause && paused) resume.focus();
    if (focused === resume && run && !paused) pause.focus();
  });
  return group;
}
