// The loss curve as an inline SVG of the size of its place.

import { EARLIER, MAX_STEPS, RECOMMENDED } from './recorded.js';

const HIGHEST = 0.8;
/** The loss of guessing between two classes, ln 2. */
const GUESS = 0.693;

/** @param {string} tag @param {Record<string, string|number>} attributes @param {string} [text] */
function svg(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text) element.textContent = text;
  return element;
}

/**
 * @param {{width: number, height: number}} size  in CSS pixels
 * @param {number} step  the last one that is drawn
 * @param {{step: number, loss: number}[]} evaluations
 * @param {{earlier: boolean, empty: string, guess: string}} options
 */
export function curve({ width, height }, step, evaluations, { earlier, empty, guess }) {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const [left, right, top, bottom] = [2.25 * rem, width - rem, 0.75 * rem, height - 1.75 * rem];
  const x = (/** @type {number} */ at) => left + ((at - 1) / (MAX_STEPS - 1)) * (right - left);
  const y = (/** @type {number} */ loss) => bottom - (Math.min(loss, HIGHEST) / HIGHEST) * (bottom - top);
  const path = (/** @type {number[]} */ losses) => `M${losses.map((loss, at) => `${x(at + 1)} ${y(loss)}`).join('L')}`;
  const root = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `loss, step ${step}` });
  /** @param {number} at @param {number} height @param {string} anchor @param {string} text */
  const label = (at, height, anchor, text) =>
    root.append(svg('text', { x: at, y: height, 'text-anchor': anchor }, text));

  for (const loss of [0, 0.2, 0.4, 0.6, 0.8]) {
    root.append(svg('path', { d: `M${left} ${y(loss)}H${right}`, class: 'grid' }));
    label(left - rem / 2, y(loss) + rem / 4, 'end', String(loss));
  }
  for (const at of [1, 5, 10, 15, 20, 25, 30]) label(x(at), height - rem / 2, 'middle', String(at));
  root.append(svg('path', { d: `M${left} ${y(GUESS)}H${right}`, class: 'guess' }));
  label(right, y(GUESS) - rem / 3, 'end', guess);
  if (earlier) root.append(svg('path', { d: path(EARLIER[1].loss), class: 'earlier' }));
  else if (step === 0) label((left + right) / 2, (y(0.2) + y(0.4)) / 2, 'middle', empty);
  if (step === 0) return root;
  const losses = RECOMMENDED.loss.slice(0, step);
  root.append(svg('path', { d: path(losses), class: 'loss' }));
  root.append(svg('circle', { cx: x(step), cy: y(losses[step - 1]), r: 5, class: 'head' }));
  for (const { step: at, loss } of evaluations)
    root.append(svg('circle', { cx: x(at), cy: y(loss), r: 5, class: 'test' }));
  return root;
}
