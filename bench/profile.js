// Measures the time of a training step by kernel: every dispatch runs in a separate pass between two timestamps.
//
//   node bench/profile.js [--dist dist] [--case minilm-8x16] [--adapter auto]
//
// `cargo xtask bench` sets up what it needs.
//
// Separate passes prevent the GPU from overlapping dispatches, so the sum exceeds the time of a step; the shares are
// valid.

import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from './browser.js';
import { CASES } from './cases.js';
import { BenchServer } from './server.js';
import { REPOSITORY, prepare, scripts } from './site.js';

const options = parseArgs({
  options: {
    dist: { type: 'string', default: 'dist' },
    case: { type: 'string', default: 'minilm-8x16' },
    adapter: { type: 'string', default: 'auto' },
  },
}).values;

const given = CASES.find(({ name }) => name === options.case);
if (!given) throw new Error(`there is no case ${options.case}; there are ${CASES.map(({ name }) => name).join(', ')}`);
const dist = resolve(REPOSITORY, options.dist);
const { site } = await prepare({ out: join(REPOSITORY, 'target/profile'), cases: [given], pages: ['webtune'] });
const server = new BenchServer([
  { address: 'dist', source: dist },
  { address: '', source: site },
]);
const origin = await server.start();
const { browser, adapter } = await launch(/** @type {any} */ (options.adapter), `${origin}/webtune/`);
try {
  const page = await browser.newPage();
  page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
  await page.addInitScript({ content: `globalThis.profiler = (${install.toString()})();` });
  await page.goto(`${origin}/work/${given.name}.json`);
  const found = await page.evaluate(drive, {
    script: `${origin}/dist/${scripts(dist)}pkg/webtune.js`,
    name: given.name,
    model: given.model,
  });
  const total = found.reduce((sum, { ms }) => sum + ms, 0);
  const dispatches = found.reduce((sum, { count }) => sum + count, 0);
  console.log(
    `${given.title}, one training step on \`${adapter.name}\`: ${total.toFixed(1)} ms in ${dispatches} dispatches\n`,
  );
  console.log('| kernel | dispatches | ms | share |\n| --- | ---: | ---: | ---: |');
  for (const { kernel, count, ms } of found)
    console.log(`| ${kernel} | ${count} | ${ms.toFixed(1)} | ${((100 * ms) / total).toFixed(1)} % |`);
} finally {
  await browser.close();
  await server.close();
}

/**
 * Runs in the page: three steps, of which the third is measured.
 * @param {{script: string, name: string, model: string}} wanted
 * @returns {Promise<{kernel: string, count: number, ms: number}[]>}
 */
async function drive({ script, name, model }) {
  const profiler = /** @type {any} */ (globalThis).profiler;
  const [work, config, weights] = await Promise.all([
    fetch(`/work/${name}.json`).then((answer) => answer.text()),
    fetch(`/models/${model}/config.json`).then((answer) => answer.text()),
    fetch(`/models/${model}/model.safetensors`).then((answer) => answer.arrayBuffer()),
  ]);
  const { default: init, Benchmark } = await import(script);
  await init();
  const benchmark = await Benchmark.open();
  await benchmark.load(config, new Uint8Array(weights));
  benchmark.start(work);
  await benchmark.step();
  await benchmark.step();
  profiler.begin();
  await benchmark.step();
  return profiler.end();
}

/** Runs in the page before its scripts: after `begin`, every dispatch has a separate pass with timestamps. */
function install() {
  const scope = /** @type {any} */ (globalThis);
  const MAX_DISPATCHES = 2048;
  /** @type {any} */
  let device;
  /** @type {any} */
  let queries;
  let on = false;
  /** @type {string[]} */
  let kernels = [];
  /** Names of pipelines: the entry point of the shader, without the hash of its comptime values. */
  const names = new WeakMap();

  const { requestDevice } = scope.GPUAdapter.prototype;
  scope.GPUAdapter.prototype.requestDevice = async function (/** @type {any} */ descriptor = {}) {
    if (!this.features.has('timestamp-query')) throw new Error('this adapter has no timestamp queries');
    device = await requestDevice.call(this, {
      ...descriptor,
      requiredFeatures: [...(descriptor.requiredFeatures ?? []), 'timestamp-query'],
    });
    queries = device.createQuerySet({ type: 'timestamp', count: 2 * MAX_DISPATCHES });
    return device;
  };
  const modules = new WeakMap();
  const { createShaderModule, createComputePipeline } = scope.GPUDevice.prototype;
  scope.GPUDevice.prototype.createShaderModule = function (/** @type {any} */ descriptor) {
    const made = createShaderModule.call(this, descriptor);
    modules.set(made, /fn (\w+?)(_[0-9a-f]{8})?\(@builtin/.exec(descriptor.code)?.[1] ?? 'unnamed');
    return made;
  };
  scope.GPUDevice.prototype.createComputePipeline = function (/** @type {any} */ descriptor) {
    const made = createComputePipeline.call(this, descriptor);
    names.set(made, modules.get(descriptor.compute.module));
    return made;
  };
  const { beginComputePass } = scope.GPUCommandEncoder.prototype;
  scope.GPUCommandEncoder.prototype.beginComputePass = function (/** @type {any} */ descriptor) {
    if (!on) return beginComputePass.call(this, descriptor);
    /** @type {any} */
    let pipeline;
    /** @type {any[][]} */
    const groups = [];
    return {
      setPipeline: (/** @type {any} */ set) => void (pipeline = set),
      setBindGroup: (/** @type {any[]} */ ...set) => void (groups[set[0]] = set),
      dispatchWorkgroups: (/** @type {number[]} */ ...size) => {
        const at = kernels.length;
        if (at >= MAX_DISPATCHES) throw new Error(`more than ${MAX_DISPATCHES} dispatches`);
        const timestampWrites = {
          querySet: queries,
          beginningOfPassWriteIndex: 2 * at,
          endOfPassWriteIndex: 2 * at + 1,
        };
        const pass = beginComputePass.call(this, { timestampWrites });
        pass.setPipeline(pipeline);
        for (const set of groups) if (set) pass.setBindGroup(...set);
        pass.dispatchWorkgroups(...size);
        pass.end();
        kernels.push(`${names.get(pipeline)} ${size.join('×')}`);
      },
      end: () => {},
    };
  };

  return {
    begin: () => {
      kernels = [];
      on = true;
    },
    async end() {
      on = false;
      const size = kernels.length * 16;
      const resolved = device.createBuffer({
        size,
        usage: scope.GPUBufferUsage.QUERY_RESOLVE | scope.GPUBufferUsage.COPY_SRC,
      });
      const read = device.createBuffer({ size, usage: scope.GPUBufferUsage.MAP_READ | scope.GPUBufferUsage.COPY_DST });
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(queries, 0, 2 * kernels.length, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, read, 0, size);
      device.queue.submit([encoder.finish()]);
      await read.mapAsync(scope.GPUMapMode.READ);
      const times = new BigInt64Array(read.getMappedRange());
      /** @type {Map<string, {kernel: string, count: number, ms: number}>} */
      const sums = new Map();
      kernels.forEach((kernel, at) => {
        const one = sums.get(kernel) ?? { kernel, count: 0, ms: 0 };
        one.count += 1;
        one.ms += Number((times[2 * at + 1] ?? 0n) - (times[2 * at] ?? 0n)) / 1e6;
        sums.set(kernel, one);
      });
      return [...sums.values()].sort((a, b) => b.ms - a.ms);
    },
  };
}
