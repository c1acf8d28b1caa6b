// Where the bytes of an archive go: their order on a slow disk, failures, and what remains after them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { blobSink, chooseTarget, fileSink } from '../../www/export/sink.js';

/** @param {number[]} bytes */
const piece = (...bytes) => Uint8Array.from(bytes);

/**
 * A file of a disk: `write` and `close` wait for `gate`, and fail after `room` bytes.
 * @param {{room?: number, gate?: () => Promise<void>, before?: number[]}} [options]
 */
function disk({ room = Infinity, gate = async () => {}, before = [] } = {}) {
  const state = {
    /** What the file of the visitor contains. */
    content: before,
    /** What the stream holds until it is closed. @type {number[]} */
    pending: [],
    writing: 0,
    overlaps: 0,
    removed: false,
  };
  const handle = {
    getFile: async () => ({ size: state.content.length }),
    remove: async () => {
      state.removed = true;
    },
    createWritable: async () => ({
      write: async (/** @type {any} */ blob) => {
        state.writing += 1;
        if (state.writing > 1) state.overlaps += 1;
        await gate();
        if (state.pending.length + blob.size > room) throw new DOMException('no room', 'QuotaExceededError');
        state.pending.push(...new Uint8Array(await blob.arrayBuffer()));
        state.writing -= 1;
      },
      close: async () => {
        state.content = state.pending;
      },
      abort: async () => {
        state.pending = [];
      },
    }),
  };
  return { state, handle };
}

test('pieces that arrive faster than the disk writes are all written, in their order and one at a time', async () => {
  /** @type {(() => void)[]} */
  const waiting = [];
  const { state, handle } = disk({ gate: () => new Promise((done) => waiting.push(done)) });
  const sink = await fileSink(handle);
  for (let at = 0; at < 50; at += 1) sink.take(piece(at, at + 100));
  assert.deepEqual([sink.taken(), sink.written()], [100, 0]);
  const finished = sink.finish();
  for (let left = 50; left > 0; left -= 1) {
    while (waiting.length === 0) await new Promise((done) => setImmediate(done));
    waiting.shift()?.();
  }
  assert.equal(await finished, null);
  assert.equal(sink.written(), 100);
  assert.deepEqual(state.content, Array.from({ length: 50 }, (_, at) => [at, at + 100]).flat());
  assert.equal(state.overlaps, 0);
});

test('a piece may be reused by its owner once it was given', async () => {
  const { state, handle } = disk();
  const sink = await fileSink(handle);
  const bytes = piece(1, 2);
  sink.take(bytes);
  bytes.fill(9);
  await sink.finish();
  assert.deepEqual(state.content, [1, 2]);
});

test('a full disk rejects, and the empty file of the dialog is removed', async () => {
  const { state, handle } = disk({ room: 3 });
  const sink = await fileSink(handle);
  sink.take(piece(1, 2));
  sink.take(piece(3, 4));
  sink.take(piece(5));
  await assert.rejects(sink.failed, { name: 'QuotaExceededError' });
  await assert.rejects(sink.finish(), { name: 'QuotaExceededError' });
  await sink.discard();
  assert.deepEqual([state.content, state.removed, sink.written()], [[], true, 2]);
});

test('a file that was there before keeps its content when the export is stopped', async () => {
  const { state, handle } = disk({ before: [7] });
  const sink = await fileSink(handle);
  sink.take(piece(1));
  await sink.discard();
  assert.deepEqual([state.content, state.removed], [[7], false]);
});

test('a download is one Blob of the pieces', async () => {
  const sink = blobSink();
  sink.take(piece(1, 2));
  sink.take(piece(3));
  const blob = await sink.finish();
  assert.deepEqual([...new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0))], [1, 2, 3]);
  assert.equal(blob?.type, 'application/zip');
});

test('the target is the file that the visitor chooses, a download, or nothing', async () => {
  const { handle } = disk();
  /** @type {any[]} */
  const asked = [];
  const picker = (/** @type {any} */ options) => (asked.push(options), Promise.resolve(handle));
  assert.deepEqual(await chooseTarget('mine.zip', { showSaveFilePicker: picker }), { kind: 'file', handle });
  assert.equal(asked[0].suggestedName, 'mine.zip');
  assert.deepEqual(await chooseTarget('mine.zip', {}), { kind: 'download' });
  const refuse = (/** @type {string} */ name) => ({
    showSaveFilePicker: () => Promise.reject(new DOMException('', name)),
  });
  assert.equal(await chooseTarget('mine.zip', refuse('AbortError')), null);
  assert.deepEqual(await chooseTarget('mine.zip', refuse('SecurityError')), { kind: 'download' });
});
