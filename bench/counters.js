// What a library asks of WebGPU, counted where every library has to pass: at the browser's own prototypes.
//
// Dispatches, submits, the most bytes that a kernel was given of one buffer, and the bytes of its buffers: those that are alive and the
// most that ever were. A buffer is alive from its
// making until it is destroyed or, where a library leaves that to the garbage collector, collected; until then the browser holds it.
// Incrementing a number is nothing beside a call into the GPU process, so the same repetitions are timed and counted.
//
// `install` is self-contained: the benchmark calls it in its workers, the regression gate sends its source text into a page.

/**
 * @typedef {object} Counts
 * @property {number} dispatches
 * @property {number} submits
 * @property {number} buffers      alive now
 * @property {number} liveBytes
 * @property {number} peakBytes
 * @property {number} pipelines    made so far
 * @property {number} largestBinding  bytes of a buffer's part that a kernel was given
 */

/**
 * @typedef {object} Counters
 * @property {Counts} counts
 * @property {() => Promise<void>} drained             all work that was submitted is done
 * @property {string[]} errors                         what WebGPU found wrong and nobody caught
 * @property {{vendor: string, architecture: string, description: string, fallback: boolean}|null} adapter  of the device in use
 */

/**
 * Counts from now on, in this page or worker.
 * @returns {Counters}
 */
export function install() {
  /** Types of WebGPU are not in every version of TypeScript's library. */
  const scope = /** @type {any} */ (globalThis);
  /** @type {Counters['counts']} */
  const counts = { dispatches: 0, submits: 0, buffers: 0, liveBytes: 0, peakBytes: 0, pipelines: 0, largestBinding: 0 };
  const queues = new Set();
  /** @type {Counters} */
  const counters = {
    counts,
    errors: [],
    adapter: null,
    drained: async () => {
      for (const queue of queues) await queue.onSubmittedWorkDone();
    },
  };

  /**
   * @param {any} prototype
   * @param {string} name
   * @param {(call: () => any, self: any, given: any[]) => any} see
   */
  const wrap = (prototype, name, see) => {
    const original = prototype?.[name];
    if (!original) return;
    prototype[name] = function (/** @type {any[]} */ ...given) {
      return see(() => original.apply(this, given), this, given);
    };
  };
  const count = (
    /** @type {any} */ prototype,
    /** @type {string} */ name,
    /** @type {'dispatches'|'submits'|'pipelines'} */ what,
  ) =>
    wrap(prototype, name, (call) => {
      counts[what] += 1;
      return call();
    });

  /** By buffer; what is registered for collection must not hold the buffer itself. @type {WeakMap<object, {size: number, alive: boolean}>} */
  const known = new WeakMap();
  const end = (/** @type {{size: number, alive: boolean}|undefined} */ buffer) => {
    if (!buffer?.alive) return;
    buffer.alive = false;
    counts.buffers -= 1;
    counts.liveBytes -= buffer.size;
  };
  const collected = new FinalizationRegistry(end);
  wrap(scope.GPUDevice?.prototype, 'createBuffer', (call, _, [{ size }]) => {
    const made = call();
    const buffer = { size, alive: true };
    known.set(made, buffer);
    collected.register(made, buffer);
    counts.buffers += 1;
    counts.liveBytes += size;
    counts.peakBytes = Math.max(counts.peakBytes, counts.liveBytes);
    return made;
  });
  wrap(scope.GPUDevice?.prototype, 'createBindGroup', (call, _, [{ entries }]) => {
    for (const { resource } of entries) {
      // Neither a sampler nor a texture is a buffer.
      if (!resource.buffer) continue;
      const { buffer, offset = 0, size = buffer.size - offset } = resource;
      counts.largestBinding = Math.max(counts.largestBinding, size);
    }
    return call();
  });
  wrap(scope.GPUBuffer?.prototype, 'destroy', (call, self) => {
    end(known.get(self));
    return call();
  });
  wrap(scope.GPUAdapter?.prototype, 'requestDevice', async (call, self) => {
    const device = await call();
    queues.add(device.queue);
    // A pipeline that is invalid stops nothing: its submission is skipped, and what is read back is old.
    device.addEventListener('uncapturederror', (/** @type {any} */ event) => counters.errors.push(event.error.message));
    const { vendor = '', architecture = '', description = '', isFallbackAdapter = false } = self.info ?? {};
    counters.adapter = { vendor, architecture, description, fallback: isFallbackAdapter };
    return device;
  });
  count(scope.GPUComputePassEncoder?.prototype, 'dispatchWorkgroups', 'dispatches');
  count(scope.GPUComputePassEncoder?.prototype, 'dispatchWorkgroupsIndirect', 'dispatches');
  count(scope.GPUQueue?.prototype, 'submit', 'submits');
  count(scope.GPUDevice?.prototype, 'createComputePipeline', 'pipelines');
  count(scope.GPUDevice?.prototype, 'createComputePipelineAsync', 'pipelines');
  return counters;
}
