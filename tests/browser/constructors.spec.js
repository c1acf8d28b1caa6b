// wasm-ld wraps every export in a call to all static constructors unless the program calls `__wasm_call_ctors` itself;
// every call is then about ten times slower. Checked in the first instructions of the exports and in the time of a
// call.

import { expect, test } from './fixtures.js';
import { firstCalls } from './wasm-exports.js';

/**
 * The largest share of the exports that begin with a call of the same function.
 * @param {Uint8Array} bytes
 */
function sharedFirstCall(bytes) {
  const calls = [...firstCalls(bytes).values()];
  const times = new Map();
  for (const target of calls) if (target !== null) times.set(target, (times.get(target) ?? 0) + 1);
  return { exports: calls.length, share: Math.max(0, ...times.values()) / calls.length };
}

test('exports do not begin with a call of the constructors', async ({ server }) => {
  const { bytes } = await server.module();
  const { exports, share } = sharedFirstCall(bytes);
  expect(exports).toBeGreaterThan(10);
  expect(share).toBeLessThan(0.5);
});

test('a module with wrapped exports is detected', () => {
  // Function 0 stands for the constructors; "a" and "b" call it first, like the wrappers of wasm-ld.
  const wrapper = [4, 0, 0x10, 0, 0x0b];
  const name = (/** @type {string} */ letter) => [1, letter.charCodeAt(0)];
  const wrapped = new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 4, 1, 0x60, 0, 0],
    ...[3, 4, 3, 0, 0, 0],
    ...[7, 9, 2, ...name('a'), 0, 1, ...name('b'), 0, 2],
    ...[10, 14, 3, 2, 0, 0x0b, ...wrapper, ...wrapper],
  ]);
  expect(WebAssembly.validate(wrapped)).toBe(true);
  expect(sharedFirstCall(wrapped)).toEqual({ exports: 2, share: 1 });
});

test('a call into the module takes less than 10 µs', async ({ webtune }) => {
  const { page, server } = webtune;
  await webtune.open({ device: 'cpu' });
  const { script, wasm } = await server.module();
  const microseconds = await page.evaluate(async ([script, module_or_path]) => {
    const { default: init, Webtune } = await import(script);
    const { cpuKernels } = await import(new URL('../www/cpu-threads.js', script).href);
    await init({ module_or_path });
    // The cheapest export: it returns immediately when there is no run.
    const app = await Webtune.open('cpu', cpuKernels(1));
    const samples = [];
    for (let sample = 0; sample < 100; sample += 1) {
      const start = performance.now();
      for (let call = 0; call < 100; call += 1) app.set_log_every(1);
      samples.push((performance.now() - start) * 10);
    }
    return samples.sort((a, b) => a - b)[50] ?? NaN;
  }, /** @type {const} */ ([script, wasm]));
  // The constructors take tens of microseconds; an empty call takes a fraction of one.
  expect(microseconds).toBeLessThan(10);
});
