// A pane that scrolls and has no control is a stop of the Tab key, so that a keyboard can scroll it.

import { byId, onFrame, setAttribute } from '../dom.js';

/** @typedef {import('../state.js').AppState} AppState */

const STOPS = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
/** After a change of these a pane may be longer, or have other controls. @type {(keyof AppState)[]} */
const WATCHED = ['view', 'depth', 'language', 'opened', 'openError', 'fatal', 'busy'];

/** @param {import('../state.js').Store<AppState>} store */
export function scrollablePanes(store) {
  const update = () => {
    const view = byId(store.state.view);
    const title = view.getAttribute('aria-labelledby');
    for (const pane of view.querySelectorAll('.panel-side, .panel-main')) {
      const stops = [...pane.querySelectorAll(STOPS)].some((stop) => stop.checkVisibility());
      const scrolls = pane.scrollHeight > pane.clientHeight && getComputedStyle(pane).overflowY === 'auto' && !stops;
      setAttribute(pane, 'tabindex', scrolls ? '0' : null);
      setAttribute(pane, 'role', scrolls ? 'group' : null);
      setAttribute(pane, 'aria-labelledby', scrolls ? title : null);
    }
  };
  store.watch(WATCHED, () => onFrame(update));
  window.addEventListener('resize', () => onFrame(update));
  window.addEventListener('keydown', ({ key }) => key === 'Tab' && update(), { capture: true });
}
