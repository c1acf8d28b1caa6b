// The dock, which is in view at all times: the primary action, the controls of a training run, the current activity,
// and why the last press started nothing.

import { alert } from '../components/notices.js';
import { byId, h, replace, setAttribute, setOff, setText } from '../dom.js';
import { t } from '../i18n.js';
import { isBlocked, runResult, runningRun } from '../state.js';
import { goToControl } from './route.js';
import { announcement, failedStage, nowMessage, runningStage, windowTitle } from './now.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../state.js').Store<AppState>} AppStore */
/** @typedef {import('../workflow.js').Workflow} Workflow */

/** The state that the dock shows. @type {(keyof AppState)[]} */
const WATCHED = [
  'view',
  'stages',
  'busy',
  'run',
  'opened',
  'openError',
  'fatal',
  'download',
  'phase',
  'language',
  'archive',
  'comparison',
  'importing',
];

/**
 * Needs only the store until the worker has described its settings; `connect` then gives the buttons their actions.
 * @param {AppStore} store
 */
export function dock(store) {
  /** @type {Workflow|null} */
  let workflow = null;
  const run = h('button', {
    type: 'button',
    class: 'primary',
    'data-testid': 'run-all',
    'aria-describedby': 'facts',
    on: { click: () => void workflow?.runAll() },
  });
  const group = controls(store, (action) => void workflow?.control(action).catch(() => {}));
  const message = h('p', { class: 'now', 'data-testid': 'now' });
  const facts = h('p', { class: 'facts-line', id: 'facts', 'data-testid': 'facts' });
  const fill = h('span', { class: 'line-fill' });
  const line = h('div', { class: 'line', 'aria-hidden': 'true' }, fill);
  const spoken = h('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  const problem = h('div', { class: 'problem' });
  byId('dock').replaceChildren(
    line,
    problem,
    h('div', { class: 'dock-run' }, run, group),
    h('div', { class: 'dock-text' }, message, facts),
    spoken,
  );

  store.watch(WATCHED, (state) => {
    const running = runningRun(state) !== null;
    const focused = document.activeElement;
    const hadFocus = focused === run || group.contains(focused);
    const hadLink = message.contains(focused);
    setOff(run, isBlocked(state) || workflow === null);
    // The controls of a run take the place of the button that starts one, and the focus with it.
    run.hidden = running;
    group.hidden = !running;
    if (hadFocus && running === (focused === run)) (running ? firstShown(group) : run)?.focus();
    setText(run, t(state.busy ? 'run.busy' : runResult(state) ? 'run.again' : 'run.all'));
    setAttribute(run, 'aria-busy', state.busy ? 'true' : null);
    const current = runningStage(state);
    const progress = current ? state.stages[current].progress : null;
    line.classList.toggle('unknown', current !== undefined && progress === null);
    line.classList.toggle('active', current !== undefined);
    fill.style.width = progress === null ? '' : `${progress * 100}%`;
    showMessage(message, state);
    // The link to a failure is gone when another message takes its place.
    if (hadLink && !message.contains(focused)) (running ? firstShown(group) : run)?.focus();
    message.classList.toggle('ready', !state.busy && state.opened !== null && state.run.kind === 'idle');
    setText(spoken, announcement(state));
    document.title = windowTitle(state);
  });
  store.watch(['refused', 'language'], ({ refused }) => replace(problem, refused && alert(refused)));
  return {
    facts,
    /** @param {Workflow} connected */
    connect(connected) {
      workflow = connected;
    },
  };
}

/** @param {HTMLElement} group */
const firstShown = (group) => /** @type {HTMLElement|null} */ (group.querySelector('button:not([hidden])'));

/**
 * A failure is a link to the view that shows the error.
 * @param {HTMLElement} element
 * @param {AppState} state
 */
function showMessage(element, state) {
  const text = nowMessage(state);
  if (element.textContent === text) return;
  const failed = state.busy || !state.opened ? undefined : failedStage(state);
  if (failed) replace(element, h('a', { href: `#${failed}` }, text));
  else setText(element, text);
}

/**
 * @param {AppStore} store
 * @param {(action: 'pause'|'resume'|'step'|'stop') => void} press
 */
function controls(store, press) {
  const control = (/** @type {'pause'|'resume'|'step'|'stop'} */ action) =>
    h('button', {
      type: 'button',
      class: 'secondary',
      'data-testid': action,
      i18n: `control.${action}`,
      on: { click: () => press(action) },
    });
  const [pause, resume, step, stop] = [control('pause'), control('resume'), control('step'), control('stop')];
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
    const paused = run?.state === 'paused';
    pause.hidden = paused;
    resume.hidden = !paused;
    for (const button of [pause, resume, step]) setOff(button, run?.state === 'stopped');
    // A second stop ends the evaluation of a stopped run.
    setOff(stop, run?.state === 'stopped' && !run.evaluating);
    // Pause and resume replace each other, so the focus moves with them.
    if (focused === pause && paused) resume.focus();
    if (focused === resume && run && !paused) pause.focus();
  });
  return group;
}

/**
 * Shows the field that the last press was refused for.
 * @param {import('../app.js').App} app
 */
export function showRefusedField({ store, settings }) {
  store.watch(['refused'], ({ refused }) => {
    const setting = refused?.field ? settings.find(refused.field) : null;
    if (!setting) return;
    goToControl(viewOfSetting(setting), `setting-${setting.name}`);
  });
}

/** The view with the form of a setting. @param {import('../protocol.js').Setting} setting */
export const viewOfSetting = ({ group }) =>
  /** @type {import('../views.js').View} */ (group === 'data' ? 'dataset' : group === 'memory' ? 'training' : group);
