// How the threads of the CPU device sleep: the functions that their kernels import (`cpu/module/src/lib.rs`).

/**
 * @typedef {object} Sleep
 * @property {(counter: number, value: number) => void} wait   sleeps if the counter at this address has this value
 * @property {(counter: number) => void} notify   wakes all threads that sleep at this address
 */

/**
 * @param {WebAssembly.Memory} memory   shared by the threads
 * @returns {Sleep}
 */
export function sleepIn(memory) {
  // The buffer of a memory that has grown is another object.
  const counters = () => new Int32Array(memory.buffer);
  return {
    wait: (counter, value) => void Atomics.wait(counters(), counter / 4, value),
    notify: (counter) => void Atomics.notify(counters(), counter / 4),
  };
}
