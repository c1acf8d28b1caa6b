// Work that the page does by itself: when it runs, and that the visitor's own work does not wait for it.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Background } from '../../www/background.js';
import { Store, initialState } from '../../www/state.js';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

/** A page with an open device, and jobs that record their runs. @param {any} [change] */
function page(change = {}) {
  const opened = /** @type {any} */ ({ device: { kind: 'cpu' } });
  const store = new Store({ ...initialState('en'), opened, dataset: /** @type {any} */ ({ num_rows: 1 }), ...change });
  /** @type {string[]} */
  const ran = [];
  const quick = {
    inputs: (/** @type {any} */ { dataset }) => (dataset ? [dataset] : null),
    run: async () => ran.push('quick') > 0,
  };
  /** A job that lasts until it is stopped or finished. */
  const long = {
    inputs: (/** @type {any} */ { tokens }) => (tokens ? [tokens] : null),
    finish: () => {},
    stop: () => long.end(false),
    /** @type {(done: boolean) => void} */
    end: () => {},
    run: () =>
      new Promise((/** @type {(done: boolean) => void} */ resolve) => {
        ran.push('long');
        long.end = (done) => {
          ran.push(done ? 'finished' : 'stopped');
          resolve(done);
        };
      }),
  };
  const settings = /** @type {any} */ ({ subscribe: () => {} });
  return { store, ran, long, background: new Background({ store, settings }, [quick, long]) };
}

test('a job runs once for the same inputs, and again when they change', async () => {
  const { store, ran, background } = page();
  await background.start();
  await background.start();
  assert.deepEqual(ran, ['quick']);
  store.update({ dataset: /** @type {any} */ ({ num_rows: 2 }) });
  await background.start();
  assert.deepEqual(ran, ['quick', 'quick']);
});

test('nothing runs without a device or while the worker is busy', async () => {
  for (const change of [{ opened: null }, { busy: true }, { fatal: { code: 'fatal', message: '', field: null } }]) {
    const { ran, background } = page(change);
    await background.start();
    assert.deepEqual(ran, []);
  }
});

test('a change starts the jobs after a pause', async () => {
  const { store, ran, background } = page({ dataset: null });
  background.follow();
  mock.timers.tick(1000);
  assert.deepEqual(ran, []);
  store.update({ dataset: /** @type {any} */ ({ num_rows: 2 }) });
  await null;
  mock.timers.tick(100);
  assert.deepEqual(ran, []);
  mock.timers.tick(1000);
  await background.start();
  assert.deepEqual(ran, ['quick']);
});

test('the work of the visitor stops a long job, which runs again when the worker is idle', async () => {
  const { ran, long, background } = page({ tokens: {} });
  const running = background.start();
  await null;
  await null;
  assert.deepEqual(ran, ['quick', 'long']);
  await background.settled();
  assert.deepEqual(ran, ['quick', 'long', 'stopped']);
  await running;
  const again = background.start();
  assert.deepEqual(ran.slice(3), ['long']);
  long.end(true);
  await again;
  await background.start();
  assert.deepEqual(ran.slice(3), ['long', 'finished']);
});

test('the work of the visitor waits for nothing when nothing runs', async () => {
  await page().background.settled();
});
