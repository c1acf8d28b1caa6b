// The geometry of the small chart: points of a run as shares of its width and height, and the top of its axis.

/** @typedef {[number, number]} Point */

/** The tops that an axis may have, between 1 and 10. */
const TOPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/**
 * The smallest round number that is not below `value`; 1 for a value that is not above 0.
 * @param {number} value
 */
export function roundTop(value) {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  // The quotient of the top itself may be a little above it.
  const top = TOPS.find((candidate) => candidate >= (value / power) * (1 - 1e-9)) ?? 10;
  return Number((top * power).toPrecision(12));
}

/**
 * A point as shares of the chart: 0, 0 is its top left corner. Null where the value is not finite.
 * @param {Point} point
 * @param {number} maxX
 * @param {number} maxY
 * @returns {Point|null}
 */
export function place([x, y], maxX, maxY) {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return null;
  const share = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));
  return [share(maxX > 0 ? x / maxX : 0), 1 - share(maxY > 0 ? y / maxY : 0)];
}

/**
 * The path of an SVG of `width` × `height` through the points. It is interrupted where a value is not finite.
 * @param {Point[]} points
 * @param {{maxX: number, maxY: number, width: number, height: number}} scale
 */
export function linePath(points, { maxX, maxY, width, height }) {
  let path = '';
  let pen = 'M';
  for (const point of points) {
    const at = place(point, maxX, maxY);
    if (at) path += `${pen}${rounded(at[0] * width)} ${rounded(at[1] * height)}`;
    pen = at ? 'L' : 'M';
  }
  return path;
}

/** @param {number} value */
const rounded = (value) => Math.round(value * 100) / 100;
