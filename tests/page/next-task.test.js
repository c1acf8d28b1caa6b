// Long work that is divided into tasks: other work that waits gets its turn in between.

import assert from 'node:assert/strict';
import test from 'node:test';
import { nextTask } from '../../www/next-task.js';

test('a message that arrived before is handled first, and microtasks do not count as a task', async () => {
  /** @type {string[]} */
  const order = [];
  const { port1, port2 } = new MessageChannel();
  const handled = new Promise((/** @type {(value: void) => void} */ resolve) => {
    port1.onmessage = () => {
      order.push('message');
      port1.close();
      resolve();
    };
  });
  port2.postMessage(null);
  const next = nextTask().then(() => order.push('next task'));
  queueMicrotask(() => order.push('microtask'));
  await Promise.all([handled, next]);
  assert.deepEqual(order, ['microtask', 'message', 'next task']);
});
