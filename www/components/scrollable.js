// A table that scrolls sideways where it is wider than its place.

import { h, setAttribute } from '../dom.js';

/**
 * It takes the focus only where it scrolls, so that a keyboard can scroll it.
 * @param {HTMLTableElement} table
 */
export function scrollable(table) {
  const element = h('div', { class: 'scroll' }, table);
  const observer = new ResizeObserver(() =>
    setAttribute(element, 'tabindex', element.scrollWidth > element.clientWidth ? '0' : null),
  );
  observer.observe(element);
  observer.observe(table);
  return element;
}
