// The store.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Store } from '../../www/state.js';

test('the store calls the listeners of changed keys, together and once', () => {
  /** @type {(() => void)[]} */
  const tasks = [];
  const store = new Store({ a: 1, b: 1 }, (task) => tasks.push(task));
  /** @type {number[]} */
  const seen = [];
  let otherCalls = 0;
  store.watch(['a'], ({ a }) => seen.push(a));
  store.watch(['b'], () => (otherCalls += 1));
  store.update({ a: 2 });
  store.update({ a: 3 });
  assert.equal(tasks.length, 1);
  tasks.pop()?.();
  assert.deepEqual(seen, [1, 3]);
  assert.equal(otherCalls, 1);
  store.update({ b: 2 });
  assert.equal(tasks.length, 1);
});
