// webtune's trainer without its page: the `Benchmark` class of the module on an empty page, next to the two files of a
// model, with WebGPU calls counted.

import { config, file, randomBert } from '../../bench/checkpoint.js';
import { install } from '../../bench/counters.js';
import { madeModel } from './webtune.js';

/**
 * The global `bare` of the page after `begin`.
 * @typedef {object} Bare
 * @property {any} benchmark     `Benchmark` of the module, with an open device
 * @property {() => Promise<[string, Uint8Array]>} files  `config.json` and the weights, for `load`
 * @property {() => number} heap  size of the module's memory, in bytes
 */

/**
 * The files of a randomly initialized BERT of these sizes.
 * @param {import('../../bench/cases.js').Sizes} sizes
 * @param {object} [changes]  of its configuration
 */
export const randomFiles = (sizes, changes) => ({
  'config.json': Buffer.from(JSON.stringify({ ...config(sizes), ...changes })),
  'model.safetensors': file(randomBert(sizes)),
});

/**
 * Opens the page and a device in it.
 * @param {import('@playwright/test').Page} page
 * @param {import('./server.js').TestServer} server
 * @param {{'config.json': Buffer, 'model.safetensors': Buffer}} files
 * @param {number} [limit]  maximum size of a binding, in bytes, that the loader may use
 */
export async function openBare(page, server, files, limit) {
  server.offer('bare', {
    'index.html': {
      type: 'text/html',
      body: Buffer.from('<!doctype html><title>bare</title><link rel="icon" href="data:,">'),
    },
    'config.json': { body: files['config.json'] },
    'model.safetensors': { body: files['model.safetensors'] },
  });
  await page.addInitScript({ content: `globalThis.counters = (${install.toString()})();` });
  await page.goto(new URL(`${madeModel('bare')}index.html`, server.site()).href);
  const { script, wasm } = await server.module();
  await page.evaluate(begin, { script, wasm, limit: limit ?? null });
}

/**
 * Runs in the page.
 * @param {{script: string, wasm: string, limit: number|null}} wanted
 */
async function begin({ script, wasm, limit }) {
  const { default: init, Benchmark } = await import(script);
  const { memory } = await init({ module_or_path: wasm });
  const benchmark = await Benchmark.open();
  if (limit !== null) benchmark.limit_binding(limit);
  /** @type {Bare} */
  const bare = {
    benchmark,
    files: async () => [
      await (await fetch('config.json')).text(),
      new Uint8Array(await (await fetch('model.safetensors')).arrayBuffer()),
    ],
    heap: () => memory.buffer.byteLength,
  };
  Object.assign(globalThis, { bare });
}
