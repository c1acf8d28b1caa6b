// The export and the comparison: pieces become one archive, what goes wrong is kept as a sentence, and both end.

import assert from 'node:assert/strict';
import test from 'node:test';
import { initialState } from '../../www/app.js';
import { compareDevice, exportModel } from '../../www/errands.js';
import { RequestError } from '../../www/session.js';
import { Store } from '../../www/state.js';

/**
 * A page whose worker answers as told.
 * @param {(onEvent: (event: any) => void) => Promise<any>} answer
 */
function page(answer) {
  const store = new Store(initialState('en', ''));
  const session = {
    asked: /** @type {string[]} */ ([]),
    request: (/** @type {any} */ { type }, /** @type {any} */ onEvent) => (session.asked.push(type), answer(onEvent)),
  };
  const workflow = { alone: async (/** @type {() => Promise<void>} */ work) => store.state.busy || work() };
  return { app: /** @type {any} */ ({ store, session, workflow }), store, session };
}

/** @param {number[][]} all */
const pieces = (all) => (/** @type {(event: any) => void} */ onEvent) =>
  all.forEach((bytes) => onEvent({ kind: 'piece', bytes: Uint8Array.from(bytes) }));

test('pieces become the archive, in their order', async () => {
  const result = { file: 'mine.zip', bytes: 5, files: [{ name: 'config.json', bytes: 1 }] };
  const { app, store } = page(async (onEvent) => {
    pieces([[1, 2, 3], [4], [5]])(onEvent);
    assert.ok(store.state.exporting && store.state.exporting.bytes > 0);
    return result;
  });
  const exported = await exportModel(app);
  assert.ok(exported);
  assert.deepEqual([...new Uint8Array(await exported.blob.arrayBuffer())], [1, 2, 3, 4, 5]);
  assert.equal(exported.blob.type, 'application/zip');
  assert.equal(store.state.exported?.file, 'mine.zip');
  assert.equal(store.state.exporting, null);
});

test('an archive that has not come whole is not saved', async () => {
  const { app, store } = page(
    async (onEvent) => (pieces([[1, 2]])(onEvent), { file: 'mine.zip', bytes: 3, files: [] }),
  );
  assert.equal(await exportModel(app), null);
  assert.match(store.state.exportError?.message ?? '', /3 bytes.*2/);
});

test('what the worker refuses is kept in its words, until the next try', async () => {
  let refuse = true;
  const { app, store } = page(async () => {
    if (refuse) throw new RequestError({ code: 'not_ready', message: 'Train first.', field: null });
    return { file: 'mine.zip', bytes: 0, files: [] };
  });
  assert.equal(await exportModel(app), null);
  assert.deepEqual(store.state.exportError, { code: 'not_ready', message: 'Train first.', field: null });
  assert.equal(store.state.exporting, null);
  refuse = false;
  assert.ok(await exportModel(app));
  assert.equal(store.state.exportError, null);
});

test('nothing is asked while something else runs', async () => {
  const { app, store, session } = page(async () => assert.fail());
  store.update({ busy: true, exported: { file: 'old.zip', bytes: 0, files: [], blob: new Blob() } });
  assert.equal(await exportModel(app), null);
  await compareDevice(app);
  assert.deepEqual(session.asked, []);
});

test('a comparison ends, well or badly', async () => {
  const outcome = { passed: false, checks: [], ms: 1 };
  const { app, store } = page(async () => outcome);
  await compareDevice(app);
  assert.equal(store.state.comparison, outcome);
  const broken = page(async () => Promise.reject(new RequestError({ code: 'device', message: 'lost', field: null })));
  await compareDevice(broken.app);
  assert.equal(broken.store.state.comparisonError?.message, 'lost');
  assert.equal(broken.store.state.comparing, false);
});
