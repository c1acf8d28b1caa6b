// Counts the WebGPU calls of any library by wrapping the browser's prototypes.
//
// Counted: dispatches, submits, buffers, the largest binding, and the live and peak bytes of buffers. A buffer is live
// from its creation until it is destroyed or garbage-collected; until then the browser keeps it. A counter costs little
// compared with a call into the GPU process, so the same repetitions are timed and counted.
//
// `install` is self-contained: the benchmark calls it in its workers, the regression gate sends its source text to a
// page.

/**
 * @typedef {object} Counts
 * @property {number} dispatches
 * @property {number} submits
 * @property {number} buffers      live now
 * @property {number} created      buffers created so far
 * @property {number} liveBytes
 * @property {number} peakBytes
 * @property {number} pipelines    created so far
 * @property {number} largestBinding  bytes of the largest buffer range in a bind group
 */

/** @typedef {{vendor: string, architecture: string, description: string, fallback: boolean}} AdapterInfo */

/**
 * @typedef {object} Counters
 * @property {Counts} counts
 * @property {() => Promise<void>} drained             resolves when all submitted work is done
 * @property {string[]} errors                         uncaptured WebGPU errors
 * @property {AdapterInfo|null} adapter                of the device in use
 */

/**
 * Starts counting in this page or worker.
 * @returns {Counters}
 */
export function install() {
  /** Not every version of TypeScript's library has the types of WebGPU. */
  const scope = /** @type {any} */ (globalThis);
  /** @type {Counters['counts']} */
  const counts = {
    dispatches: 0,
    submits: 0,
    buffers: 0,
    created: 0,
    liveBytes: 0,
    peakBytes: 0,
    pipelines: 0,
    largestBinding: 0,
  };
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
   * @param {(call: () => any, self: any, given: any[]) => any} replacement
   */
  const wrap = (prototype, name, replacement) => {
    const original = prototype?.[name];
    if (!original) return;
    prototype[name] = function (/** @type {any[]} */ ...given) {
      return replacement(() => original.apply(this, given), this, given);
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

  /**
   * By buffer: a record that does not keep the buffer itself from being collected.
   * @type {WeakMap<object, {size: number, alive: boolean}>}
   */
  const records = new WeakMap();
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
    records.set(made, buffer);
    collected.register(made, buffer);
    counts.buffers += 1;
    counts.created += 1;
    counts.liveBytes += size;
    counts.peakBytes = Math.max(counts.peakBytes, counts.liveBytes);
    return made;
  });
  wrap(scope.GPUDevice?.prototype, 'createBindGroup', (call, _, [{ entries }]) => {
    for (const { resource } of entries) {
      // The resource can also be a sampler or a texture.
      if (!resource.buffer) continue;
      const { buffer, offset = 0, size = buffer.size - offset } = resource;
      counts.largestBinding = Math.max(counts.largestBinding, size);
    }
    return call();
  });
  wrap(scope.GPUBuffer?.prototype, 'destroy', (call, self) => {
    end(records.get(self));
    return call();
  });
  wrap(scope.GPUAdapter?.prototype, 'requestDevice', async (call, self) => {
    const device = await call();
    queues.add(device.queue);
    // An invalid pipeline throws no exception: its submission is skipped, and a read-back returns stale data.
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
