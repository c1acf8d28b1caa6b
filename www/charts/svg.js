// A line chart as the text of an SVG file: title, axes, lines and legend. It has its colours and sizes inside, so that
// it looks the same in a document as on the page.

import { ticks } from './ticks.js';

/** @typedef {import('./columns.js').Column} Column */

/**
 * @typedef {object} DrawnLine
 * @property {string} label
 * @property {string} color
 * @property {'line'|'dashed'|'points'|'level'} kind
 * @property {number[]} dash   empty for a solid line
 */

/**
 * @typedef {object} Drawing
 * @property {string} title
 * @property {string} about             the run, below the title
 * @property {string} x                 label of the horizontal axis
 * @property {string} language
 * @property {DrawnLine[]} lines
 * @property {Column[]} columns         x first, then one for each line
 * @property {[number, number]} range   of the vertical axis
 * @property {(value: number) => string} format
 * @property {(value: number) => string} formatX
 * @property {{ground: string, ink: string, muted: string, grid: string, font: string}} style
 */

export const WIDTH = 800;
export const HEIGHT = 450;
/** Of the plot, inside of which the lines are. */
const BOX = { left: 76, right: 780, top: 62, bottom: 356 };
const TEXT = 13;
/** The most points of a line that are also drawn as points. */
const MAX_POINTS = 60;

/** @param {Drawing} drawing */
export function chartSvg(drawing) {
  const { title, about, language, style } = drawing;
  const scale = scaleOf(drawing);
  const size = `width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}"`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} lang="${escaped(language)}" role="img">`,
    `<title>${escaped([title, about].filter(Boolean).join(', '))}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="${escaped(style.ground)}"/>`,
    `<g font-family="${escaped(style.font)}" font-size="${TEXT}">`,
    text(16, 28, title, style.ink, 'font-size="17" font-weight="600"'),
    text(16, 48, about, style.muted),
    ...axes(drawing, scale),
    ...curves(drawing, scale),
    ...legend(drawing),
    '</g>',
    '</svg>',
  ];
  return `${parts.filter(Boolean).join('\n')}\n`;
}

/** @param {Drawing} drawing */
function scaleOf({ columns, range: [low, high] }) {
  const xs = finite(columns[0] ?? []);
  const [first, last] = [xs[0] ?? 0, xs.at(-1) ?? 1];
  const [width, height] = [last > first ? last - first : 1, high > low ? high - low : 1];
  return {
    first,
    last: first + width,
    low,
    high: low + height,
    x: (/** @type {number} */ value) => round(BOX.left + ((value - first) / width) * (BOX.right - BOX.left)),
    y: (/** @type {number} */ value) => round(BOX.bottom - ((value - low) / height) * (BOX.bottom - BOX.top)),
  };
}

/**
 * @param {Drawing} drawing
 * @param {ReturnType<typeof scaleOf>} scale
 */
function axes({ x, format, formatX, style }, { first, last, low, high, ...place }) {
  const levels = ticks(low, high, 5).map((value) => {
    const y = place.y(value);
    return [
      `<path d="M${BOX.left} ${y}H${BOX.right}" stroke="${escaped(style.grid)}"/>`,
      text(BOX.left - 8, round(y + TEXT / 3), format(value), style.muted, 'text-anchor="end"'),
    ].join('');
  });
  // Steps are whole numbers.
  const steps = ticks(first, last, 8).filter((value) => Number.isInteger(value));
  const marks = steps.map((value) =>
    text(place.x(value), BOX.bottom + 20, formatX(value), style.muted, 'text-anchor="middle"'),
  );
  const middle = (BOX.left + BOX.right) / 2;
  return [...levels, ...marks, text(middle, BOX.bottom + 42, x, style.muted, 'text-anchor="middle"')];
}

/**
 * The levels first, so that a curve at the same height covers them.
 * @param {Drawing} drawing
 * @param {ReturnType<typeof scaleOf>} scale
 */
function curves({ lines, columns }, scale) {
  const all = lines.map((line, at) => ({ line, values: columns[at + 1] ?? [] }));
  const isLevel = (/** @type {{line: DrawnLine}} */ { line }) => line.kind === 'level';
  const ordered = [...all.filter(isLevel), ...all.filter((each) => !isLevel(each))];
  return ordered.map(({ line, values }) => drawn(line, values, columns[0] ?? [], scale));
}

/**
 * @param {DrawnLine} line
 * @param {Column} values
 * @param {Column} xs
 * @param {ReturnType<typeof scaleOf>} scale
 */
function drawn({ color, kind, dash }, values, xs, scale) {
  const points = xs.flatMap((x, at) => {
    const value = values[at];
    return x !== null && typeof value === 'number' && Number.isFinite(value) ? [[scale.x(x), scale.y(value)]] : [];
  });
  if (points.length === 0) return '';
  const ink = escaped(color);
  const circles = (/** @type {number} */ radius) =>
    `<g fill="${ink}">${points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="${radius}"/>`).join('')}</g>`;
  if (kind === 'points') return circles(4.5);
  const path = points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const stroke = `fill="none" stroke="${ink}" stroke-width="2" stroke-linejoin="round"`;
  const line = `<path d="${path}" ${stroke}${dashes(dash)}/>`;
  return kind === 'line' && points.length <= MAX_POINTS ? line + circles(2.5) : line;
}

/**
 * The names of the lines that have a value, below the axis; as many in a row as fit.
 * @param {Drawing} drawing
 */
function legend({ lines, columns, style }) {
  const shown = lines.filter((_, at) => finite(columns[at + 1] ?? []).length > 0);
  let [x, y] = [BOX.left, BOX.bottom + 66];
  return shown.map(({ label, color, kind, dash }) => {
    const width = 40 + widthOf(label) + 16;
    if (x > BOX.left && x + width > WIDTH) [x, y] = [BOX.left, y + 20];
    const middle = y - TEXT / 3;
    const sample =
      kind === 'points'
        ? `<circle cx="${x + 14}" cy="${middle}" r="4.5" fill="${escaped(color)}"/>`
        : `<path d="M${x} ${middle}h28" stroke="${escaped(color)}" stroke-width="2"${dashes(dash)}/>`;
    const name = text(x + 36, y, label, style.ink);
    x = round(x + width);
    return sample + name;
  });
}

/** About the width of a text: letters of East Asian scripts are as wide as high. @param {string} label */
const widthOf = (label) =>
  [...label].reduce((width, letter) => width + TEXT * (/[\p{sc=Hangul}\p{sc=Han}]/u.test(letter) ? 1 : 0.6), 0);

/** @param {number[]} dash */
const dashes = (dash) => (dash.length > 0 ? ` stroke-dasharray="${dash.join(' ')}"` : '');

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {string} color
 * @param {string} [more]  attributes
 */
const text = (x, y, content, color, more = '') =>
  content && `<text x="${x}" y="${y}" fill="${escaped(color)}"${more && ` ${more}`}>${escaped(content)}</text>`;

/** @param {string} content */
const escaped = (content) =>
  content.replace(/[&<>"]/g, (sign) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' }[sign]};`);

/** @param {Column} column @returns {number[]} */
const finite = (column) =>
  column.filter((value) => value !== null && Number.isFinite(value)).map((value) => Number(value));

/** @param {number} value */
const round = (value) => Math.round(value * 100) / 100;
