// What the panels share: their two columns, and the button that runs a stage.

import { alert } from '../components/notices.js';
import { h, replace, setOff, setText } from '../dom.js';
import { t } from '../i18n.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../stages.js').Stage} Stage */

/**
 * Finds the heading and the two panes of a view in index.html: controls at the side, the result in the main pane.
 * @param {string} id
 */
export function panelParts(id) {
  const part = (/** @type {string} */ name) => {
    const element = document.querySelector(`#${id} > .panel-${name}`);
    if (element instanceof HTMLElement) return element;
    throw new Error(`index.html has no .panel-${name} in #${id}`);
  };
  return { head: part('head'), side: part('side'), main: part('main') };
}

/**
 * The last part of the controls of a view, which stays in view while they scroll.
 * @param {...HTMLElement} children
 */
export const sideFoot = (...children) => h('div', { class: 'side-foot' }, ...children);

/**
 * The button that runs a stage, the stages that it needs first, and its error.
 * @param {App} app
 * @param {Stage} stage
 * @param {() => void} [press]  what the button does; by default it runs the stage
 * @param {(error: import('../session.js').ShownError) => HTMLElement} [show]  how an error is shown
 * @returns {{button: HTMLButtonElement, row: HTMLElement, problem: HTMLElement}}
 */
export function stageButton({ store, workflow }, stage, press = () => void workflow.run(stage), show = alert) {
  const button = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: `${stage}.run`,
    'data-testid': `run-${stage}`,
    on: { click: () => press() },
  });
  const note = h('p', { class: 'note' });
  const row = h('div', { class: 'actions' }, button);
  const problem = h('div', { class: 'problem' });
  const side = h('div', { class: 'stage-run' }, row, note);
  store.watch(['stages', 'busy', 'opened', 'fatal', 'language'], (state) => {
    setOff(button, isBlocked(state));
    const missing = workflow.missing(stage).map((need) => t(`${need}.title`));
    const current = state.stages[stage];
    setText(
      note,
      current.stale && current.state === 'done'
        ? t('stage.stale')
        : missing.length > 0
          ? t('stage.needs', { stages: missing.join(', ') })
          : '',
    );
    note.classList.toggle('stale', current.stale);
    // An equal error keeps its element, because a new element would be announced again.
    if (problem.dataset.error !== String(current.error?.message)) {
      problem.dataset.error = String(current.error?.message);
      replace(problem, current.error && show(current.error));
    }
  });
  return { button, row: side, problem };
}
