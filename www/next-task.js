// Divides long work into tasks, so that the browser can handle input and draw between them.

/**
 * Resolves in a task of its own. Not a timer, because a tab in the background delays timers by up to a second, and not
 * `scheduler.yield`, because work that an idle period has started would wait for every other task there.
 * @returns {Promise<void>}
 */
export function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      // An open channel keeps the process of a test alive.
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
