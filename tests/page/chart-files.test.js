// Charts and logs as files: the axes, the SVG, the CSV and the JSON.

import assert from 'node:assert/strict';
import test from 'node:test';
import { chartSvg } from '../../www/charts/svg.js';
import { ticks } from '../../www/charts/ticks.js';
import { LogHistory } from '../../www/log-history.js';
import { isThinned, logRows, runCsv, runFileName, runJson } from '../../www/run-log.js';

/**
 * @param {Partial<import('../../www/charts/svg.js').Drawing>} [more]
 * @returns {import('../../www/charts/svg.js').Drawing}
 */
const drawing = (more = {}) => ({
  title: 'Loss <of> "Tom & Ada"',
  about: 'tiny · 4 steps',
  x: 'Step',
  language: 'en',
  lines: [
    { label: 'loss', color: 'rgb(1, 2, 3)', kind: 'line', dash: [] },
    { label: 'test loss', color: 'rgb(4, 5, 6)', kind: 'points', dash: [] },
    { label: 'never drawn', color: 'rgb(7, 8, 9)', kind: 'line', dash: [] },
  ],
  columns: [
    [1, 2, 3, 4],
    [0.8, null, 0.4, 0.2],
    [null, null, null, 0.3],
    [null, null, null, null],
  ],
  range: [0, 1],
  format: String,
  formatX: String,
  style: { ground: 'white', ink: 'black', muted: 'gray', grid: 'silver', font: 'sans-serif' },
  ...more,
});

test('the values of an axis are round, inside of it, and about as many as asked for', () => {
  assert.deepEqual(ticks(0, 0.75, 5), [0, 0.2, 0.4, 0.6]);
  assert.deepEqual(ticks(1, 30, 8), [5, 10, 15, 20, 25, 30]);
  assert.deepEqual(ticks(0, 3e-6, 5), [0, 1e-6, 2e-6, 3e-6]);
  assert.deepEqual([ticks(2, 2, 5), ticks(NaN, 1, 5)], [[2], []]);
  for (let high = 1e-6; high < 1e6; high *= 1.3) {
    const found = ticks(0, high, 5);
    assert.ok(found.length >= 3 && found.length <= 6, `${high}: ${found}`);
    assert.ok(found.every((value) => value >= 0 && value <= high * (1 + 1e-9)));
  }
});

test('a line of the SVG goes through its values and over gaps', () => {
  const svg = chartSvg(drawing());
  const [, path = ''] = /<path d="(M[^"]*)" fill="none" stroke="rgb\(1, 2, 3\)"/.exec(svg) ?? [];
  const points = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  assert.equal(points.length, 3);
  const [[x1 = 0, y1 = 0] = [], [x3 = 0, y3 = 0] = [], [x4 = 0, y4 = 0] = []] = points;
  // Steps 1, 3 and 4 at 0.8, 0.4 and 0.2.
  assert.ok(Math.abs((x3 - x1) / (x4 - x1) - 2 / 3) < 1e-3);
  assert.ok(Math.abs((y3 - y1) / (y4 - y1) - 2 / 3) < 1e-3);
});

test('the SVG is well formed: its text is escaped', () => {
  const svg = chartSvg(drawing());
  assert.match(svg, /Loss &lt;of&gt; &quot;Tom &amp; Ada&quot;/);
  const open = [...svg.matchAll(/<([a-z]+)[^<>]*[^/]>|<([a-z]+)>/g)].length;
  assert.equal(open, [...svg.matchAll(/<\/[a-z]+>/g)].length);
  assert.doesNotMatch(svg, /NaN|undefined|null/);
});

test('the legend names the lines that have a value', () => {
  const svg = chartSvg(drawing());
  assert.match(svg, />test loss</);
  assert.doesNotMatch(svg, /never drawn/);
  assert.match(svg, /<circle [^>]*fill="rgb\(4, 5, 6\)"/);
});

test('a long legend continues in the next row, inside of the picture', () => {
  const lines = Array.from({ length: 6 }, (_, at) => ({
    label: `a long name of line ${at}`,
    color: 'red',
    kind: /** @type {const} */ ('line'),
    dash: [],
  }));
  const columns = [[1, 2], ...lines.map(() => [0.1, 0.2])];
  const svg = chartSvg(drawing({ lines, columns }));
  const places = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" [^>]*>a long name/g)].map(([, x, y]) => [x, y]);
  assert.equal(places.length, 6);
  assert.ok(new Set(places.map(([, y]) => y)).size > 1);
  assert.ok(places.every(([x, y]) => Number(x) < 650 && Number(y) < 450));
});

test('a chart without a value is drawn', () => {
  assert.doesNotMatch(chartSvg(drawing({ columns: [[], [], [], []] })), /NaN|undefined/);
});

/** @param {number} step */
const log = (step, grad_norm = 1.5) => ({ step, epoch: step / 2, loss: 1 / step, grad_norm, learning_rate: 1e-5 });
/** @param {number} step @returns {any} */
const report = (step) => ({
  step,
  epoch: step / 2,
  part: 'test',
  eval_loss: 0.25,
  eval_accuracy: 0.75,
  macro: { precision: 1, recall: 1, f1: 0.5 },
});

/**
 * @param {number[]} norms  of the gradient, one for each step
 * @returns {any}
 */
function logged(norms) {
  const logs = new LogHistory();
  logs.add(norms.map((norm, at) => log(at + 1, norm)));
  const run = { kind: 'done', result: { global_step: norms.length, max_steps: norms.length } };
  return { logs, evaluations: [report(2)], model: { name: 'bert tiny/ü' }, trained: { seed: 7 }, run };
}

test('the CSV has a row for each log and evaluation, and what is not finite by name', () => {
  const lines = runCsv(logged([1.5, Infinity, NaN])).split('\r\n');
  assert.equal(lines[0], 'step,epoch,loss,grad_norm,learning_rate,eval_part,eval_loss,eval_accuracy,eval_f1_macro');
  assert.deepEqual(lines.slice(1), [
    '1,0.5,1,1.5,0.00001,,,,',
    '2,1,0.5,inf,0.00001,,,,',
    '2,1,,,,test,0.25,0.75,0.5',
    `3,1.5,${1 / 3},nan,0.00001,,,,`,
    '',
  ]);
});

test('the JSON has the same rows, the model and the seed', () => {
  const content = JSON.parse(runJson(logged([1.5, Infinity])));
  assert.deepEqual([content.model, content.seed, content.global_step], ['bert tiny/ü', 7, 2]);
  assert.equal(content.log_history.length, 3);
  assert.deepEqual(content.log_history[1], { step: 2, epoch: 1, loss: 0.5, grad_norm: null, learning_rate: 1e-5 });
});

test('the logs of a long run are marked as thinned', () => {
  assert.equal(isThinned(logged([1, 2])), false);
  const long = logged(Array.from({ length: 3000 }, (_, at) => at));
  assert.equal(isThinned(long), true);
  assert.equal(JSON.parse(runJson(long)).steps_logged, 3000);
  assert.ok(logRows(long).length <= 1026);
});

test('the name of a file says the model, the steps and the content', () => {
  const done = logged([1, 2]);
  assert.equal(runFileName(done, 'loss', 'svg'), 'bert-tiny-ü-2-steps-loss.svg');
  const running = { ...done, run: { kind: 'running', step: 1, max_steps: 2 } };
  assert.equal(runFileName(running, 'log', 'csv'), 'bert-tiny-ü-1-of-2-steps-log.csv');
  assert.equal(runFileName({ ...done, model: null, run: { kind: 'idle' } }, 'loss', 'png'), 'webtune-loss.png');
});
