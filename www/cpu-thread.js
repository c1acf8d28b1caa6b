// A thread of the CPU device: an instance of the kernels in the memory of the worker's wasm module. It answers that it
// is there, and then computes parts of jobs until the worker ends (`Team::help` in `cpu/src/team.rs`).

import { sleepIn } from './cpu-sleep.js';

/**
 * What a thread gets.
 * @typedef {object} CpuThread
 * @property {WebAssembly.Module} module   the kernels
 * @property {WebAssembly.Memory} memory   that of the worker's module, shared
 * @property {number} team   address of what the threads share
 * @property {number} index   counts the threads from 1
 * @property {number} stack   address of the end of its stack
 */

/**
 * @typedef {object} Kernels
 * @property {WebAssembly.Global} __stack_pointer
 * @property {(team: number, index: number) => never} help
 */

self.addEventListener(
  'message',
  (/** @type {MessageEvent<CpuThread>} */ { data: { module, memory, team, index, stack } }) => {
    const instance = new WebAssembly.Instance(module, { env: { memory, ...sleepIn(memory) } });
    const kernels = /** @type {Kernels} */ (/** @type {unknown} */ (instance.exports));
    kernels.__stack_pointer.value = stack;
    self.postMessage(null);
    kernels.help(team, index);
  },
  { once: true },
);
