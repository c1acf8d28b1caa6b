// A small line chart as inline SVG, without the charting library: a line, marks of another shape, and the ends of its
// axes. The overview shows it before the library is loaded.

import { linePath, place, roundTop } from './spark-geometry.js';
import { h, setAttribute, setText } from '../dom.js';
import { number } from '../i18n.js';

/** @typedef {import('./spark-geometry.js').Point} Point */

/**
 * @typedef {object} SparkOptions
 * @property {() => string} title                   for a screen reader
 * @property {() => string} [mark]                  what a mark is, for a screen reader
 * @property {(value: number) => string} [format]   of the vertical axis and of the last values
 */

/**
 * @typedef {object} SparkData
 * @property {Point[]} points     of the line, by x
 * @property {Point[]} [marks]    drawn as diamonds
 * @property {number} max_x       end of the horizontal axis
 * @property {number} [max_y]     a value that the vertical axis includes, so that it keeps its scale
 */

const SVG = 'http://www.w3.org/2000/svg';
/** Units of the drawing, which the style sheet stretches. */
const WIDTH = 300;
const HEIGHT = 100;
/** Lines of the grid, as shares of the height. */
const GRID = [0, 0.25, 0.5, 0.75, 1];

/** @param {SparkOptions} options */
export function spark({ title, mark = () => '', format = number }) {
  const line = svg('path', { class: 'spark-line' });
  const head = h('span', { class: 'spark-head', hidden: true });
  const plot = h(
    'div',
    { class: 'spark-plot' },
    svg(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none' },
      ...GRID.map((share) => svg('path', { class: 'spark-grid', d: `M0 ${share * HEIGHT}H${WIDTH}` })),
      line,
    ),
    head,
  );
  const [top, left, right] = [label('top'), label('left'), label('right')];
  const element = h('div', { class: 'spark', role: 'img', 'aria-label': title() }, top, plot, left, right);
  /** @type {HTMLElement[]} */
  const diamonds = [];
  /** @type {SparkData} */
  let data = { points: [], max_x: 0 };
  /** What the description was made for, see `describe`. */
  let described = '';

  /** @param {SparkData} next */
  function show(next) {
    data = next;
    const { points, marks = [], max_x, max_y = 0 } = data;
    const maxY = roundTop(highest([...points, ...marks], max_y));
    setAttribute(line, 'd', linePath(points, { maxX: max_x, maxY, width: WIDTH, height: HEIGHT }));
    move(head, points.at(-1), max_x, maxY);
    while (diamonds.length < marks.length) diamonds.push(plot.appendChild(h('span', { class: 'spark-mark' })));
    diamonds.forEach((diamond, index) => move(diamond, marks[index], max_x, maxY));
    setText(top, format(maxY));
    setText(left, number(0));
    setText(right, number(max_x));
    describe();
  }

  /** The title and the last values. A new text at every frame would keep a screen reader busy. */
  function describe() {
    const { points, marks = [], max_x } = data;
    const point = points.at(-1);
    const ended = point !== undefined && point[0] >= max_x;
    const key = [title(), marks.length, ended].join('|');
    if (key === described) return;
    described = key;
    const last = marks.at(-1);
    const values = [point && format(point[1]), last && `${mark()} ${format(last[1])}`.trim()];
    element.setAttribute('aria-label', [title(), ...values.filter(Boolean)].join(', '));
  }

  show(data);
  return {
    element,
    show,
    /** Writes the texts again after a change of language. */
    refresh() {
      described = '';
      show(data);
    },
  };
}

/**
 * Moves an element of the plot to a point, or hides it where there is none.
 * @param {HTMLElement} element
 * @param {Point|undefined} point
 * @param {number} maxX
 * @param {number} maxY
 */
function move(element, point, maxX, maxY) {
  const at = point ? place(point, maxX, maxY) : null;
  element.hidden = !at;
  if (!at) return;
  // Not `left` and `top`, which would lay out the page at each frame. The plot is the container of the units.
  element.style.translate = `${at[0] * 100}cqw ${at[1] * 100}cqh`;
}

/**
 * @param {Point[]} points
 * @param {number} atLeast
 */
const highest = (points, atLeast) => points.reduce((most, [, y]) => (y > most && y < Infinity ? y : most), atLeast);

/** @param {'top'|'left'|'right'} end  of the axes */
const label = (end) => h('span', { class: `spark-end spark-${end}`, 'aria-hidden': 'true' });

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...Element} children
 */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
