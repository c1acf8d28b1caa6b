// What a model costs in memory: the module's heap while weights arrive, WebGPU's buffers and bindings, and that a long run takes no more
// of either than a short one.

import { MODELS, work } from '../../bench/cases.js';
import { config, file, randomBert } from '../../bench/checkpoint.js';
import { install } from '../../bench/counters.js';
import { PARAMETERS, bertBase } from './bert-base.js';
import { expect, test } from './fixtures.js';
import { madeModel } from './webtune.js';

const MIB = 2 ** 20;
const MINUTE = 60_000;

test('440 MB of weights leave nothing behind, neither in the heap nor on the GPU', async ({ webtune }) => {
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
  console.log(`  heap ${mib(before.heap)} → ${mib(after.heap)} MiB, GPU buffers ${mib(before.liveBytes)} → at most ${mib(after.peakBytes)} MiB`);
  // A module's memory never shrinks: what it has now is the most that it ever had. It holds pieces of 4 MiB, and before that a self-test.
  expect(after.heap).toBeLessThan(64 * MIB);
  // The pieces were written into the parameters' own buffers.
  expect(after.peakBytes - before.liveBytes).toBeLessThan(4 * parameters + MIB);
});

test('a vocabulary in three blocks trains as it does whole, and no binding is larger than the device allows', async ({ page, server }) => {
  const sizes = { ...MODELS.small, vocab: 1300, positions: 64 };
  const files = small(sizes);
  await openEmpty(page, server, files);
  // Twice the largest parameter but the vocabulary, a feed-forward weight: AdamW's moments are of that size.
  const limit = 2 * 4 * sizes.inner * sizes.hidden;
  const words = 4 * sizes.vocab * sizes.hidden;
  expect(Math.ceil(words / (limit / 2))).toBe(3);
  const given = work({ batch: 8, seq: 32 }, [200, sizes.vocab]);
  const whole = await page.evaluate(train, { ...(await module(server)), given, steps: 6, limit: null });
  await openEmpty(page, server, files);
  const blocks = await page.evaluate(train, { ...(await module(server)), given, steps: 6, limit });
  expect([...whole.errors, ...blocks.errors], 'what WebGPU found wrong').toEqual([]);
  expect(whole.counts.largestBinding).toBe(2 * words);
  expect(blocks.counts.largestBinding).toBe(limit);
  expect(new Set(whole.losses).size).toBe(whole.losses.length);
  for (const [at, loss] of blocks.losses.entries()) expect(loss, `step ${at + 1}`).toBeCloseTo(whole.losses[at] ?? NaN, 5);
  for (const [at, norm] of blocks.norms.entries()) expect(norm / (whole.norms[at] ?? NaN), `step ${at + 1}`).toBeCloseTo(1, 4);
  for (const [at, logit] of blocks.logits.entries()) expect(logit).toBeCloseTo(whole.logits[at] ?? NaN, 4);
});

test('a multilingual vocabulary trains on a device of the least limits that WebGPU has', async ({ page, server }) => {
  // mBERT's words. A row is half as wide as there: 184 MB are more than such a device binds already.
  const sizes = { vocab: 119_547, hidden: 384, layers: 1, heads: 6, inner: 768, positions: 64, types: 2 };
  const files = bertBase(sizes);
  const least = 128 * MIB;
  expect(4 * sizes.vocab * sizes.hidden).toBeGreaterThan(least);
  // The browser itself refuses what is too large: the device is made with these limits, whatever the adapter has.
  await page.addInitScript((limit) => {
    const scope = /** @type {any} */ (globalThis);
    const request = scope.GPUAdapter.prototype.requestDevice;
    scope.GPUAdapter.prototype.requestDevice = function (/** @type {any} */ { requiredLimits, ...rest }) {
      return request.call(this, { ...rest, requiredLimits: { ...requiredLimits, maxStorageBufferBindingSize: limit } });
    };
  }, least);
  await openEmpty(page, server, files);
  const given = work({ batch: 2, seq: 16 }, [1000, sizes.vocab]);
  const { losses, norms, counts, errors } = await page.evaluate(train, { ...(await module(server)), given, steps: 3, limit: null });
  expect(errors).toEqual([]);
  expect(counts.largestBinding).toBeLessThanOrEqual(least);
  expect(counts.largestBinding).toBeGreaterThan(0.9 * least);
  expect(new Set(losses).size).toBe(3);
  for (const value of [...losses, ...norms]) expect(value).toBeGreaterThan(0);
});

test('what no device of such limits takes is refused by its name', async ({ page, server }) => {
  const sizes = { ...MODELS.small, vocab: 1300, positions: 64 };
  await openEmpty(page, server, small(sizes));
  const limit = 2 * 4 * sizes.inner * sizes.hidden - 8;
  const message = await page.evaluate(refused, { ...(await module(server)), limit });
  for (const part of ['intermediate.dense.weight', `${4 * sizes.inner * sizes.hidden} bytes`, `${limit / 2}`, 'maxStorageBufferBindingSize']) expect(message).toContain(part);
});

test('500 steps take no more memory than 10', async ({ page, server }) => {
  const sizes = { vocab: 400, hidden: 32, layers: 1, heads: 2, inner: 64, positions: 32 };
  await openEmpty(page, server, small(sizes));
  const given = work({ batch: 4, seq: 16 }, [110, sizes.vocab]);
  const { marks, errors, losses } = await page.evaluate(train, { ...(await module(server)), given, steps: 500, limit: null });
  expect(errors).toEqual([]);
  expect(losses.every(Number.isFinite)).toBe(true);
  const [early, late] = [marks[10], marks[500]];
  if (!early || !late) throw new Error('the run is too short');
  console.log(`  GPU buffers ${early.liveBytes} → ${late.liveBytes} bytes, heap ${early.heap} → ${late.heap}`);
  // AdamW's scalars are other ones at each step, and cubecl keeps the buffers of the last 4,096 sets of scalars, 256 bytes and more each,
  // so that the same ones need not be written again. Nothing else may stay: an activation of each step would be some megabytes by now.
  expect(late.liveBytes - early.liveBytes).toBeLessThan(2.7e6);
  expect(late.heap - early.heap).toBeLessThan(2 * MIB);
});

/**
 * A page of the server's without webtune's, with the model's two files beside it and WebGPU's calls counted.
 * @param {import('@playwright/test').Page} page
 * @param {import('./server.js').TestServer} server
 * @param {{'config.json': Buffer, 'model.safetensors': Buffer}} files
 */
async function openEmpty(page, server, files) {
  server.offer('memory', {
    'index.html': { type: 'text/html', body: Buffer.from('<!doctype html><title>memory</title><link rel="icon" href="data:,">') },
    'config.json': { body: files['config.json'] },
    'model.safetensors': { body: files['model.safetensors'] },
  });
  await page.addInitScript({ content: `globalThis.counters = (${install.toString()})();` });
  await page.goto(new URL(`${madeModel('memory')}index.html`, server.site()).href);
}

/** A BERT of these sizes, drawn whole. @param {import('../../bench/cases.js').Sizes} sizes */
const small = (sizes) => ({ 'config.json': Buffer.from(JSON.stringify(config(sizes))), 'model.safetensors': file(randomBert(sizes)) });

/** @param {import('./server.js').TestServer} server */
async function module(server) {
  const { script, wasm } = await server.module();
  return { script, wasm };
}

/**
 * In the page: steps of webtune's own trainer, on a device as it is or of narrower bindings.
 * @param {{script: string, wasm: string, given: object, steps: number, limit: number|null}} wanted
 */
async function train({ script, wasm, given, steps, limit }) {
  /** @type {import('../../bench/counters.js').Counters} */
  const counters = /** @type {any} */ (globalThis).counters;
  const { default: init, Benchmark } = await import(script);
  const { memory } = await init({ module_or_path: wasm });
  const benchmark = await Benchmark.open();
  if (limit !== null) benchmark.limit_binding(limit);
  const text = await (await fetch('config.json')).text();
  await benchmark.load(text, new Uint8Array(await (await fetch('model.safetensors')).arrayBuffer()));
  benchmark.start(JSON.stringify(given));
  const [losses, norms] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])];
  /** @type {Record<number, {liveBytes: number, heap: number}>} */
  const marks = {};
  for (let step = 1; step <= steps; step += 1) {
    const { loss, grad_norm } = await benchmark.step();
    losses.push(loss);
    norms.push(grad_norm);
    if (step === 10 || step === steps) marks[step] = { liveBytes: counters.counts.liveBytes, heap: memory.buffer.byteLength };
  }
  const logits = /** @type {number[]} */ (Array.from(await benchmark.forward()));
  await counters.drained();
  return { losses, norms, logits, marks, counts: counters.counts, errors: counters.errors };
}

/**
 * In the page: what loading says on a device of such bindings.
 * @param {{script: string, wasm: string, limit: number}} wanted
 */
async function refused({ script, wasm, limit }) {
  const { default: init, Benchmark } = await import(script);
  await init({ module_or_path: wasm });
  const benchmark = await Benchmark.open();
  benchmark.limit_binding(limit);
  const text = await (await fetch('config.json')).text();
  const weights = new Uint8Array(await (await fetch('model.safetensors')).arrayBuffer());
  return benchmark.load(text, weights).then(
    () => 'it was loaded',
    (/** @type {{message: string}} */ error) => error.message,
  );
}
