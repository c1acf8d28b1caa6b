// A line chart on uPlot with the colours of the style sheet and the width of its container.

import uPlot from '../../vendor/uplot.js';
import { number } from '../i18n.js';

/**
 * @typedef {object} Line
 * @property {() => string} label
 * @property {string} color                        a CSS variable, e.g. `--series-1`
 * @property {'line'|'dashed'|'points'} [kind]
 */

/**
 * @typedef {object} LineChartOptions
 * @property {Line[]} lines
 * @property {number} height                       CSS pixels
 * @property {() => string} title                  for a screen reader
 * @property {() => string} x                      label of the horizontal axis
 * @property {string} [sync]                       charts with the same key share their cursor
 * @property {number} [floor]                      start of the vertical axis
 */

/** @typedef {(number|null)[]} Column */

/** @param {LineChartOptions} options */
export function lineChart({ lines, height, title, x, sync, floor = 0 }) {
  const element = document.createElement('div');
  element.className = 'chart';
  element.setAttribute('role', 'img');
  /** @type {uPlot|null} */
  let plot = null;
  /** @type {Column[]} */
  let data = [[], ...lines.map(() => [])];

  const axis = (/** @type {uPlot.Axis} */ more) => ({
    stroke: () => color('--muted'),
    grid: { stroke: () => color('--grid'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
    ...more,
  });

  function make() {
    plot?.destroy();
    plot = new uPlot(
      {
        width: Math.max(120, element.clientWidth),
        height,
        legend: { live: true, markers: { fill: (_, series) => color(lines[series - 1]?.color ?? '--muted') } },
        cursor: {
          y: false,
          drag: { x: false, y: false },
          points: { size: 7 },
          ...(sync ? { sync: { key: sync } } : {}),
        },
        scales: { x: { time: false }, y: { range: (_, low, high) => range(low, high, floor) } },
        axes: [
          axis({
            size: 28,
            space: 48,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000],
          }),
          axis({ size: 58, space: 32, values: (_, splits) => splits.map((value) => number(value)) }),
        ],
        series: [
          { label: x(), value: (_, value) => (value === null ? '' : number(value)) },
          ...lines.map(({ label, color: variable, kind = 'line' }) => ({
            label: label(),
            stroke: () => color(variable),
            width: 2,
            ...(kind === 'dashed' ? { dash: [4, 4], width: 1.5 } : {}),
            ...(kind === 'points'
              ? { paths: () => null, points: { show: true, size: 9, fill: () => color(variable) } }
              : { points: { size: 5, show: pointsWhenFew, fill: () => color(variable) } }),
            value: (/** @type {uPlot} */ _, /** @type {number|null} */ value) => (value === null ? '' : number(value)),
            spanGaps: true,
          })),
        ],
      },
      /** @type {any} */ (data),
      element,
    );
    element.setAttribute('aria-label', describe());
  }

  /** Whether to draw points, so that the first steps of a run are visible. A dashed line is a plan and has none. */
  function pointsWhenFew(/** @type {uPlot} */ _, /** @type {number} */ series) {
    return lines[series - 1]?.kind !== 'dashed' && (data[0]?.length ?? 0) <= 60;
  }

  /** The title and the last values, for a screen reader. */
  function describe() {
    const last = lines.map(({ label }, at) => {
      const value = data[at + 1]?.findLast((candidate) => candidate !== null);
      return value === undefined || value === null ? '' : `${label()} ${number(value)}`;
    });
    return [title(), ...last.filter(Boolean)].join(', ');
  }

  new ResizeObserver(() => {
    if (element.clientWidth > 0) plot?.setSize({ width: element.clientWidth, height });
  }).observe(element);

  return {
    element,
    /** @param {Column[]} columns  x first, then one column per line */
    show(columns) {
      data = columns;
      if (!plot) return make();
      plot.setData(/** @type {any} */ (columns));
      element.setAttribute('aria-label', describe());
    },
    /** Redraws after a change of language or colours. */
    refresh: make,
  };
}

/**
 * The range of the vertical axis, which is never empty: from `floor` to 8 % above the highest value.
 * @param {number|null} low
 * @param {number|null} high
 * @param {number} floor
 * @returns {[number, number]}
 */
function range(low, high, floor) {
  if (low === null || high === null || !Number.isFinite(high)) return [floor, floor + 1];
  const bottom = Math.min(floor, low);
  return [bottom, high > bottom ? high + (high - bottom) * 0.08 : bottom + 1];
}

/** @type {HTMLElement|null} */
let probe = null;
/** Resolves a CSS variable to a colour for a canvas. @param {string} variable */
function color(variable) {
  if (!probe) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${variable})`;
  return getComputedStyle(probe).color;
}
