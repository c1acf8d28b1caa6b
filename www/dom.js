// DOM helpers instead of a framework: create an element, replace children, and draw once per frame.

import { mark } from './i18n.js';

/** @typedef {Node|string|number|null|undefined|false} Child */

/**
 * Properties of `h`: `on` for listeners, `i18n` for text that follows the language, `style` for CSS properties.
 * Everything else is an attribute: `true` makes it empty, `false` and `null` leave it out.
 * @typedef {Record<string, any> & {
 *   on?: Record<string, (event: any) => void>,
 *   style?: Record<string, string>,
 *   i18n?: string | [string, import('./i18n.js').Params],
 * }} Properties
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === 'style')
      for (const [property, css] of Object.entries(value)) element.style.setProperty(property, String(css));
    else if (name === 'i18n') typeof value === 'string' ? mark(element, value) : mark(element, value[0], value[1]);
    else setAttribute(element, name, value);
  }
  append(element, children);
  return element;
}

/** Addresses that a link may have: a place of the page, a file of the site or of the page, another site. */
const LINK = /^(#|\.{0,2}\/|https?:|blob:)/;

/**
 * @param {Element} element
 * @param {string} name
 * @param {unknown} value
 */
export function setAttribute(element, name, value) {
  if (name === 'href' && value && !LINK.test(String(value)))
    throw new TypeError(`a link cannot have the address ${value}`);
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value))
    element.setAttribute(name, value === true ? '' : String(value));
}

/**
 * @param {Element} element
 * @param {...Child} children
 */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * Replaces the children. The focus moves to the new element with the same `data-key`, where there is one.
 * @param {Element} element
 * @param {...Child} children
 */
export function redraw(element, ...children) {
  const { activeElement } = document;
  const key = element.contains(activeElement) ? activeElement?.getAttribute('data-key') : null;
  replace(element, ...children);
  const again = key && element.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (again instanceof HTMLElement) again.focus();
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Sets text only when it changes, because a live region announces every assignment.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Turns a button off or on. Not `disabled`, because a press that turns its own button off would lose the focus.
 * `ignoreOffButtons` keeps it from acting.
 * @param {Element} button
 * @param {boolean} off
 */
export const setOff = (button, off) => setAttribute(button, 'aria-disabled', off ? 'true' : null);

/** Drops every press of a button that is off, also that of Enter in a field of its form. */
export function ignoreOffButtons() {
  const drop = (/** @type {MouseEvent} */ event) => {
    if (!(event.target instanceof Element) || !event.target.closest('button[aria-disabled]')) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  window.addEventListener('click', drop, { capture: true });
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element #${id}`);
  return element;
}

/**
 * Returns a function that runs a task at once, or later where it ran less than `ms` milliseconds ago.
 * @param {() => void} task
 * @param {number} ms
 */
export function throttled(task, ms) {
  let ranAt = 0;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;
  const run = () => {
    ranAt = performance.now();
    task();
  };
  return () => {
    clearTimeout(timer);
    const wait = ms - (performance.now() - ranAt);
    if (wait <= 0) run();
    else timer = setTimeout(run, wait);
  };
}

/**
 * Runs a task before the next frame, or after a timeout, because a tab in the background has no frames.
 * @param {() => void} task
 */
export function onFrame(task) {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    task();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, 500);
}
