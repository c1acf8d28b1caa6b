// The memory of the wasm module, and the threads of the CPU device. Both belong to the worker (worker.js).
//
// Threads share the memory, which a browser allows only for a page that is isolated from other origins
// (https://developer.mozilla.org/docs/Web/API/Window/crossOriginIsolated). Elsewhere the module is the one with the
// import of a memory that is not shared, and the CPU device computes on one thread.

import { sleepIn } from './cpu-sleep.js';
import { scriptUrl } from './script-url.js';

/** @typedef {import('./cpu-thread.js').CpuThread} CpuThread */

const PKG = new URL('../pkg/', import.meta.url);
/** Pages of 64 KiB at first, at least those that the module asks for (`xtask/src/wasm.rs` checks it). */
const INITIAL_PAGES = 256;
/** The size that the memory may reach, 4 GiB; less where the browser does not reserve as much address space. */
const MAX_PAGES = [65536, 32768, 16384];
/** Threads beyond these share caches and memory with others, and a step of a small model gains nothing by them. */
const MAX_THREADS = 8;
/**
 * Milliseconds that the worker waits for parts of other threads. They take milliseconds; a thread that the browser has
 * ended must not block the page for ever.
 */
const LONGEST_PART = 30_000;

/** Whether memory can be shared. WebKitGTK isolates a page and has no shared buffers (docs/browsers.md). */
const canShare = () => self.crossOriginIsolated && typeof SharedArrayBuffer === 'function';

/**
 * The memory to instantiate the wasm module with, and the form of the module that can have it.
 * @returns {{memory: WebAssembly.Memory, module_or_path: URL}}
 */
export function moduleAndMemory() {
  const shared = canShare() ? sharedMemory() : null;
  return {
    memory: shared ?? new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES[0] }),
    module_or_path: new URL(shared ? 'webtune_shared.wasm' : 'webtune_bg.wasm', PKG),
  };
}

/** A shared memory reserves its address space at once, and some phones refuse to. */
function sharedMemory() {
  for (const maximum of MAX_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return null;
}

/**
 * What the wasm module needs to load the kernels of the CPU device and to start threads.
 * @param {number} [threads]   at most so many, instead of one for each core
 */
export function cpuKernels(threads = navigator.hardwareConcurrency) {
  const count = Math.max(1, Math.min(threads, MAX_THREADS));
  const sleep = (/** @type {WebAssembly.Memory} */ memory) => sleepIn(memory, LONGEST_PART);
  return { folder: PKG.href, threads: count, sleep, start: startThread };
}

/**
 * Starts a thread and resolves when it is about to wait for work.
 * @param {CpuThread} thread
 * @returns {Promise<void>}
 */
function startThread(thread) {
  const name = `cpu-thread-${thread.index}`;
  return new Promise((resolve, reject) => {
    const worker = new Worker(scriptUrl(new URL('./cpu-thread.js', import.meta.url)), { type: 'module', name });
    worker.addEventListener('message', () => resolve());
    worker.addEventListener('error', ({ message }) => reject(new Error(message || `${name} could not be loaded`)));
    worker.postMessage(thread);
  });
}

/**
 * Lets the functions that the module calls with a view of its memory accept a shared one. They refuse it, and copy
 * here. wasm-bindgen and getrandom copy too if they are compiled with atomic instructions, which needs a nightly
 * compiler (https://rustwasm.github.io/docs/wasm-bindgen/examples/raytrace.html).
 */
export function acceptSharedMemory() {
  const isShared = (/** @type {unknown} */ view) =>
    ArrayBuffer.isView(view) && canShare() && view.buffer instanceof SharedArrayBuffer;

  const { decode } = TextDecoder.prototype;
  TextDecoder.prototype.decode = function (view, options) {
    return decode.call(this, isShared(view) ? /** @type {Uint8Array} */ (view).slice() : view, options);
  };

  const { encodeInto } = TextEncoder.prototype;
  TextEncoder.prototype.encodeInto = function (text, view) {
    if (!isShared(view)) return encodeInto.call(this, text, view);
    const copy = new Uint8Array(view.length);
    const result = encodeInto.call(this, text, copy);
    view.set(copy.subarray(0, result.written));
    return result;
  };

  const getRandomValues = crypto.getRandomValues.bind(crypto);
  crypto.getRandomValues = (view) => {
    if (!(view instanceof Uint8Array) || !isShared(view)) return getRandomValues(view);
    view.set(getRandomValues(new Uint8Array(view.length)));
    return view;
  };
}
