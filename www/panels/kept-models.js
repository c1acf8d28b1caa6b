// The trained models that the worker holds: the one in use and the other one that is kept, with a button for each
// change.

import { h, replace } from '../dom.js';
import { t } from '../i18n.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../protocol.js').TrainedState} TrainedState */

/** @param {App} app */
export function keptModels({ store, workflow }) {
  const element = h('div', { 'data-testid': 'kept-models' });
  /** @type {(keyof AppState)[]} */
  const watched = ['trained', 'previous', 'exchanged', 'run', 'stages', 'plan', 'busy', 'fatal', 'language'];
  /** @type {unknown[]} */
  let shown = [];
  store.watch(watched, (state) => {
    const { trained, previous, exchanged, run, busy, fatal, language } = state;
    const lacking = lacksMemory(state);
    const failed = run.kind === 'failed';
    // A step changes the run, but nothing here. What is kept beside a run is reported when it ends.
    const hidden = run.kind === 'running' || fatal !== null;
    const next = [hidden, trained, previous, exchanged, failed, busy, lacking, language];
    if (next.every((value, at) => value === shown[at])) return;
    shown = next;
    const had = element.contains(document.activeElement);
    replace(element, content());
    if (had) element.querySelector('button')?.focus();

    function content() {
      const lines = [
        trained && (previous || failed) && sentence(failed ? 'kept.failed' : 'kept.current', trained),
        previous && sentence(trained && exchanged ? 'kept.other_newer' : 'kept.other', previous),
        lacking && h('p', {}, t('kept.memory')),
      ].filter((line) => line);
      if (hidden || lines.length === 0) return null;
      return h('div', { class: 'kept-models' }, ...lines, actions());
    }

    function actions() {
      const use = previous && button('use-previous', useKey(state), () => void workflow.restorePrevious());
      const model = trained ? 'trained' : 'previous';
      const free = lacking && button('discard', 'kept.discard', () => confirmed() && void workflow.discard(model));
      return (use || free) && h('div', { class: 'actions' }, use, free);
    }

    function button(/** @type {string} */ id, /** @type {string} */ key, /** @type {() => void} */ click) {
      return h(
        'button',
        {
          type: 'button',
          class: 'secondary',
          'data-testid': id,
          // Not `disabled`, because a press would then lose the focus.
          'aria-disabled': busy ? 'true' : null,
          on: { click },
        },
        t(key),
      );
    }
  });
  return element;
}

/** @param {AppState} state */
const useKey = ({ trained, exchanged }) => (trained && exchanged ? 'kept.use_newer' : 'kept.use_previous');

/**
 * @param {string} key
 * @param {TrainedState} model
 */
const sentence = (key, { global_step: step, seed }) => h('p', {}, t(key, { step, seed: String(seed) }));

const confirmed = () => confirm(t('kept.confirm'));

/**
 * Whether a run does not fit because of a model that is kept.
 * @param {AppState} state
 */
function lacksMemory({ plan, stages, trained, previous }) {
  if (!trained && !previous) return false;
  return plan?.memory?.shortage?.kind === 'kept' || stages.training.error?.code === 'memory_kept';
}
