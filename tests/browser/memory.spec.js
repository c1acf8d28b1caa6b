// Memory of a model: the wasm heap while weights load, WebGPU's buffers and bindings, and the growth during a long run.

import { MODELS, work } from '../../bench/cases.js';
import { openBare, randomFiles } from './bare.js';
import { PARAMETERS, bertBase } from './bert-base.js';
import { expect, test } from './fixtures.js';
import { madeModel } from './webtune.js';

const MIB = 2 ** 20;
const MINUTE = 60_000;

test('loading 440 MB of weights keeps the heap small and allocates no second copy on the GPU', async ({ webtune }) => {
  const { page, server } = webtune;
  const weights = bertBase();
  server.offer('bert-base', Object.fromEntries(Object.entries(weights).map(([name, body]) => [name, { body }])));
  await webtune.open({ device: 'webgpu', model: madeModel('bert-base') }, 'counted');
  const [worker] = page.workers();
  if (!worker) throw new Error('the page has no worker');
  const measure = () =>
    worker.evaluate(async () => {
      const scope = /** @type {any} */ (globalThis);
      await scope.counters.drained();
      const { liveBytes, peakBytes } = /** @type {import('../../bench/counters.js').Counts} */ (scope.counters.counts);
      return { heap: /** @type {number} */ (scope.wasmBytes()), liveBytes, peakBytes, errors: scope.counters.errors };
    });
  const before = await measure();
  await webtune.press('run-model', 5 * MINUTE);
  expect((await webtune.read('stages')).model.error).toBeNull();
  const parameters = (await webtune.read('model'))?.parameters ?? NaN;
  expect(parameters).toBeGreaterThan(PARAMETERS);
  const after = await measure();
  expect(after.errors).toEqual([]);
  const mib = (/** @type {number} */ bytes) => (bytes / MIB).toFixed(1);
  console.log(
    `  heap ${mib(before.heap)} → ${mib(after.heap)} MiB, ` +
      `GPU buffers ${mib(before.liveBytes)} → at most ${mib(after.peakBytes)} MiB`,
  );
  // A wasm memory never shrinks, so its size is its peak. It holds chunks of 4 MiB, and before that the self-test.
  expect(after.heap).toBeLessThan(64 * MIB);
  // The chunks are written directly into the buffers of the parameters.
  expect(after.peakBytes - before.liveBytes).toBeLessThan(4 * parameters + MIB);
});

test('word embeddings in three blocks train like one block, within the binding limit', async ({ page, server }) => {
  const sizes = { ...MODELS.small, vocab: 1300, positions: 64 };
  const files = randomFiles(sizes);
  // AdamW's moments are one buffer of twice the parameter; a feed-forward weight is the largest after the embeddings.
  const limit = 2 * 4 * sizes.inner * sizes.hidden;
  const wordEmbeddings = 4 * sizes.vocab * sizes.hidden;
  expect(Math.ceil(wordEmbeddings / (limit / 2))).toBe(3);
  const given = work({ batch: 8, seq: 32 });
  // Each token once: with most of the vocabulary, the whole table is trained.
  given.input_ids = given.input_ids.map((_, at) => 200 + at);
  await openBare(page, server, files);
  const whole = await page.evaluate(train, { given, steps: 6 });
  await openBare(page, server, files, limit);
  const blocks = await page.evaluate(train, { given, steps: 6 });
  expect([...whole.errors, ...blocks.errors], 'WebGPU errors').toEqual([]);
  expect(whole.counts.largestBinding).toBe(2 * wordEmbeddings);
  expect(blocks.counts.largestBinding).toBe(limit);
  expect(new Set(whole.losses).size).toBe(whole.losses.length);
  for (const [at, loss] of blocks.losses.entries())
    expect(loss, `step ${at + 1}`).toBeCloseTo(whole.losses[at] ?? NaN, 5);
  for (const [at, norm] of blocks.norms.entries())
    expect(norm / (whole.norms[at] ?? NaN), `step ${at + 1}`).toBeCloseTo(1, 4);
  for (const [at, logit] of blocks.logits.entries()) expect(logit).toBeCloseTo(whole.logits[at] ?? NaN, 4);
});

test('a multilingual vocabulary trains with the minimum binding size of WebGPU', async ({ page, server }) => {
  // The vocabulary size of mBERT with half its hidden size: 184 MB, above the limit of 128 MiB.
  const sizes = { vocab: 119_547, hidden: 384, layers: 1, heads: 6, inner: 768, positions: 64, types: 2 };
  const files = bertBase(sizes);
  const minimum = 128 * MIB;
  expect(4 * sizes.vocab * sizes.hidden).toBeGreaterThan(minimum);
  // The device is created with this limit, so the browser itself rejects larger bindings.
  await page.addInitScript((limit) => {
    const scope = /** @type {any} */ (globalThis);
    const request = scope.GPUAdapter.prototype.requestDevice;
    scope.GPUAdapter.prototype.requestDevice = function (/** @type {any} */ { requiredLimits, ...rest }) {
      return request.call(this, { ...rest, requiredLimits: { ...requiredLimits, maxStorageBufferBindingSize: limit } });
    };
  }, minimum);
  await openBare(page, server, files);
  const given = work({ batch: 2, seq: 16 }, [1000, sizes.vocab]);
  const { losses, norms, counts, errors } = await page.evaluate(train, { given, steps: 3 });
  expect(errors).toEqual([]);
  expect(counts.largestBinding).toBeLessThanOrEqual(minimum);
  expect(counts.largestBinding).toBeGreaterThan(0.9 * minimum);
  expect(new Set(losses).size).toBe(3);
  for (const value of [...losses, ...norms]) expect(value).toBeGreaterThan(0);
});

test('a tensor above the binding limit is refused by name', async ({ page, server }) => {
  const sizes = { ...MODELS.small, vocab: 1300, positions: 64 };
  const limit = 2 * 4 * sizes.inner * sizes.hidden - 8;
  await openBare(page, server, randomFiles(sizes), limit);
  const message = await page.evaluate(loadMessage);
  for (const part of [
    'intermediate.dense.weight',
    `${4 * sizes.inner * sizes.hidden} bytes`,
    `${limit / 2}`,
    'maxStorageBufferBindingSize',
  ])
    expect(message).toContain(part);
});

test('250 steps need as much memory as 10, except for cached scalars', async ({ page, server }) => {
  const sizes = { vocab: 400, hidden: 32, layers: 1, heads: 2, inner: 64, positions: 32 };
  await openBare(page, server, randomFiles(sizes));
  const given = work({ batch: 4, seq: 16 }, [110, sizes.vocab]);
  const { marks, errors, losses } = await page.evaluate(train, { given, steps: 250 });
  expect(errors).toEqual([]);
  expect(losses.every(Number.isFinite)).toBe(true);
  const [early, late] = [marks[10], marks[250]];
  if (!early || !late) throw new Error('the run is too short');
  console.log(`  GPU buffers ${early.liveBytes} → ${late.liveBytes} bytes, heap ${early.heap} → ${late.heap}`);
  // AdamW's scalars differ at each step, and cubecl caches buffers of kernel metadata and scalars. Nothing else may
  // accumulate: one leaked activation of 8 kB per step would be 2 MB.
  expect(late.liveBytes - early.liveBytes).toBeLessThan(1.35e6);
  expect(late.heap - early.heap).toBeLessThan(2 * MIB);
});

/**
 * Runs in the page: training steps.
 * @param {{given: object, steps: number}} wanted
 */
async function train({ given, steps }) {
  const scope = /** @type {{counters: import('../../bench/counters.js').Counters, bare: import('./bare.js').Bare}} */ (
    /** @type {unknown} */ (globalThis)
  );
  const {
    counters,
    bare: { benchmark, files, heap },
  } = scope;
  await benchmark.load(...(await files()));
  benchmark.start(JSON.stringify(given));
  const [losses, norms] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  /** @type {Record<number, {liveBytes: number, heap: number}>} */
  const marks = {};
  for (let step = 1; step <= steps; step += 1) {
    const { loss, grad_norm } = await benchmark.step();
    losses.push(loss);
    norms.push(grad_norm);
    if (step === 10 || step === steps) marks[step] = { liveBytes: counters.counts.liveBytes, heap: heap() };
  }
  const logits = /** @type {number[]} */ (Array.from(await benchmark.forward()));
  await counters.drained();
  return { losses, norms, logits, marks, counts: counters.counts, errors: counters.errors };
}

/** Runs in the page: the error message of loading. */
async function loadMessage() {
  const { benchmark, files } = /** @type {{bare: import('./bare.js').Bare}} */ (/** @type {unknown} */ (globalThis))
    .bare;
  return benchmark.load(...(await files())).then(
    () => 'it was loaded',
    (/** @type {{message: string}} */ error) => error.message,
  );
}
