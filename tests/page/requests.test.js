// The export and the comparison with the CPU: the archive, the errors, and the end of each.

import assert from 'node:assert/strict';
import test from 'node:test';
import { compareDevice, exportModel } from '../../www/requests.js';
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

/** @param {number[][]} all */
const pieces = (all) => (/** @type {(event: any) => void} */ onEvent) =>
  all.forEach((bytes) => onEvent({ kind: 'piece', bytes: Uint8Array.from(bytes) }));

test('the pieces of an export become one archive in their order', async () => {
  const result = { file: 'mine.zip', bytes: 5, files: [{ name: 'config.json', bytes: 1 }] };
  const { app, store } = page(async (onEvent) => {
    pieces([[1, 2, 3], [4], [5]])(onEvent);
    assert.ok(store.state.archive.kind === 'writing' && store.state.archive.bytes > 0);
    return result;
  });
  const exported = await exportModel(app);
  assert.ok(exported);
  assert.deepEqual([...new Uint8Array(await exported.blob.arrayBuffer())], [1, 2, 3, 4, 5]);
  assert.equal(exported.blob.type, 'application/zip');
  assert.deepEqual(store.state.archive, { kind: 'done', exported });
});

test('an incomplete archive is an error', async () => {
  const { app, store } = page(
    async (onEvent) => (pieces([[1, 2]])(onEvent), { file: 'mine.zip', bytes: 3, files: [] }),
  );
  assert.equal(await exportModel(app), null);
  const { archive } = store.state;
  assert.match(archive.kind === 'failed' ? archive.error.message : '', /3 bytes.*2/);
});

test('the error of a refused export is shown until the next export', async () => {
  let refuse = true;
  const { app, store } = page(async () => {
    if (refuse) throw new RequestError({ code: 'not_ready', message: 'Train first.', field: null });
    return { file: 'mine.zip', bytes: 0, files: [] };
  });
  assert.equal(await exportModel(app), null);
  const error = { code: 'not_ready', message: 'Train first.', field: null };
  assert.deepEqual(store.state.archive, { kind: 'failed', error });
  refuse = false;
  assert.ok(await exportModel(app));
  assert.equal(store.state.archive.kind, 'done');
});

test('nothing is requested while something else is running', async () => {
  const { app, store, session } = page(async () => assert.fail());
  const exported = { file: 'old.zip', bytes: 0, files: [], blob: new Blob() };
  store.update({ busy: true, archive: { kind: 'done', exported } });
  assert.equal(await exportModel(app), null);
  await compareDevice(app);
  assert.deepEqual(session.requests, []);
  assert.deepEqual(store.state.archive, { kind: 'done', exported });
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
