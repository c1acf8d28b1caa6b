// Threads of the CPU device: where a page has them, where it does not, and that results do not depend on their number.

import { expect, test } from './fixtures.js';
import { STATIC_HOST } from './server.js';

const MINUTE = 60_000;
/** Five updates of the article's job. */
const JOB = { device: 'cpu', max_steps: 5 };

/**
 * Trains and returns the name of the device, and the logs of each update.
 * @param {import('./webtune.js').Webtune} webtune
 * @param {Record<string, string|number>} [query]
 * @param {string} [site]
 */
async function trained(webtune, query = {}, site) {
  await webtune.open({ ...JOB, ...query }, site);
  const device = await webtune.page.getByTestId('device-name').textContent();
  await webtune.press('run-all', 2 * MINUTE);
  await webtune.succeeded();
  const logs = (await webtune.logs()).map(({ loss, grad_norm }) => ({ loss, grad_norm }));
  expect(logs).toHaveLength(JOB.max_steps);
  return { device, logs };
}

/** @param {import('@playwright/test').Page} page */
const isIsolated = (page) => page.evaluate(() => self.crossOriginIsolated);

test('one, two and four threads have the same losses and gradient norms, to the last digit', async ({ webtune }) => {
  const one = await test.step('one thread', () => trained(webtune, { threads: 1 }));
  expect(one.device).toContain('one thread');
  for (const threads of [2, 4]) {
    const several = await test.step(`${threads} threads`, () => trained(webtune, { threads }));
    expect(several.device).toContain(`${threads} threads`);
    expect(several.logs).toEqual(one.logs);
  }
});

test('a host that sends no headers has threads through the service worker', async ({ webtune }) => {
  const { device } = await trained(webtune, { threads: 2 }, STATIC_HOST);
  expect(device).toContain('2 threads');
  expect(await isIsolated(webtune.page)).toBe(true);
});

test('a page that cannot be isolated computes on one thread', async ({ webtune }) => {
  await webtune.page.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined });
  });
  const { device } = await trained(webtune, { threads: 2 }, STATIC_HOST);
  expect(device).toContain('relaxed SIMD, one thread');
  expect(await isIsolated(webtune.page)).toBe(false);
});

test('threads that do not start leave the CPU device with one', async ({ webtune }) => {
  const { device } = await trained(webtune, { threads: 2 }, 'no-threads');
  expect(device).toContain('relaxed SIMD, one thread');
});
