// What the page tells the visitor: errors, notices, warnings, explanations and placeholders.

import { h } from '../dom.js';
import { currentLanguage, t, tOr } from '../i18n.js';

/** @typedef {import('../dom.js').Child} Child */

/**
 * An error with a title.
 * @param {import('../protocol.js').WorkerError} error
 * @param {...Child} more  e.g. a button that helps
 */
export function alert(error, ...more) {
  const title = tOr(`error.${error.code}`, t('error.other'));
  return h(
    'div',
    { class: 'alert', role: 'alert', 'data-testid': 'error', 'data-code': error.code },
    h('p', {}, h('strong', {}, title), ' ', h('span', { lang: messageLanguage(error.message) }, error.message)),
    ...more,
  );
}

/** The worker's messages are English in each language of the page. @param {string} message */
export const messageLanguage = (message) =>
  currentLanguage() === 'ko' && !/\p{Script=Hangul}/u.test(message) ? 'en' : null;

/**
 * Something that the visitor should know, and that is no error.
 * @param {import('../dom.js').Properties} properties  e.g. `role: 'status'` where it appears later
 * @param {...Child} children
 */
export const notice = (properties, ...children) => h('div', { class: 'notice', ...properties }, ...children);

/**
 * Warnings of the crate, translated by their codes.
 * @param {import('../protocol.js').Warning[]} warnings
 * @param {string} testId
 * @returns {HTMLElement|null}
 */
export function warningList(warnings, testId) {
  if (warnings.length === 0) return null;
  return h(
    'ul',
    { class: 'warnings', 'data-testid': testId },
    ...warnings.map(({ code, message, values }) =>
      h('li', { 'data-code': code }, tOr(`warning.${code}`, message, values)),
    ),
  );
}

/**
 * A short explanation beside the stage that it is about.
 * @param {string} key
 */
export const callout = (key) =>
  h('div', { class: 'callout', role: 'note' }, h('h2', { i18n: `${key}.title` }), h('p', { i18n: `${key}.text` }));

/** The text in place of a result that does not exist yet. @param {string} key */
export const placeholder = (key) => h('p', { class: 'placeholder', i18n: key });
