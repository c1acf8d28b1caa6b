// Notices that a worker has ended without a message: the browser ends a worker whose memory is short, and sends no
// event. The worker holds a lock as long as it lives, and the page waits for the same lock.

/** The locks are those of one page. */
const PREFIX = 'webtune-worker-';

/**
 * Holds the lock of this worker until it ends. Its name is that of the worker.
 * @param {string} name
 */
export function holdLife(name) {
  if (name) void navigator.locks?.request(PREFIX + name, () => new Promise(() => {})).catch(() => {});
}

/**
 * Calls `onEnd` when a worker has ended. The worker must hold its lock already, as it does once it has answered.
 * @param {string} name
 * @param {() => void} onEnd
 */
export function watchLife(name, onEnd) {
  void globalThis.navigator?.locks?.request(PREFIX + name, onEnd).catch(() => {});
}
