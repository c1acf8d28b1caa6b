// A choice of a few options, all visible: a row of buttons of which one is pressed.

import { h, setAttribute } from '../dom.js';
import { t } from '../i18n.js';

/**
 * @template {string} Value
 * @typedef {object} Segment
 * @property {Value} value
 * @property {string} [i18n]    key of its text, which follows the language
 * @property {string} [text]    or its text, e.g. the name of a language
 * @property {string} [lang]    of `text`
 * @property {string} [testId]
 */

/**
 * @template {string} Value
 * @param {object} options
 * @param {string} options.label                     i18n key of the group's name
 * @param {Segment<Value>[]} options.segments
 * @param {Value|null} options.value                 null: none is pressed
 * @param {(value: Value) => void} options.choose    the caller stores the value and shows it
 * @param {string} [options.testId]
 */
export function segments({ label, segments: all, value, choose, testId }) {
  const buttons = all.map((segment) =>
    h(
      'button',
      {
        type: 'button',
        class: 'segment',
        lang: segment.lang,
        'data-testid': segment.testId,
        'data-value': segment.value,
        ...(segment.i18n ? { i18n: segment.i18n } : {}),
        on: { click: () => choose(segment.value) },
      },
      segment.text,
    ),
  );
  const element = h(
    'div',
    { class: 'segments', role: 'group', 'data-i18n-label': label, 'aria-label': t(label), 'data-testid': testId },
    ...buttons,
  );
  /** @param {Value|null} pressed */
  function show(pressed) {
    for (const button of buttons) setAttribute(button, 'aria-pressed', String(button.dataset.value === pressed));
  }
  show(value);
  return {
    element,
    show,
    /** @param {boolean} off */
    disable(off) {
      for (const button of buttons) button.disabled = off;
    },
  };
}
