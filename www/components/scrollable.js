// A table that scrolls sideways where it is wider than its place.

import { h, setAttribute } from '../dom.js';

/**
 * It takes the focus only where it scrolls, so that a keyboard can scroll it.
 * @param {HTMLTableElement} table
 * @param {{label?: string}} [options]  its name for a screen reader, where it has no control that takes the focus
 */
export function scrollable(table, { label } = {}) {
  const element = h('div', { class: 'scroll' }, table);
  const observer = new ResizeObserver(() => {
    const scrolls = element.scrollWidth > element.clientWidth;
    setAttribute(element, 'tabindex', scrolls ? '0' : null);
    setAttribute(element, 'role', scrolls && label ? 'group' : null);
    setAttribute(element, 'aria-label', scrolls && label ? label : null);
  });
  observer.observe(element);
  observer.observe(table);
  return element;
}
