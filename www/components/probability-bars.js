// The probability of each label as a bar. The elements stay while the values change, so that the bars move.

import { classColour, swatch } from './labels.js';
import { h, replace, setAttribute, setText } from '../dom.js';
import { percent } from '../i18n.js';

export function probabilityBars() {
  const element = h('ul', { class: 'bars' });
  /** @type {{row: HTMLElement, fill: HTMLElement, value: HTMLElement}[]} */
  let rows = [];
  let shown = '';
  return {
    element,
    /**
     * @param {string[]} labels         by id, in the visitor's language
     * @param {number[]} probabilities  by label id
     */
    show(labels, probabilities) {
      const key = JSON.stringify([labels, probabilities.length]);
      if (key !== shown) {
        shown = key;
        rows = probabilities.map((_, id) => makeRow(labels[id] ?? String(id), id));
        replace(element, ...rows.map(({ row }) => row));
      }
      const best = probabilities.indexOf(Math.max(...probabilities));
      for (const [id, { row, fill, value }] of rows.entries()) {
        const probability = probabilities[id] ?? 0;
        setAttribute(row, 'class', id === best ? 'best' : null);
        fill.style.translate = `${(probability - 1) * 100}%`;
        setText(value, percent(probability));
      }
    },
  };
}

/**
 * @param {string} label
 * @param {number} id
 */
function makeRow(label, id) {
  const fill = h('span', { class: `bar-fill ${classColour(id)}` });
  const value = h('span', { class: 'bar-value' });
  const row = h(
    'li',
    {},
    h('span', { class: 'bar-name' }, swatch(id), label),
    h('span', { class: 'bar', 'aria-hidden': 'true' }, fill),
    value,
  );
  return { row, fill, value };
}
