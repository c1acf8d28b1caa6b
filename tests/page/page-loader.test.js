// One page of rows at a time: the latest request wins, and errors are shown.

import assert from 'node:assert/strict';
import test from 'node:test';
import { PageLoader } from '../../www/page-loader.js';
import { RequestError } from '../../www/session.js';

test('the answer to the latest request is shown, whatever the order of the answers', async () => {
  /** @type {Map<number, (rows: string[]) => void>} */
  const waiting = new Map();
  let changes = 0;
  const loader = new PageLoader(
    (from) => new Promise((/** @type {(rows: string[]) => void} */ resolve) => waiting.set(from, resolve)),
    () => (changes += 1),
  );
  const [first, second] = [loader.show(0, 10), loader.show(10, 20)];
  assert.equal(loader.loading, true);
  waiting.get(10)?.(['k']);
  await second;
  waiting.get(0)?.(['a']);
  await first;
  assert.deepEqual([loader.page, changes, loader.loading], [{ from: 10, rows: ['k'] }, 1, false]);
});

test('a refused page shows its error until another page arrives', async () => {
  let refuse = true;
  const loader = new PageLoader(
    async (from) => {
      if (refuse) throw new RequestError({ code: 'not_ready', message: 'gone', field: null });
      return [from];
    },
    () => {},
  );
  await loader.show(0, 1);
  assert.deepEqual([loader.page, loader.error?.code], [null, 'not_ready']);
  refuse = false;
  await loader.show(1, 2);
  assert.deepEqual([loader.page, loader.error], [{ from: 1, rows: [1] }, null]);
});
