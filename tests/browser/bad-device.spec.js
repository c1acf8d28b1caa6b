// Without a usable GPU: the page states the reason and the CPU device runs the job.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const REASONS = [
  { site: 'no-webgpu', reason: 'no_webgpu', sentence: /This browser has no WebGPU/ },
  { site: 'adapter-refused', reason: 'no_adapter', sentence: /granted no GPU adapter/ },
  { site: 'device-refused', reason: 'device_refused', sentence: /The adapter nvidia ampere refused a WebGPU device/ },
];

for (const { site, reason, sentence } of REASONS) {
  test(`${site.replace('-', ' ')}: the CPU device runs the job and a notice states the reason`, async ({ webtune }) => {
    const { page } = webtune;
    await webtune.open({ ...QUICK, num_train_epochs: 1 }, site);
    await expect(page.getByTestId('device-name')).toContainText('CPU');
    await expect(page.getByTestId('device-notice')).toContainText(sentence);
    await expect(page.getByTestId('device-notice')).toContainText('slower than on a GPU');
    await webtune.press('run-all');
    await webtune.succeeded();
    expect((await webtune.read('opened'))?.device).toMatchObject({ kind: 'cpu', reason });
    // There is nothing to choose from.
    await expect(page.getByTestId('device-choice')).toHaveCount(0);
  });

  test(`${site.replace('-', ' ')}: device=webgpu shows an error with a link to the CPU device`, async ({ webtune }) => {
    const { page } = webtune;
    await webtune.open({ ...QUICK, num_train_epochs: 1, device: 'webgpu' }, site);
    const notice = page.locator('#notices').getByTestId('error');
    await expect(notice).toHaveAttribute('data-code', 'device');
    await expect(notice).toContainText(sentence);
    await expect(webtune.button('run-all')).toBeDisabled();
    await notice.getByRole('link').click();
    await webtune.opened();
    await expect(page.getByTestId('device-name')).toContainText('CPU');
    await expect(webtune.field('num_train_epochs')).toHaveValue('1');
    await webtune.press('run-all');
    await webtune.succeeded();
  });
}

test('a wasm module that cannot be loaded shows an error and a reload button', async ({ webtune }) => {
  const { page } = webtune;
  webtune.allow(/wasm|WebAssembly/i);
  await page.goto(`${webtune.server.site('no-module')}?device=cpu`);
  const notice = page.locator('#notices').getByTestId('error');
  await expect(notice).toHaveAttribute('data-code', 'fatal');
  await expect(notice).toContainText('could not be loaded');
  await expect(page.getByTestId('device-name')).toHaveText('No device');
  await expect(page.getByTestId('reload')).toBeEnabled();
});
