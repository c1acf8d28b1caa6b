// What a browser or its driver can do to the worker, as code that runs in it before its own.
//
// Playwright's init scripts do not reach workers, so the server puts one of these in front of `worker.js`: the site at
// `/classroom/<name>/` is the built one with that prelude.

import { install } from '../../bench/counters.js';

/** Types of WebGPU are not in every version of TypeScript's library. */
const scope = /** @type {any} */ (globalThis);

/** @type {Record<string, () => void>} */
const preludes = {
  'no-webgpu': () => {
    delete (/** @type {any} */ (WorkerNavigator.prototype).gpu);
  },
  'adapter-refused': () => {
    scope.GPU.prototype.requestAdapter = async () => null;
  },
  // A hardware adapter, because a software adapter is not opened unless it is asked for.
  'device-refused': () => {
    for (const [name, value] of Object.entries({ vendor: 'nvidia', architecture: 'ampere', isFallbackAdapter: false }))
      Object.defineProperty(scope.GPUAdapterInfo.prototype, name, { get: () => value });
    scope.GPUAdapter.prototype.requestDevice = async () => {
      throw new DOMException('the GPU process is busy', 'OperationError');
    };
  },
  'no-module': () => {
    const get = scope.fetch;
    scope.fetch = (/** @type {string|URL|Request} */ from) =>
      String(from instanceof Request ? from.url : from).endsWith('.wasm')
        ? Promise.resolve(new Response('gone', { status: 404 }))
        : get(from);
  },
  // A browser without relaxed SIMD, as Safari is: modules with such an instruction are not valid.
  'no-relaxed-simd': () => {
    scope.WebAssembly.validate = () => false;
  },
  // The kernels of the CPU device are not on the server.
  'no-kernels': () => {
    const get = scope.fetch;
    scope.fetch = (/** @type {string|URL|Request} */ from) =>
      String(from instanceof Request ? from.url : from).includes('/pkg/cpu_')
        ? Promise.resolve(new Response('gone', { status: 404 }))
        : get(from);
  },
  // Threads of the CPU device do not start.
  'no-threads': () => {
    scope.Worker = class {
      constructor() {
        throw new DOMException('no more workers', 'QuotaExceededError');
      }
    };
  },
  // A driver that loses work: nothing fails, what is read back is stale.
  'work-dropped': () => {
    scope.GPUComputePassEncoder.prototype.dispatchWorkgroups = () => {};
  },
  // A GPU that takes no time for what is timed: it loses that work. After it, the page asks for errors with a scope
  // that has no calls inside, and the self-test is computed then.
  'fast-gpu': () => {
    const { dispatchWorkgroups } = scope.GPUComputePassEncoder.prototype;
    const { pushErrorScope, popErrorScope, createShaderModule } = scope.GPUDevice.prototype;
    let shaders = 0;
    Object.defineProperty(scope.GPUAdapterInfo.prototype, 'subgroupMaxSize', { get: () => 32 });
    scope.GPUComputePassEncoder.prototype.dispatchWorkgroups = () => {};
    scope.GPUDevice.prototype.pushErrorScope = function (/** @type {string} */ filter) {
      shaders = 0;
      return pushErrorScope.call(this, filter);
    };
    scope.GPUDevice.prototype.createShaderModule = function (/** @type {any} */ descriptor) {
      shaders += 1;
      return createShaderModule.call(this, descriptor);
    };
    scope.GPUDevice.prototype.popErrorScope = function () {
      if (shaders === 0) scope.GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatchWorkgroups;
      return popErrorScope.call(this);
    };
  },
  // A GPU that takes no time, because its driver loses the work.
  'fast-wrong-gpu': () => {
    Object.defineProperty(scope.GPUAdapterInfo.prototype, 'subgroupMaxSize', { get: () => 32 });
    scope.GPUComputePassEncoder.prototype.dispatchWorkgroups = () => {};
  },
  // The shaders of matrix products do not pass the browser's validation.
  'products-invalid': () => {
    scope.changeShaders((/** @type {string} */ code) =>
      /\bfn matmul_kernel/.test(code) ? `${code}\nenable nothing_that_exists;` : code,
    );
  },
  // A driver that never returns what is read back.
  'reads-unanswered': () => {
    scope.GPUBuffer.prototype.mapAsync = () => new Promise(() => {});
  },
  // Shaders of one kind do not pass the browser's validation (tracel-ai/cubecl#1641).
  'shaders-invalid': () => {
    scope.changeShaders((/** @type {string} */ code) =>
      /\bexp\(/.test(code) ? `${code}\nenable nothing_that_exists;` : code,
    );
  },
  // The same from the message 'break' of a test on: shaders that come later do not pass the validation.
  'shaders-invalid-later': () => {
    let broken = false;
    new scope.BroadcastChannel('webtune-test').onmessage = () => (broken = true);
    scope.changeShaders((/** @type {string} */ code) => (broken ? `${code}\nenable nothing_that_exists;` : code));
  },
  // A driver that loses work from the message 'break' of a test on, as in 'work-dropped'.
  'work-dropped-later': () => {
    const dispatch = scope.GPUComputePassEncoder.prototype.dispatchWorkgroups;
    new scope.BroadcastChannel('webtune-test').onmessage = (/** @type {MessageEvent} */ { data }) => {
      scope.GPUComputePassEncoder.prototype.dispatchWorkgroups = data === 'break' ? () => {} : dispatch;
    };
  },
  // The device is lost at the message 'break' of a test.
  'device-lost-later': () => {
    const request = scope.GPUAdapter.prototype.requestDevice;
    scope.GPUAdapter.prototype.requestDevice = async function (/** @type {any[]} */ ...given) {
      const device = await request.apply(this, given);
      new scope.BroadcastChannel('webtune-test').onmessage = () => device.destroy();
      return device;
    };
  },
  // The adapter reports subgroups of 32 threads, as a GPU does: the kernels take their forms for GPUs, with barriers.
  'looks-like-a-gpu': () => {
    Object.defineProperty(scope.GPUAdapterInfo.prototype, 'subgroupMaxSize', { get: () => 32 });
    scope.changeShaders((/** @type {string} */ code) => {
      if (/workgroupBarrier/.test(code)) console.info('a shader with a barrier');
      return code;
    });
  },
  // Kernels can bind 2 MB at most.
  'small-bindings': () => {
    Object.defineProperty(scope.GPUSupportedLimits.prototype, 'maxStorageBufferBindingSize', { get: () => 2 << 20 });
  },
  // The buffers of a trial may have 8 MB in total; more is out of memory, as WebGPU reports it.
  'little-memory': () => {
    const { createBuffer, pushErrorScope, popErrorScope } = scope.GPUDevice.prototype;
    const destroy = scope.GPUBuffer.prototype.destroy;
    const sizes = new WeakMap();
    let [left, refused] = [8_000_000, false];
    scope.GPUDevice.prototype.pushErrorScope = function (/** @type {string} */ filter) {
      refused = false;
      return pushErrorScope.call(this, filter);
    };
    scope.GPUDevice.prototype.popErrorScope = async function () {
      const [found, error] = [refused, popErrorScope.call(this)];
      refused = false;
      return (await error) ?? (found ? new scope.GPUOutOfMemoryError('no memory is left') : null);
    };
    scope.GPUDevice.prototype.createBuffer = function (/** @type {any} */ descriptor) {
      if (descriptor.label !== 'trial') return createBuffer.call(this, descriptor);
      refused = descriptor.size > left;
      const made = createBuffer.call(this, refused ? { ...descriptor, size: 4 } : descriptor);
      if (!refused) sizes.set(made, descriptor.size);
      left -= sizes.get(made) ?? 0;
      return made;
    };
    scope.GPUBuffer.prototype.destroy = function () {
      left += sizes.get(this) ?? 0;
      sizes.delete(this);
      return destroy.call(this);
    };
  },
  // Counts the calls of WebGPU and shows the size of the wasm memory: `counters`, `wasmBytes`.
  counted: () => {
    const uncounted = scope.GPUDevice.prototype.createBuffer;
    scope.counters = scope.installCounters();
    const counted = scope.GPUDevice.prototype.createBuffer;
    // Buffers of a trial are never written and are destroyed before a run starts.
    scope.GPUDevice.prototype.createBuffer = function (/** @type {any} */ descriptor) {
      return (descriptor.label === 'trial' ? uncounted : counted).call(this, descriptor);
    };
    for (const name of /** @type {const} */ (['instantiate', 'instantiateStreaming'])) {
      const start = scope.WebAssembly[name];
      scope.WebAssembly[name] = async (/** @type {any[]} */ ...given) => {
        const made = await start.apply(scope.WebAssembly, given);
        const { memory } = (made.instance ?? made).exports;
        // The kernels of the CPU device are a module without a memory of its own.
        if (memory) scope.wasmBytes = () => memory.buffer.byteLength;
        return made;
      };
    }
  },
  // Pauses between the attempts of a download are a twentieth as long, for downloads that fail until the last attempt.
  // The native tests check their length.
  'short-pauses': () => {
    const { setTimeout } = scope;
    scope.setTimeout = (/** @type {TimerHandler} */ call, /** @type {number} */ delay, /** @type {any[]} */ ...given) =>
      setTimeout(call, delay / 20, ...given);
  },
  // The disk stores 150 kB of a file.
  'storage-full': () => {
    const write = scope.FileSystemSyncAccessHandle.prototype.write;
    scope.FileSystemSyncAccessHandle.prototype.write = function (
      /** @type {Uint8Array} */ bytes,
      /** @type {{at: number}} */ options,
    ) {
      if (options.at + bytes.byteLength > 150_000) throw new DOMException('the quota is used up', 'QuotaExceededError');
      return write.call(this, bytes, options);
    };
  },
  // A private window, or a setting of the browser.
  'no-storage': () => {
    scope.StorageManager.prototype.getDirectory = () =>
      Promise.reject(new DOMException('storage is off', 'SecurityError'));
  },
  // Matrix products with tiles of 8 × 8 values compute the column of one value wrongly. Columns of a tile are 8 apart,
  // so the last one is at 7 × 8.
  'tile-8-wrong': () => {
    scope.changeShaders((/** @type {string} */ code) =>
      /\bfn matmul_kernel/.test(code) ? code.replace('u32(56)', 'u32(48)') : code,
    );
  },
  // The same of tiles of 4 × 4 values, whose last column is at 3 × 8. Larger tiles have this column, too.
  'tile-4-wrong': () => {
    scope.changeShaders((/** @type {string} */ code) =>
      /\bfn matmul_kernel/.test(code) && !code.includes('u32(56)') ? code.replace('u32(24)', 'u32(16)') : code,
    );
  },
  // Both.
  'tiles-wrong': () => {
    scope.changeShaders((/** @type {string} */ code) => {
      if (!/\bfn matmul_kernel/.test(code)) return code;
      return code.includes('u32(56)') ? code.replace('u32(56)', 'u32(48)') : code.replace('u32(24)', 'u32(16)');
    });
  },
  // A GPU whose matrix products are wrong in the larger tiles only. The shapes of the self-test select the smallest
  // one, those of a run larger ones.
  'gpu-with-wrong-tiles': () => {
    Object.defineProperty(scope.GPUAdapterInfo.prototype, 'subgroupMaxSize', { get: () => 32 });
    scope.changeShaders((/** @type {string} */ code) =>
      /\bfn matmul_kernel/.test(code) ? code.replace('u32(24)', 'u32(16)') : code,
    );
  },
  // A shader with a slightly wrong derivative of GELU, which only the backward pass uses.
  'derivative-wrong': () => {
    scope.changeShaders((/** @type {string} */ code) => code.replace(/f32\(0\.3989\d*\)/, 'f32(0.35)'));
  },
};

/** The sites that the server offers beside the built one. */
export const SITES = Object.keys(preludes);

/**
 * @param {string} site
 * @returns {string} source text, empty for a site without a prelude
 */
export function prelude(site) {
  const run = preludes[site];
  if (!run) return '';
  const helpers = `scope.installCounters = ${install.toString()}; scope.changeShaders = ${changeShaders.toString()};`;
  return `{ const scope = globalThis; ${helpers} (${run.toString()})(); }\n`;
}

/**
 * Changes the code of every shader before the browser compiles it.
 * @param {(code: string) => string} change
 */
function changeShaders(change) {
  const create = scope.GPUDevice.prototype.createShaderModule;
  scope.GPUDevice.prototype.createShaderModule = function (/** @type {any} */ descriptor) {
    return create.call(this, { ...descriptor, code: change(descriptor.code) });
  };
}
