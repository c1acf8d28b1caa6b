// The memory of the wasm module, and the functions that accept a view of a shared one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleepIn } from '../../www/cpu-sleep.js';

/** Runs as a worker of a page that is isolated, or is not. @param {boolean} isolated */
async function worker(isolated) {
  Object.assign(globalThis, { self: globalThis, crossOriginIsolated: isolated });
  return import('../../www/cpu-threads.js');
}

test('an isolated worker has a shared memory, and another one has not', async () => {
  const { moduleAndMemory } = await worker(true);
  const shared = moduleAndMemory();
  assert.ok(shared.memory.buffer instanceof SharedArrayBuffer);
  assert.match(shared.module_or_path.href, /webtune_shared\.wasm$/);
  await worker(false);
  const own = moduleAndMemory();
  assert.ok(own.memory.buffer instanceof ArrayBuffer);
  assert.match(own.module_or_path.href, /webtune_bg\.wasm$/);
});

test('an isolated worker without shared buffers, as in WebKitGTK, has a memory of its own', async (context) => {
  const { moduleAndMemory } = await worker(true);
  const Shared = globalThis.SharedArrayBuffer;
  context.after(() => Object.assign(globalThis, { SharedArrayBuffer: Shared }));
  Object.assign(globalThis, { SharedArrayBuffer: undefined });
  const { memory, module_or_path } = moduleAndMemory();
  assert.ok(memory.buffer instanceof ArrayBuffer);
  assert.match(module_or_path.href, /webtune_bg\.wasm$/);
});

test('a browser that reserves less address space has a smaller memory, or none that is shared', async (context) => {
  const { moduleAndMemory } = await worker(true);
  const { Memory } = WebAssembly;
  /** @type {(number|undefined)[]} */
  const asked = [];
  let limit = 16384;
  context.after(() => Object.assign(WebAssembly, { Memory }));
  Object.assign(WebAssembly, {
    Memory: function (/** @type {WebAssembly.MemoryDescriptor} */ descriptor) {
      asked.push(descriptor.maximum);
      if (descriptor.shared && (descriptor.maximum ?? 0) > limit) throw new RangeError('out of memory');
      return new Memory(descriptor);
    },
  });
  assert.ok(moduleAndMemory().memory.buffer instanceof SharedArrayBuffer);
  assert.deepEqual(asked, [65536, 32768, 16384]);
  limit = 0;
  assert.ok(moduleAndMemory().memory.buffer instanceof ArrayBuffer);
});

test('texts and random values go through a shared memory', async () => {
  const { acceptSharedMemory } = await worker(true);
  const { decode } = TextDecoder.prototype;
  const { encodeInto } = TextEncoder.prototype;
  acceptSharedMemory();
  try {
    const memory = new Uint8Array(new SharedArrayBuffer(64));
    assert.deepEqual(new TextEncoder().encodeInto('가é', memory), { read: 2, written: 5 });
    assert.equal(new TextDecoder().decode(memory.subarray(0, 5)), '가é');
    const random = /** @type {any} */ (memory.subarray(8, 40));
    assert.equal(crypto.getRandomValues(random), random);
    assert.ok([...random].some((value) => value !== 0));
    assert.ok(crypto.getRandomValues(new Uint8Array(32)).some((value) => value !== 0));
  } finally {
    Object.assign(TextDecoder.prototype, { decode });
    Object.assign(TextEncoder.prototype, { encodeInto });
  }
});

test('there is a thread for each core, at most eight, and never none', async () => {
  const { cpuKernels } = await worker(true);
  assert.deepEqual(
    [1, 4, 64, 0].map((cores) => cpuKernels(cores).threads),
    [1, 4, 8, 1],
  );
});

test('a thread that waits for one that has ended fails', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const counter = 16;
  const { wait } = sleepIn(memory, 1);
  wait(counter, 1); // The counter is 0: it returns at once.
  assert.throws(() => wait(counter, 0), /a thread of the CPU has stopped/);
});
