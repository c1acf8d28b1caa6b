// A pane that scrolls and has no control is a stop of the Tab key, so that a keyboard can scroll it.

import { setAttribute } from '../dom.js';

const STOPS = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';

/** Follows the sizes of the panes and of their content. */
export function scrollablePanes() {
  const sizes = new ResizeObserver((entries) => {
    for (const pane of new Set(entries.map(({ target }) => target.closest('.panel-side, .panel-main'))))
      if (pane) update(pane);
  });
  const content = new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node instanceof Element) sizes.observe(node);
  });
  for (const pane of document.querySelectorAll('.panel-side, .panel-main')) {
    sizes.observe(pane);
    for (const child of pane.children) sizes.observe(child);
    content.observe(pane, { childList: true });
  }
}

/** @param {Element} pane */
function update(pane) {
  // A hidden pane has no size. It is observed again when its view is shown.
  if (!pane.checkVisibility()) return;
  const scrolls = pane.scrollHeight > pane.clientHeight && getComputedStyle(pane).overflowY === 'auto';
  const isStop = scrolls && ![...pane.querySelectorAll(STOPS)].some((stop) => stop.checkVisibility());
  const title = pane.closest('section')?.getAttribute('aria-labelledby');
  setAttribute(pane, 'tabindex', isStop ? '0' : null);
  setAttribute(pane, 'role', isStop ? 'group' : null);
  setAttribute(pane, 'aria-labelledby', isStop ? title : null);
}
