// A line chart on uPlot with the colours, the type size and the place of the style sheet: it fills its container.

import { drawLabels } from './levels.js';
import { uPlotLibrary } from './library.js';
import { h, replace } from '../dom.js';
import { number, t } from '../i18n.js';

/** @typedef {import('../../vendor/uplot.js').default} uPlot */
/** @typedef {import('../../vendor/uplot.js').default.Options} Options */
/** @typedef {import('../../vendor/uplot.js').default.Axis} Axis */
/** @typedef {import('../../vendor/uplot.js').default.Series} Series */

/**
 * @typedef {object} Line
 * @property {() => string} label
 * @property {string} color                        a CSS variable, e.g. `--series-1`
 * @property {'line'|'dashed'|'points'|'level'} [kind]  a level has its name and value beside its line
 * @property {number[]} [dash]                     in CSS pixels
 */

/**
 * @typedef {object} LineChartOptions
 * @property {Line[]} lines
 * @property {() => string} title                  for a screen reader
 * @property {() => string} x                      label of the horizontal axis
 * @property {string} [sync]                       charts with the same key share their cursor
 * @property {number} [floor]                      start of the vertical axis
 * @property {(low: number|null) => [number, number]} [range]  of the vertical axis, by the lowest value
 * @property {(value: number) => string} [format]  of a value
 */

/** @typedef {import('./columns.js').Column} Column */

const STEP_INCREMENTS = [1, 10, 100, 1e3, 1e4].flatMap((power) => [power, 2 * power, 5 * power]).concat(1e5);
/** The most points of a line that are drawn as points. */
const MAX_POINTS = 60;
/** Of a dashed line, in CSS pixels. */
const DASH = [4, 4];
/** Of the plot without its legend, in CSS pixels. */
const MIN_HEIGHT = 64;

/** @param {LineChartOptions} options */
export function lineChart(options) {
  const { lines, title, format = number } = options;
  const element = document.createElement('div');
  element.className = 'chart';
  element.setAttribute('role', 'img');
  let asked = false;
  /** @type {Awaited<ReturnType<typeof uPlotLibrary>>|null} */
  let library = null;
  /** @type {uPlot|null} */
  let plot = null;
  /** @type {Column[]} */
  let data = [[], ...lines.map(() => [])];

  function make() {
    element.setAttribute('aria-label', describe());
    plot?.destroy();
    if (library?.problem) {
      replace(element, h('p', { class: 'note' }, t('charts.unavailable', { problem: library.problem })));
    } else if (library?.uPlot) {
      plot = new library.uPlot(
        plotOptions(options, () => data),
        /** @type {any} */ (data),
        element,
      );
      fit();
    }
  }

  /** Loads the library when the chart is first in view, because it is the longest task of an opening page. */
  async function load() {
    if (asked) return;
    asked = true;
    library = await uPlotLibrary();
    make();
  }

  /** The title and the last values, for a screen reader. */
  function describe() {
    const last = lines.map(({ label }, at) => {
      const value = data[at + 1]?.findLast((candidate) => candidate !== null);
      return value === undefined || value === null ? '' : `${label()} ${format(value)}`;
    });
    return [title(), ...last.filter(Boolean)].join(', ');
  }

  /** Draws, and fills the container. The legend is below the plot. A hidden chart has no size and is not drawn. */
  function fit() {
    const { clientWidth, clientHeight } = element;
    if (clientWidth === 0) return;
    void load();
    if (!plot) return;
    if (plot.data !== data) plot.setData(/** @type {any} */ (data));
    // The width decides how many lines the legend has.
    plot.setSize({ width: clientWidth, height: plot.height });
    const legend = legendHeight(element);
    plot.setSize({ width: clientWidth, height: Math.max(MIN_HEIGHT, clientHeight - legend) });
  }

  new ResizeObserver(fit).observe(element);

  return {
    element,
    /** @param {Column[]} columns  x first, then one column per line */
    show(columns) {
      data = columns;
      if (element.clientWidth > 0) plot?.setData(/** @type {any} */ (columns));
      element.setAttribute('aria-label', describe());
    },
    /** Redraws after a change of language or colours. */
    refresh: make,
    /** What is drawn, for a file. */
    drawing: () => drawingOf(options, data),
  };
}

/**
 * @param {LineChartOptions} options
 * @param {Column[]} columns
 */
function drawingOf({ lines, title, x, floor = 0, range: fixed, format = number }, columns) {
  const values = columns.slice(1).flat();
  const shown = values.filter((value) => value !== null).filter(Number.isFinite);
  const [low, high] = shown.length > 0 ? [Math.min(...shown), Math.max(...shown)] : [null, null];
  return {
    title: title(),
    x: x(),
    lines: lines.map(({ label, color: variable, kind = 'line', dash }) => ({
      label: label(),
      color: variable,
      kind,
      dash: dash ?? (kind === 'dashed' || kind === 'level' ? DASH : []),
    })),
    columns,
    range: fixed?.(low) ?? range(low, high, floor),
    format,
  };
}

/**
 * The height that the legend takes from the plot: none where the style sheet puts it elsewhere.
 * @param {Element} chart
 */
function legendHeight(chart) {
  const legend = chart.querySelector('.u-legend');
  return legend && getComputedStyle(legend).position !== 'absolute' ? legend.clientHeight : 0;
}

/**
 * @param {LineChartOptions} options
 * @param {() => Column[]} data
 * @returns {Options}
 */
function plotOptions({ lines, x, sync, floor = 0, range: fixed, format = number }, data) {
  const { size: text, family } = chartText();
  const axis = (/** @type {Axis} */ more) => ({
    stroke: () => color('--muted'),
    grid: { stroke: () => color('--grid'), width: 1 },
    ticks: { show: false },
    font: `${text}px ${family}`,
    ...more,
  });
  return {
    width: MIN_HEIGHT,
    height: MIN_HEIGHT,
    legend: { live: true, markers: { fill: (_, series) => color(lines[series - 1]?.color ?? '--muted') } },
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 7 },
      ...(sync ? { sync: { key: sync } } : {}),
    },
    scales: { x: { time: false }, y: { range: (_, low, high) => fixed?.(low) ?? range(low, high, floor) } },
    axes: [
      axis({ size: Math.round(text * 2.2), space: text * 4, incrs: STEP_INCREMENTS }),
      axis({
        size: Math.round(text * 4.6),
        space: text * 2.5,
        values: (_, splits) => splits.map((value) => format(value)),
      }),
    ],
    // Before the lines are drawn, so that the names are below the curve.
    hooks: { drawAxes: lines.some(({ kind }) => kind === 'level') ? [(plot) => labelLevels(plot, lines, format)] : [] },
    series: [
      { label: x(), value: (_, value) => (value === null ? '' : number(value)) },
      // Points make the first steps of a run visible.
      ...lines.map((line) => series(line, () => (data()[0]?.length ?? 0) <= MAX_POINTS, format)),
    ],
  };
}

/**
 * @param {Line} line
 * @param {() => boolean} showPoints
 * @param {(value: number) => string} format
 * @returns {Series}
 */
function series({ label, color: variable, kind = 'line', dash }, showPoints, format) {
  const stroke = () => color(variable);
  const common = {
    label: label(),
    stroke,
    width: scaled(2),
    value: (/** @type {uPlot} */ _, /** @type {number|null} */ value) => (value === null ? '' : format(value)),
    spanGaps: true,
  };
  if (kind === 'points') return { ...common, paths: () => null, points: { show: true, size: scaled(9), fill: stroke } };
  if (kind === 'dashed' || kind === 'level')
    return { ...common, dash: (dash ?? DASH).map(scaled), width: scaled(1.5), points: { show: false } };
  const points = { size: scaled(5), show: showPoints, fill: stroke };
  return { ...common, points, ...(dash ? { dash: dash.map(scaled) } : {}) };
}

/**
 * Writes the name and the value of each level beside its line.
 * @param {uPlot} plot
 * @param {Line[]} lines
 * @param {(value: number) => string} format
 */
function labelLevels(plot, lines, format) {
  const labels = lines.flatMap(({ kind, label }, at) => {
    const value = plot.data[at + 1]?.at(-1);
    if (kind !== 'level' || value === null || value === undefined) return [];
    return { text: `${label()} ${format(value)}`, y: plot.valToPos(value, 'y', true) };
  });
  const { size, family } = chartText();
  const style = { size: size * devicePixelRatio, family, ink: color('--muted'), ground: color('--ground') };
  drawLabels(plot, labels, style);
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

/** A length that grows with the root size, as the text does. @param {number} length */
const scaled = (length) => (length * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;

/** @type {HTMLElement|null} */
let probe = null;
/** The computed style of an element that has the value of a CSS variable. */
function computed(/** @type {'color'|'font-size'} */ property, /** @type {string} */ variable) {
  if (!probe) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.setProperty(property, `var(${variable})`);
  return getComputedStyle(probe);
}

/** Resolves a CSS variable to a colour for a canvas. @param {string} variable */
const color = (variable) => computed('color', variable).color;

/** The font of the labels, for a canvas; `size` in CSS pixels. */
function chartText() {
  const { fontSize, fontFamily } = computed('font-size', '--chart-text');
  return { size: parseFloat(fontSize), family: fontFamily };
}
