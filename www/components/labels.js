// The classes of the dataset: their names and colours, and counts or shares as bars.

import { h } from '../dom.js';
import { number, percent, tOr } from '../i18n.js';

/** The number of `--class-…` tokens. A dataset with more classes repeats them. */
const COLOURS = 6;

/** The CSS class that colours the background. @param {number} id */
export const classColour = (id) => `class-${id % COLOURS}`;

/** The colour of a class, shown before its name. @param {number} id */
export const swatch = (id) => h('span', { class: `swatch ${classColour(id)}`, 'aria-hidden': 'true' });

/** The name of a class, translated where it is a known one. @param {string} label */
export const labelName = (label) => tOr(`label.${label}`, label);

/**
 * @param {string} label
 * @param {number} id
 */
export const labelBadge = (label, id) => h('span', { class: 'badge' }, swatch(id), labelName(label));

/**
 * @param {number} share of 1
 * @param {string} kind   a class that colours it
 */
export function bar(share, kind) {
  const width = `${Math.min(100, Math.max(0, share * 100))}%`;
  return h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span', { class: `bar-fill ${kind}`, style: { width } }));
}

/**
 * Label counts as bars in the colours of the classes.
 * @param {string[]} labels
 * @param {number[]} counts
 */
export function labelBars(labels, counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return h(
    'ul',
    { class: 'bars' },
    ...labels.map((label, id) => {
      const share = total > 0 ? (counts[id] ?? 0) / total : 0;
      return h(
        'li',
        {},
        h('span', { class: 'bar-name' }, swatch(id), labelName(label)),
        bar(share, classColour(id)),
        h('span', { class: 'bar-value' }, `${number(counts[id] ?? 0)} · ${percent(share)}`),
      );
    }),
  );
}
