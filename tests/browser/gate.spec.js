// The gate: dispatches, submits, new buffers and GPU memory of a training step and the transferred bytes of a page load
// must not grow unnoticed. Times differ between machines; these figures are the same everywhere, so they are compared
// with committed ones.
//
// The figures are in bench/gate.json. `cargo xtask bench --accept` measures them again; a justified growth is
// committed.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MODELS, work } from '../../bench/cases.js';
import { openBare, randomFiles } from './bare.js';
import { expect, test } from './fixtures.js';
import { hasNames } from './wasm-exports.js';

const FIGURES = fileURLToPath(new URL('../../bench/gate.json', import.meta.url));
const ACCEPT = process.env.WEBTUNE_GATE === 'accept';
/** Growth above which a figure fails; reduction above which the test suggests a new committed figure. */
const [GROWTH, SHRINKAGE] = [0.05, 0.2];

const STEPS = 4;
/** As in the checkpoints that visitors train. */
const DROPOUT = { hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1 };
/** The benchmark's small BERT with a smaller vocabulary, because the test generates and uploads the weights. */
const SIZES = { ...MODELS.small, vocab: 1000, positions: 64 };
const TOKEN_IDS = /** @type {[number, number]} */ ([200, SIZES.vocab]);

test('dispatches, submits, buffers and GPU memory of a training step do not grow', async ({ page, server }) => {
  await openBare(page, server, randomFiles(SIZES, DROPOUT));
  const given = work({ batch: 8, seq: 32 }, TOKEN_IDS);
  const { each, peak, errors, losses } = await page.evaluate(drive, { given, steps: STEPS });

  expect(errors, 'WebGPU errors').toEqual([]);
  // The batches differ, so equal losses would mean a step without effect.
  expect(new Set(losses).size).toBe(STEPS);
  const [third, fourth] = each.slice(-2);
  expect(third, 'two consecutive steps have equal counts').toEqual(fourth);
  // Every buffer is reused: none changes its size, and no dispatch has an argument that changes.
  expect(fourth?.created, 'buffers created in a steady step').toBe(0);
  compare('dispatches_per_step', third?.dispatches ?? NaN);
  compare('submits_per_step', third?.submits ?? NaN);
  compare('peak_gpu_bytes', peak);
});

test('the transferred bytes of a page load do not grow', async ({ webtune, request }) => {
  const { server } = webtune;
  const { bytes } = await server.module();
  test.skip(hasNames(bytes), 'a development build; visitors load the release build');
  await webtune.open({ device: 'cpu' });
  // A view is loaded when it is first shown, or when the browser is idle.
  await webtune.complete();
  const site = new URL(server.site()).pathname;
  const loaded = [...new Set(server.requests)].filter(
    (path) => path.startsWith(site) && !path.startsWith(`${site}models/`),
  );
  expect(loaded.some((path) => path.endsWith('.wasm'))).toBe(true);
  let total = 0;
  for (const path of loaded) {
    const response = await request.get(server.origin + path, { headers: { 'accept-encoding': 'br' } });
    expect(response.ok(), path).toBe(true);
    total += Number(response.headers()['content-length']);
  }
  compare('wire_bytes', total);
});

/**
 * Runs in the page: a few training steps, with the counts of each.
 * @param {{given: object, steps: number}} wanted
 */
async function drive({ given, steps }) {
  const scope = /** @type {{counters: import('../../bench/counters.js').Counters, bare: import('./bare.js').Bare}} */ (
    /** @type {unknown} */ (globalThis)
  );
  const {
    counters,
    bare: { benchmark, files },
  } = scope;
  await benchmark.load(...(await files()));
  benchmark.start(JSON.stringify(given));
  /** @type {{dispatches: number, submits: number, created: number}[]} */
  const each = [];
  /** @type {number[]} */
  const losses = [];
  for (let step = 0; step < steps; step += 1) {
    const before = { ...counters.counts };
    losses.push((await benchmark.step()).loss);
    const { dispatches, submits, created } = counters.counts;
    each.push({
      dispatches: dispatches - before.dispatches,
      submits: submits - before.submits,
      created: created - before.created,
    });
  }
  await counters.drained();
  return { each, peak: counters.counts.peakBytes, errors: counters.errors, losses };
}

/**
 * Fails when a figure has grown; with WEBTUNE_GATE=accept writes the figure to bench/gate.json instead.
 * @param {string} name
 * @param {number} value
 */
function compare(name, value) {
  expect(value, name).toBeGreaterThan(0);
  /** @type {Record<string, number>} */
  const figures = JSON.parse(readFileSync(FIGURES, 'utf8'));
  const committed = figures[name];
  if (ACCEPT) {
    console.log(`  ${name}: ${committed ?? 'none'} → ${value}`);
    writeFileSync(FIGURES, `${JSON.stringify({ ...figures, [name]: value }, null, 2)}\n`);
    return;
  }
  if (committed === undefined)
    throw new Error(`bench/gate.json has no ${name}. Run \`cargo xtask bench --accept\` to add it.`);
  const change = `${name} was ${committed} and is ${value} (${(100 * (value / committed - 1)).toFixed(1)} % more)`;
  if (value < committed * (1 - SHRINKAGE))
    console.log(
      `  ${name} fell from ${committed} to ${value}: run \`cargo xtask bench --accept\` to commit the lower figure.`,
    );
  // A soft expectation, so that one failure does not hide the other figures.
  const allowed =
    `${change}; ${100 * GROWTH} % are allowed. If the growth is justified, ` +
    'run `cargo xtask bench --accept` and commit bench/gate.json.';
  expect.soft(value, allowed).toBeLessThanOrEqual(committed * (1 + GROWTH));
}
