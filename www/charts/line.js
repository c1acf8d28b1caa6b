// A line chart on uPlot: colours come from the style sheet, the width from its place on the page.

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
 * @property {() => string} title                  names the chart to a screen reader
 * @property {() => string} x                      what the horizontal axis counts
 * @property {string} [sync]                       charts of one key share their cursor
 * @property {number} [floor]                      the vertical axis starts here
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

  /** Few points are drawn as points, so that a run's first steps can be seen; a dashed line is a plan and has none. */
  function pointsWhenFew(/** @type {uPlot} */ _, /** @type {number} */ series) {
    return lines[series - 1]?.kind !== 'dashed' && (data[0]?.length ?? 0) <= 60;
  }

  /** A chart says its last values to those who cannot see it. */
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
    /** @param {Column[]} columns  x first, then one column a line */
    show(columns) {
      data = columns;
      if (!plot) return make();
      plot.setData(/** @type {any} */ (columns));
      element.setAttribute('aria-label', describe());
    },
    /** After a change of language or colours. */
    refresh: make,
  };
}

/**
 * The vertical axis: from `floor` to a little over the highest value; never empty.
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
/** A CSS variable as a colour that a canvas understands. @param {string} variable */
function color(variable) {
  if (!probe) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${variable})`;
  return getComputedStyle(probe).color;
}
