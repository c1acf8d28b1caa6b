// How the threads of the CPU device sleep: the functions that their kernels import (`cpu/module/src/lib.rs`).

/**
 * @typedef {object} Sleep
 * @property {(counter: number, value: number) => void} wait   sleeps if the counter at this address has this value
 * @property {(counter: number) => void} notify   wakes all threads that sleep at this address
 */

/**
 * @param {WebAssembly.Memory} memory   shared by the threads
 * @param {number} [limit]   milliseconds after which a thread that still sleeps fails; without it, it sleeps on
 * @returns {Sleep}
 */
export function sleepIn(memory, limit = Infinity) {
  // The buffer of a memory that has grown is another object.
  const counters = () => new Int32Array(memory.buffer);
  const wait = (/** @type {number} */ counter, /** @type {number} */ value) =>
    Atomics.wait(counters(), counter / 4, value, limit) !== 'timed-out';
  return {
    wait(counter, value) {
      // Twice, because the first limit may have passed while the computer slept.
      if (!wait(counter, value) && !wait(counter, value)) throw new Error('a thread of the CPU has stopped');
    },
    notify: (counter) => void Atomics.notify(counters(), counter / 4),
  };
}
