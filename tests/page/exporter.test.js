// An export: its plan, its archive, and what is left after an error, a stop, and a full disk.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Exporter } from '../../www/export/exporter.js';
import { RequestError } from '../../www/session.js';
import { Store, initialState } from '../../www/state.js';

const TRAINED = { seed: 1, global_step: 2, max_steps: 2, epoch: 1 };
const STOPPED = () => new RequestError({ code: 'stopped', message: 'Stopped.', field: null });
/** @type {any} */
const PLAN = {
  file: 'mine.zip',
  parts: [
    { part: 'model', files: [{ name: 'config.json', bytes: 5 }], unavailable: null },
    { part: 'scripts', files: [{ name: 'train.py', bytes: 3 }], unavailable: null },
    { part: 'results', files: [], unavailable: 'no_checkpoints' },
  ],
};

/**
 * A page with a worker that answers an export with `answer`. `stop` of the worker rejects the export, as Rust does.
 * @param {(onEvent: (event: any) => void, request: any) => Promise<any>} answer
 * @param {() => Promise<any>} [plan]
 */
function page(answer, plan = async () => PLAN) {
  const store = new Store(initialState('en'));
  store.update({ trained: TRAINED, exportPlan: PLAN, exportParts: ['model', 'scripts', 'results'] });
  const requests = /** @type {any[]} */ ([]);
  /** @type {(error: unknown) => void} */
  let reject = () => {};
  const session = {
    fatal: null,
    request(/** @type {any} */ request, /** @type {any} */ onEvent) {
      if (request.type === 'plan_export') return plan();
      requests.push(request);
      if (request.type === 'control') {
        reject(STOPPED());
        return Promise.resolve({ state: 'stopped' });
      }
      return new Promise((resolve, refuse) => {
        reject = refuse;
        answer(onEvent, request).then(resolve, refuse);
      });
    },
  };
  const workflow = {
    exclusively: async (/** @type {() => Promise<void>} */ work) => (store.state.busy ? undefined : work()),
  };
  const exporter = new Exporter(/** @type {any} */ ({ store, session, workflow }));
  return { exporter, store, requests };
}

/** @param {number[][]} all */
const pieces = (all) => (/** @type {(event: any) => void} */ onEvent) =>
  all.forEach((bytes) => onEvent({ kind: 'piece', bytes: Uint8Array.from(bytes) }));

/** @param {number} room */
function disk(room) {
  const state = { content: /** @type {number[]} */ ([]), aborted: false, removed: false };
  const handle = {
    getFile: async () => ({ size: state.content.length }),
    remove: async () => void (state.removed = true),
    createWritable: async () => {
      /** @type {number[]} */
      const pending = [];
      return {
        write: async (/** @type {any} */ blob) => {
          if (pending.length + blob.size > room) throw new DOMException('', 'QuotaExceededError');
          pending.push(...new Uint8Array(await blob.arrayBuffer()));
        },
        close: async () => void (state.content = pending),
        abort: async () => void (state.aborted = true),
      };
    },
  };
  return { state, target: /** @type {const} */ ({ kind: 'file', handle }) };
}

test('the pieces of an export become one archive in their order', async () => {
  const result = { file: 'mine.zip', bytes: 5, files: [{ name: 'config.json', bytes: 1 }] };
  const { exporter, store, requests } = page(async (onEvent) => {
    pieces([[1, 2, 3], [4], [5]])(onEvent);
    assert.deepEqual(store.state.archive.kind === 'writing' && store.state.archive.total, 8);
    return result;
  });
  const exported = await exporter.run({ kind: 'download' });
  assert.ok(exported?.blob);
  assert.deepEqual([...new Uint8Array(await exported.blob.arrayBuffer())], [1, 2, 3, 4, 5]);
  assert.deepEqual(store.state.archive, { kind: 'done', exported });
  // What is ticked and not available is not asked for.
  assert.deepEqual(requests, [{ type: 'export', parts: ['model', 'scripts'], library: [] }]);
});

test('an export to a file of the disk leaves no copy in the page', async () => {
  const { state, target } = disk(100);
  const { exporter } = page(async (onEvent) => (pieces([[1], [2]])(onEvent), { file: 'a.zip', bytes: 2, files: [] }));
  const exported = await exporter.run(target);
  assert.equal(exported?.blob, null);
  assert.deepEqual([state.content, state.removed], [[1, 2], false]);
});

test('an incomplete archive is an error, and its file is removed', async () => {
  const { state, target } = disk(100);
  const { exporter, store } = page(async (onEvent) => (pieces([[1]])(onEvent), { file: 'a.zip', bytes: 3, files: [] }));
  assert.equal(await exporter.run(target), null);
  const { archive } = store.state;
  assert.match(archive.kind === 'failed' ? archive.error.message : '', /3 bytes.*1/);
  assert.ok(state.aborted);
});

test('the error of a refused export is shown until the next export', async () => {
  let refuse = true;
  const { exporter, store } = page(async () => {
    if (refuse) throw new RequestError({ code: 'not_ready', message: 'Train first.', field: null });
    return { file: 'mine.zip', bytes: 0, files: [] };
  });
  assert.equal(await exporter.run({ kind: 'download' }), null);
  const error = { code: 'not_ready', message: 'Train first.', field: null };
  assert.deepEqual(store.state.archive, { kind: 'failed', error });
  refuse = false;
  assert.ok(await exporter.run({ kind: 'download' }));
  assert.equal(store.state.archive.kind, 'done');
});

test('a stop ends the export, removes its file, and is no error', async () => {
  const { state, target } = disk(100);
  const { exporter, store, requests } = page(async (onEvent) => {
    pieces([[1]])(onEvent);
    void exporter.stop();
    return new Promise(() => {});
  });
  assert.equal(await exporter.run(target), null);
  assert.deepEqual(store.state.archive, { kind: 'stopped' });
  assert.deepEqual([state.content, state.aborted, state.removed], [[], true, true]);
  assert.deepEqual(requests.at(-1), { type: 'control', action: 'stop' });
});

test('a stop also ends an export that only waits for the disk', async () => {
  const { state, target } = disk(100);
  const slow = {
    ...target.handle,
    createWritable: async () => ({
      ...(await target.handle.createWritable()),
      write: () => new Promise(() => {}),
    }),
  };
  const { exporter, store } = page(async (onEvent) => {
    pieces([[1]])(onEvent);
    setImmediate(() => void exporter.stop());
    return { file: 'a.zip', bytes: 1, files: [] };
  });
  assert.equal(await exporter.run({ ...target, handle: /** @type {any} */ (slow) }), null);
  assert.deepEqual(store.state.archive, { kind: 'stopped' });
  assert.deepEqual(state.content, []);
});

test('a full disk stops the worker and is named', async () => {
  const { state, target } = disk(2);
  const { exporter, store, requests } = page(async (onEvent) => {
    pieces([[1, 2], [3]])(onEvent);
    return new Promise(() => {});
  });
  assert.equal(await exporter.run(target), null);
  const { archive } = store.state;
  assert.deepEqual(archive.kind === 'failed' && [archive.error.code, archive.error.message], [
    'export_write',
    'export.write_full',
  ]);
  assert.deepEqual(requests.at(-1), { type: 'control', action: 'stop' });
  assert.ok(state.aborted && state.removed);
});

test('a file that may not be written is named, and the worker is not asked', async () => {
  const { target } = disk(2);
  const denied = () => Promise.reject(new DOMException('', 'NotAllowedError'));
  const { exporter, store, requests } = page(async () => assert.fail());
  await exporter.run({ ...target, handle: { ...target.handle, createWritable: denied } });
  const { archive } = store.state;
  assert.equal(archive.kind === 'failed' && archive.error.message, 'export.write_denied');
  assert.deepEqual(requests, []);
});

test('nothing is exported while something else is running, and the file of the dialog is removed', async () => {
  const { state, target } = disk(2);
  const { exporter, store, requests } = page(async () => assert.fail());
  const archive = /** @type {const} */ ({ kind: 'stopped' });
  store.update({ busy: true, archive });
  assert.equal(await exporter.run(target), null);
  assert.deepEqual([requests, store.state.archive, state.removed], [[], archive, true]);
});

test('the plan of a model that was exchanged meanwhile is dropped', async () => {
  const { exporter, store } = page(
    async () => assert.fail(),
    async () => {
      store.update({ trained: { ...TRAINED, seed: 9 }, exportPlan: null });
      return PLAN;
    },
  );
  await exporter.plan();
  assert.equal(store.state.exportPlan, null);
});

test('the parts and the total of an export are those of the plan of now', async () => {
  const [model, ...others] = PLAN.parts;
  const grown = { ...PLAN, parts: [{ ...model, files: [{ name: 'config.json', bytes: 50 }] }, ...others] };
  const { exporter, store } = page(
    async () => {
      assert.equal(store.state.archive.kind === 'writing' && store.state.archive.total, 53);
      return { file: 'mine.zip', bytes: 0, files: [] };
    },
    async () => grown,
  );
  assert.ok(await exporter.run({ kind: 'download' }));
});

test('an export without a plan is an error', async () => {
  const { exporter, store } = page(
    async () => assert.fail(),
    async () => Promise.reject(new RequestError({ code: 'export', message: 'no plan', field: null })),
  );
  const { state, target } = disk(2);
  assert.equal(await exporter.run(target), null);
  assert.equal(store.state.archive.kind === 'failed' && store.state.archive.error.message, 'no plan');
  assert.ok(state.removed);
});
