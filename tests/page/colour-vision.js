// Colour arithmetic of the colour tests: WCAG contrast, OKLab distance, and the simulation of colour vision deficiency.

/** @typedef {[number, number, number]} Triple */

/**
 * The severity 1.0 matrices of Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color
 * Vision Deficiency", IEEE Transactions on Visualization and Computer Graphics 15(6), 2009. They apply to linear RGB.
 * @type {Record<string, [Triple, Triple, Triple]>}
 */
export const DEFICIENCIES = {
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** @param {Triple} row @param {Triple} vector */
const dot = ([a, b, c], [x, y, z]) => a * x + b * y + c * z;
/** @param {[Triple, Triple, Triple]} matrix @param {Triple} vector @returns {Triple} */
const multiply = ([r, g, b], vector) => [dot(r, vector), dot(g, vector), dot(b, vector)];
/** @param {number} value */
const clamp = (value) => Math.min(1, Math.max(0, value));

/** `#rrggbb` as linear RGB. @param {string} hex @returns {Triple} */
export function linear(hex) {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (!found) throw new Error(`not a colour as #rrggbb: ${hex}`);
  const [r = 0, g = 0, b = 0] = found.slice(1).map((part) => {
    const value = parseInt(part, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [r, g, b];
}

/**
 * The colour as a person with the deficiency sees it.
 * @param {Triple} rgb  linear
 * @param {string} deficiency
 * @returns {Triple}
 */
export function simulate(rgb, deficiency) {
  const matrix = DEFICIENCIES[deficiency];
  if (!matrix) throw new Error(`no deficiency has the name ${deficiency}`);
  const [r, g, b] = multiply(matrix, rgb);
  return [clamp(r), clamp(g), clamp(b)];
}

/**
 * OKLab of linear RGB: https://bottosson.github.io/posts/oklab/
 * @param {Triple} rgb
 * @returns {Triple}
 */
export function oklab(rgb) {
  const [l, m, s] = multiply(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    rgb,
  );
  return multiply(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    [Math.cbrt(l), Math.cbrt(m), Math.cbrt(s)],
  );
}

/** The distance of two linear colours in OKLab. @param {Triple} one @param {Triple} other */
export function distance(one, other) {
  const [a, b] = [oklab(one), oklab(other)];
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** @param {Triple} rgb  linear */
const luminance = (rgb) => dot([0.2126, 0.7152, 0.0722], rgb);

/** The contrast ratio of WCAG 2. @param {string} one  #rrggbb @param {string} other */
export function contrast(one, other) {
  const [low = 0, high = 0] = [luminance(linear(one)), luminance(linear(other))].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/**
 * `color-mix(in oklab, one share, other)` as #rrggbb.
 * @param {string} one  #rrggbb
 * @param {string} other
 * @param {number} share  of `one`
 */
export function mix(one, other, share) {
  const [a, b] = [oklab(linear(one)), oklab(linear(other))];
  const at = (/** @type {0|1|2} */ part) => a[part] * share + b[part] * (1 - share);
  /** @type {Triple} */
  const lms = multiply(
    [
      [1, 0.3963377774, 0.2158037573],
      [1, -0.1055613458, -0.0638541728],
      [1, -0.0894841775, -1.291485548],
    ],
    [at(0), at(1), at(2)],
  );
  const rgb = multiply(
    [
      [4.0767416621, -3.3077115913, 0.2309699292],
      [-1.2684380046, 2.6097574011, -0.3413193965],
      [-0.0041960863, -0.7034186147, 1.707614701],
    ],
    [lms[0] ** 3, lms[1] ** 3, lms[2] ** 3],
  );
  return `#${rgb.map(channel).join('')}`;
}

/** A linear channel as two hexadecimal digits. @param {number} value */
function channel(value) {
  const part = clamp(value);
  const encoded = part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055;
  return Math.round(encoded * 255)
    .toString(16)
    .padStart(2, '0');
}
