// The choice of the device: on a machine with a software adapter the page trains on the CPU, says why, and offers both.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

test('a software adapter is not taken unless the visitor chooses it', async ({ webtune }) => {
  const { page } = webtune;
  const device = async () => (await webtune.read('opened'))?.device;
  await webtune.open({ ...QUICK, num_train_epochs: 1 });
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  expect(await device()).toMatchObject({
    kind: 'cpu',
    reason: 'software_adapter',
    adapter: 'google swiftshader (software)',
  });
  const notice = page.getByTestId('device-notice');
  await expect(notice).toContainText('google swiftshader (software), is software that imitates a GPU');
  await expect(notice).toContainText('Training runs on the CPU');

  const choice = page.getByTestId('device-choice');
  await expect(choice.getByRole('link')).toHaveText(['CPU', 'google swiftshader (software)']);
  await expect(page.getByTestId('device-cpu')).toHaveAttribute('aria-current', 'true');
  await webtune.fill('num_rows', '30');
  await page.getByTestId('device-webgpu').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/device=webgpu/);
  await webtune.opened();
  await expect(page.getByTestId('device-name')).toHaveText('google swiftshader (software)');
  await expect(page.getByTestId('device-webgpu')).toHaveAttribute('aria-current', 'true');
  await expect(notice).toContainText('takes longer than on the CPU device');
  expect(await device()).toMatchObject({ kind: 'webgpu', reason: 'requested' });
  for (const [name, value] of Object.entries({ num_rows: '30', num_train_epochs: '1', learning_rate: '0.001' }))
    await expect(webtune.field(name), 'other parameters of the address stay').toHaveValue(value);

  await page.getByTestId('device-cpu').click();
  await page.waitForURL(/device=cpu/);
  await webtune.opened();
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  await expect(page.getByTestId('device-webgpu')).toHaveText('WebGPU');
  await webtune.press('run-all');
  await webtune.succeeded();
});

test('another device is not opened while the visitor wants to keep a trained model', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu', max_steps: 1 });
  await webtune.press('run-training');
  /** @type {string[]} */
  const questions = [];
  page.on('dialog', (dialog) => {
    questions.push(dialog.message());
    void dialog.dismiss();
  });
  await page.getByTestId('device-webgpu').click();
  expect(questions).toEqual([expect.stringContaining('The trained model')]);
  expect((await webtune.read('trained'))?.global_step).toBe(1);
});
