// Consecutive runs: buffers of a run that the next run cannot reuse are released. Its trained weights are kept.

import { expect, test } from './fixtures.js';
import config from './playwright.config.js';
import { QUICK } from './webtune.js';

// The browser frees a WebGPU buffer when JavaScript's garbage collector finds it, so the test calls the collector.
const launchOptions = config.use?.launchOptions;
test.use({ launchOptions: { ...launchOptions, args: [...(launchOptions?.args ?? []), '--js-flags=--expose-gc'] } });

test('a run releases the buffers of the previous run', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'webgpu', num_rows: 100, num_train_epochs: 1 }, 'counted');
  const worker = page.workers()[0];
  if (!worker) throw new Error('the page has no worker');
  /** Trains with batches of `rows` rows. @param {number} rows */
  const run = async (rows) => {
    await webtune.fill('per_device_train_batch_size', String(rows));
    await webtune.press('run-training');
    await expect(webtune.stage('training')).toHaveAttribute('data-state', 'done');
  };
  /** Bytes of buffers that are not freed. */
  const live = () =>
    worker.evaluate(async () => {
      const scope = /** @type {any} */ (globalThis);
      await scope.counters.drained();
      scope.gc();
      // Finalization callbacks run in a separate task.
      await new Promise((done) => setTimeout(done));
      return /** @type {number} */ (scope.counters.counts.liveBytes);
    });
  await run(8);
  const first = await live();
  await run(64);
  expect(await live()).toBeGreaterThan(2 * first);
  await run(8);
  const kept = (await webtune.read('plan'))?.memory?.kept ?? NaN;
  expect(kept).toBeGreaterThan(0);
  await expect.poll(live).toBeLessThan(1.1 * first + kept);
});
