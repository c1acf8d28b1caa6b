// Computes figures from turns: medians with spread, the agreement of results, the results file and the README's table.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CASES } from './cases.js';
import { SUBJECTS, isPython } from './devices.js';

/** @typedef {import('./devices.js').DeviceName} DeviceName */
/** @typedef {import('./measure.js').Row} Row */
/** @typedef {import('./cases.js').Case} Case */

/**
 * Allowed absolute deviation of losses and logits, and relative deviation of gradient norms, from the reference. The
 * time of a subject beyond it does not count. Norms are compared because the loss of a new classifier is near ln 2 even
 * with wrong layers below it.
 */
export const TOLERANCE = 1e-3;
/** The library that the others' times are relative to. */
const OWN = 'webtune';
/** Where the table of a device is in the README. @type {Record<DeviceName, [string, string]>} */
const MARKERS = {
  webgpu: ['<!-- bench -->', '<!-- /bench -->'],
  cpu: ['<!-- bench-cpu -->', '<!-- /bench-cpu -->'],
};

/**
 * @typedef {object} Figures
 * @property {string} case
 * @property {Row['mode']} mode
 * @property {string} subject
 * @property {string} adapter
 * @property {string} where
 * @property {string|null} void            why the figures of the row do not count
 * @property {number|null} late_ms         the exceeded patience, if any
 * @property {{median: number, min: number, max: number, turns: number, steps: number}|null} ms   per step
 * @property {number|null} tokens_per_second
 * @property {number|null} first_ms
 * @property {number|null} open_to_first_ms
 * @property {number|null} dispatches      per step
 * @property {number|null} submits         per step
 * @property {number|null} peak_gpu_bytes  since opening
 * @property {number|null} wire_bytes      everything but the checkpoint, compressed
 * @property {number|null} deviation       largest deviation of losses or logits from the reference
 * @property {number|null} norm_deviation  of gradient norms, relative
 * @property {string|null} reference
 */

/**
 * @param {Row[]} rows  of one case and mode
 * @param {Case} given
 * @param {DeviceName} device
 * @returns {Figures[]}
 */
export function figures(rows, given, device) {
  // The reference is PyTorch; without it, webtune.
  const references = [...SUBJECTS[device].filter(isPython).map(({ name }) => name), OWN];
  const reference =
    references.map((name) => rows.find(({ subject, opening }) => subject === name && opening)).find(Boolean) ?? null;
  return rows.map((row) => {
    const { opening, turns, error } = row;
    const both = reference && opening;
    const deviation = both ? maxDeviation(outputs(row), outputs(reference), () => 1) : null;
    const normDeviation =
      both && row.mode === 'train' ? maxDeviation(norms(row), norms(reference), (expected) => expected) : null;
    const largest = Math.max(deviation ?? 0, normDeviation ?? 0);
    const mismatch = largest <= TOLERANCE ? null : `deviates from ${reference?.subject} by ${largest.toExponential(1)}`;
    const steps = turns.reduce((sum, turn) => sum + turn.steps.length, 0);
    const each = turns.map((turn) => turn.ms / turn.steps.length).sort((a, b) => a - b);
    const ms = each.length
      ? { median: median(each), min: each[0] ?? NaN, max: each.at(-1) ?? NaN, turns: each.length, steps }
      : null;
    const last = turns.at(-1);
    const counted = device === 'webgpu' && last?.after && row.opening?.wire ? last : null;
    const perStep = (/** @type {'dispatches'|'submits'} */ what) =>
      counted && (counted.after[what] - counted.before[what]) / counted.steps.length;
    const peaks = [opening?.first, ...turns].map((turn) => turn?.after?.peakBytes ?? 0);
    return {
      case: row.case,
      mode: row.mode,
      subject: row.subject,
      adapter: row.adapter,
      where: row.where,
      void: error ?? mismatch ?? (ms ? null : 'no steady step was timed'),
      late_ms: row.late,
      ms,
      tokens_per_second: ms && (given.batch * given.seq * 1000) / ms.median,
      first_ms: opening?.first.ms ?? null,
      open_to_first_ms: opening?.openToFirst ?? null,
      dispatches: perStep('dispatches'),
      submits: perStep('submits'),
      peak_gpu_bytes: Math.max(...peaks) || null,
      wire_bytes: opening?.wire?.bytes ?? null,
      deviation,
      norm_deviation: normDeviation,
      reference: reference?.subject ?? null,
    };
  });
}

/**
 * The largest deviation between the outputs of two subjects, over the steps that both did.
 * @param {number[]} found
 * @param {number[]} expected
 * @param {(expected: number) => number} unit  the divisor of a deviation
 */
function maxDeviation(found, expected, unit) {
  const common = Math.min(found.length, expected.length);
  let worst = common ? 0 : Infinity;
  for (let at = 0; at < common; at += 1) {
    const value = expected[at] ?? NaN;
    const deviation = Math.abs((found[at] ?? NaN) - value) / unit(value);
    // `Math.max` with NaN is NaN, which no comparison reports as larger.
    worst = Math.max(worst, Number.isNaN(deviation) ? Infinity : deviation);
  }
  return worst;
}

/** The outputs of a subject: all losses, or the last logits. @param {Row} row */
const outputs = (row) =>
  row.mode === 'train' ? repetitions(row).flatMap(({ losses }) => losses) : (repetitions(row).at(-1)?.logits ?? []);

/** @param {Row} row */
const norms = (row) => repetitions(row).flatMap((repetition) => repetition.norms);

/** @param {Row} row */
const repetitions = ({ opening, warmup, turns }) => (opening ? [opening.first, ...warmup, ...turns] : []);

/** @param {number[]} sorted */
function median(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/**
 * Writes all measurements including single samples, and returns the path of the file.
 * @param {string} folder
 * @param {object} about            the machine, the browser, the versions, the plan
 * @param {string} adapter
 * @param {Figures[]} all
 * @param {Row[]} rows
 */
export function writeResults(folder, about, adapter, all, rows) {
  const slug = adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const path = join(folder, `${new Date().toISOString().slice(0, 10)}-${slug}.json`);
  mkdirSync(folder, { recursive: true });
  // One line per row, so that committed files can be compared.
  const lines = (/** @type {object[]} */ list) =>
    `[\n${list.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
  const head = JSON.stringify(about, null, 2).replace(/\n}$/, '');
  writeFileSync(path, `${head},\n  "figures": ${lines(all)},\n  "rows": ${lines(rows)}\n}\n`);
  return path;
}

/**
 * The table of the README: one row per case, mode and subject. On the CPU, libraries differ in their threads.
 * @param {Figures[]} all
 * @param {string} adapter
 * @param {DeviceName} device
 */
export function table(all, adapter, device) {
  const [name, line] = device === 'cpu' ? [' computed on |', ' --- |'] : ['', ''];
  const lines = [
    `| on \`${adapter}\` | library |${name} ms per step | lowest–highest | relative |`,
    `| --- | --- |${line} ---: | ---: | ---: |`,
  ];
  for (const { name, title } of CASES) {
    for (const mode of /** @type {const} */ (['train', 'forward'])) {
      const rows = all.filter((entry) => entry.case === name && entry.mode === mode);
      const own = rows.find(({ subject }) => subject === OWN);
      const subjects = SUBJECTS[device].flatMap(({ name: subject, title }) =>
        rows
          .filter((entry) => entry.subject === subject)
          .map((entry) => [title, ...(device === 'cpu' ? [entry.adapter] : []), ...cells(entry, own)]),
      );
      const work = mode === 'forward' ? `${title}, forward only` : title;
      subjects.forEach((row, at) => lines.push(`| ${[at === 0 ? work : '', ...row].join(' | ')} |`));
    }
  }
  return lines.join('\n');
}

/**
 * Median, range, and the median relative to webtune's.
 * @param {Figures} entry
 * @param {Figures|undefined} own  the figures of webtune
 * @returns {[string, string, string]}
 */
function cells(entry, own) {
  if (entry.late_ms !== null) return [`over ${entry.late_ms / 1000} s`, '', ''];
  if (entry.void || !entry.ms) return ['void', '', ''];
  const { median: ms, min, max } = entry.ms;
  const relative = own?.ms && !own.void ? `${(ms / own.ms.median).toFixed(2)}×` : '';
  return [short(ms), `${short(min)}–${short(max)}`, relative];
}

/** Formats three digits. @param {number} ms */
const short = (ms) => (ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3));

/**
 * The table with all columns, for the terminal.
 * @param {Figures[]} all
 */
export function details(all) {
  const megabytes = (/** @type {number|null} */ bytes) =>
    bytes === null ? '' : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0)} MB`;
  const number = (/** @type {number|null} */ value, digits = 0) => (value === null ? '' : value.toFixed(digits));
  const exponent = (/** @type {number|null} */ value) => (value === null ? '' : value.toExponential(0));
  const heads = [
    'case',
    'mode',
    'subject',
    'adapter',
    'ms/step',
    'min',
    'max',
    'tokens/s',
    'first ms',
    'open → first',
    'dispatches',
    'submits',
    'GPU peak',
    'wire',
    'deviation',
    'norm deviation',
    'void',
  ];
  const lines = all.map((row) => [
    ...[row.case, row.mode, row.subject, row.adapter],
    ...[number(row.ms?.median ?? null, 1), number(row.ms?.min ?? null, 1), number(row.ms?.max ?? null, 1)],
    ...[
      number(row.tokens_per_second),
      number(row.first_ms),
      number(row.open_to_first_ms),
      number(row.dispatches, 1),
      number(row.submits, 1),
    ],
    ...[
      megabytes(row.peak_gpu_bytes),
      megabytes(row.wire_bytes),
      exponent(row.deviation),
      exponent(row.norm_deviation),
      row.void ?? '',
    ],
  ]);
  return [heads, heads.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * Writes the table of a device between its markers in the README.
 * @param {string} readme
 * @param {string} text
 * @param {DeviceName} device
 */
export function publish(readme, text, device) {
  const [from, to] = MARKERS[device];
  const before = readFileSync(readme, 'utf8');
  const [start, end] = [before.indexOf(from), before.indexOf(to)];
  if (start < 0 || end < start) throw new Error(`${readme} has no ${from} … ${to}: put them where the table belongs`);
  writeFileSync(readme, `${before.slice(0, start + from.length)}\n${text}\n${before.slice(end)}`);
}
