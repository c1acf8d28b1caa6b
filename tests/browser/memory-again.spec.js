// Runs one after the other: the buffers of one, which fit nothing in the next, are given back.

import { expect, test } from './fixtures.js';
import config from './playwright.config.js';
import { QUICK } from './webtune.js';

// WebGPU frees a buffer when JavaScript's garbage collector finds it; the test calls that itself.
const launchOptions = config.use?.launchOptions;
test.use({ launchOptions: { ...launchOptions, args: [...(launchOptions?.args ?? []), '--js-flags=--expose-gc'] } });

test('a run keeps nothing of the run before it', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, num_rows: 100, num_train_epochs: 1 }, 'counted');
  const worker = page.workers()[0];
  if (!worker) throw new Error('the page has no worker');
  /** A run with batches of so many rows. @param {number} rows */
  const run = async (rows) => {
    await webtune.field('per_device_train_batch_size').fill(String(rows));
    await webtune.press('run-training');
    await expect(webtune.stage('training')).toHaveAttribute('data-state', 'done');
  };
  /** Bytes of buffers that nobody has let go of. */
  const alive = () =>
    worker.evaluate(async () => {
      const scope = /** @type {any} */ (globalThis);
      await scope.counters.drained();
      scope.gc();
      // What is found is told in a task of its own.
      await new Promise((done) => setTimeout(done));
      return /** @type {number} */ (scope.counters.counts.liveBytes);
    });
  await run(8);
  const first = await alive();
  await run(64);
  expect(await alive()).toBeGreaterThan(2 * first);
  await run(8);
  await expect.poll(alive).toBeLessThan(1.1 * first);
});
