// The kernels of the CPU device: the module with relaxed SIMD, and what is linked for browsers without it.

import { expect, test } from './fixtures.js';

const MINUTE = 60_000;
/** Three updates of the start page's job. */
const JOB = { device: 'cpu', max_steps: 3 };

/**
 * Trains three updates and returns the name of the device, and loss and gradient norm of each update.
 * @param {import('./webtune.js').Webtune} webtune
 * @param {string} [site]
 */
async function trained(webtune, site) {
  await webtune.openBare(JOB, site);
  const device = await webtune.page.getByTestId('device-name').textContent();
  await webtune.press('run-all', 2 * MINUTE);
  await webtune.succeeded();
  const logs = (await webtune.logs()).map(({ loss, grad_norm }) => [loss, grad_norm]);
  expect(logs).toHaveLength(JOB.max_steps);
  return { device, logs: logs.flat() };
}

test('training with relaxed SIMD, and without it, has the same losses and gradient norms', async ({ webtune }) => {
  const relaxed = await test.step('a browser with relaxed SIMD', () => trained(webtune));
  expect(relaxed.device).toContain('relaxed SIMD');
  const linked = await test.step('a browser without it', () => trained(webtune, 'no-relaxed-simd'));
  expect(linked.device).toContain('WebAssembly SIMD');
  for (const [at, value] of relaxed.logs.entries()) {
    const other = linked.logs[at] ?? NaN;
    expect(Math.abs(value - other) / other, `value ${at}: ${value} and ${other}`).toBeLessThan(1e-4);
  }
});

test('kernels that cannot be loaded leave the CPU device usable', async ({ webtune }) => {
  await webtune.openBare(JOB, 'no-kernels');
  await expect(webtune.page.getByTestId('device-name')).toContainText('WebAssembly SIMD');
  await webtune.press('run-all', 2 * MINUTE);
  await webtune.succeeded();
  expect(await webtune.step()).toBe(JOB.max_steps);
});
