// A part of the page that is folded at a lower depth. Nothing is removed: the visitor opens and closes it by hand too.

import { isOpenAt } from '../depth.js';
import { h } from '../dom.js';

/** @typedef {import('../depth.js').Depth} Depth */
/**
 * @typedef {object} DepthStore
 * @property {{depth: Depth}} state
 * @property {(keys: 'depth'[], listener: (state: {depth: Depth}) => void) => void} watch
 */

/**
 * Made once, not at each redraw, because it follows the store as long as the page lives.
 * @param {DepthStore} store
 * @param {Depth|'teach-only'} depth
 * @param {string} summaryKey  i18n key
 * @param {...import('../dom.js').Child} children
 */
export function fold(store, depth, summaryKey, ...children) {
  const element = h(
    'details',
    { class: 'fold', 'data-depth': depth },
    h('summary', { i18n: summaryKey }),
    h('div', { class: 'fold-body' }, ...children),
  );
  /** @type {Depth|null} */
  let shown = null;
  store.watch(['depth'], (state) => {
    // An update with an equal depth keeps what the visitor has opened.
    if (state.depth !== shown) {
      const body = element.lastElementChild;
      element.open = isOpenAt(depth, state.depth);
      // The focus must not stay in what is folded.
      if (!element.open && body?.contains(document.activeElement)) element.querySelector('summary')?.focus();
    }
    shown = state.depth;
  });
  return element;
}
