// The comparison with the CPU: its result, its errors, and when it is refused.

import assert from 'node:assert/strict';
import test from 'node:test';
import { compareDevice } from '../../www/requests.js';
import { RequestError } from '../../www/session.js';
import { Store, initialState } from '../../www/state.js';

/**
 * A page with a worker that answers every request with `answer`.
 * @param {(onEvent: (event: any) => void) => Promise<any>} answer
 */
function page(answer) {
  const store = new Store(initialState('en'));
  const session = {
    requests: /** @type {string[]} */ ([]),
    request: (/** @type {any} */ { type }, /** @type {any} */ onEvent) => (
      session.requests.push(type),
      answer(onEvent)
    ),
  };
  const workflow = { exclusively: async (/** @type {() => Promise<void>} */ work) => store.state.busy || work() };
  return { app: /** @type {any} */ ({ store, session, workflow }), store, session };
}

test('nothing is requested while something else is running', async () => {
  const { app, store, session } = page(async () => assert.fail());
  store.update({ busy: true });
  await compareDevice(app);
  assert.deepEqual(session.requests, []);
  assert.deepEqual(store.state.comparison, { kind: 'idle' });
});

test('a comparison ends with a result or an error', async () => {
  const result = { passed: false, checks: [], ms: 1 };
  const { app, store } = page(async () => result);
  await compareDevice(app);
  assert.deepEqual(store.state.comparison, { kind: 'done', result });
  const broken = page(async () => Promise.reject(new RequestError({ code: 'device', message: 'lost', field: null })));
  await compareDevice(broken.app);
  const error = { code: 'device', message: 'lost', field: null };
  assert.deepEqual(broken.store.state.comparison, { kind: 'failed', error });
});
