// The choice of the device: the page times both, takes the faster one, says why with both times, and offers the other.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const SWIFTSHADER = 'google swiftshader (software)';

test('both devices are timed, the faster one is taken, and the visitor can choose the other one', async ({
  webtune,
}) => {
  const { page } = webtune;
  const device = async () => (await webtune.read('opened'))?.device;
  await webtune.open({ ...QUICK, num_train_epochs: 1 });
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  const chosen = await device();
  expect(chosen).toMatchObject({ kind: 'cpu', reason: 'cpu_faster', adapter: SWIFTSHADER, software_adapter: true });
  const speed = chosen?.speed;
  if (!speed) throw new Error('nothing was timed');
  expect(speed.seq).toBe(16);
  expect(speed.cpu_ms).toBeGreaterThan(1);
  expect(speed.adapter_ms, 'the CPU is the faster one').toBeGreaterThan(speed.cpu_ms);
  expect(speed.timed, 'the layer is not computed on an adapter that is slower already').toBe('products');

  const [onCpu, onAdapter] = [speed.cpu_ms, speed.adapter_ms].map((ms) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`);
  const notice = page.getByTestId('device-notice');
  await expect(notice).toContainText(
    `The CPU is used because it is faster here. The page has timed one layer of the network, forward and backward, ` +
      `with ${speed.batch} × 16 tokens: ${onCpu} on the CPU, about ${onAdapter} on ${SWIFTSHADER}.`,
  );
  await expect(notice).toContainText('software that imitates a GPU');

  const choice = page.getByTestId('device-choice');
  await expect(choice.getByRole('link')).toHaveText([`CPU ${onCpu}`, `${SWIFTSHADER} ≈ ${onAdapter}`]);
  await expect(page.getByTestId('device-cpu')).toHaveAttribute('aria-current', 'true');
  await webtune.fill('num_rows', '30');
  await page.getByTestId('device-webgpu').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/device=webgpu/);
  await webtune.opened();
  await expect(page.getByTestId('device-name')).toHaveText(SWIFTSHADER);
  await expect(page.getByTestId('device-webgpu')).toHaveAttribute('aria-current', 'true');
  await expect(notice).toContainText('takes longer than on the CPU device');
  expect(await device(), 'nothing is timed').toMatchObject({ kind: 'webgpu', reason: 'requested', speed: null });
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

test('a run on the CPU works after the adapter was timed and closed', async ({ webtune }) => {
  await webtune.open({ ...QUICK, num_train_epochs: 1 });
  expect((await webtune.read('opened'))?.device).toMatchObject({ kind: 'cpu', reason: 'cpu_faster' });
  await webtune.press('run-all');
  await webtune.succeeded();
});

test('an adapter that is faster and passes its self-test is taken', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, num_train_epochs: 1 }, 'fast-gpu');
  await expect(page.getByTestId('device-name')).toHaveText(SWIFTSHADER);
  const opened = await webtune.read('opened');
  expect(opened?.device).toMatchObject({ kind: 'webgpu', reason: 'webgpu_faster', speed: { timed: 'layer' } });
  const { cpu_ms = NaN, adapter_ms = NaN } = opened?.device.speed ?? {};
  expect(adapter_ms).toBeLessThan(cpu_ms);
  expect(opened?.self_test).toMatchObject({ passed: true });
  expect(opened?.self_test.checks.length).toBeGreaterThan(0);
  await expect(page.getByTestId('device-notice')).toContainText(`${SWIFTSHADER} is used because it is faster here`);
  await expect(page.getByTestId('device-choice').getByRole('link')).toHaveText([
    /^CPU \d+ ms$/,
    /software\) [\d.]+ ms$/,
  ]);
  await expect(page.getByTestId('device-webgpu')).toHaveAttribute('aria-current', 'true');
});

test('an adapter that is faster because it drops its work fails the self-test and is not taken', async ({
  webtune,
}) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, num_train_epochs: 1 }, 'fast-wrong-gpu');
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  const device = (await webtune.read('opened'))?.device;
  expect(device).toMatchObject({ kind: 'cpu', reason: 'self_test_failed', speed: { timed: 'layer' } });
  await expect(page.getByTestId('device-notice')).toContainText('computed something else than the CPU');
  await expect(page.getByTestId('device-choice')).toHaveCount(0);
  await expect(page.getByTestId('self-test'), 'that of the CPU').toHaveAttribute('data-passed', 'true');
  await webtune.press('run-all');
  await webtune.succeeded();
});

test('an adapter that fails is not taken, and the notice has its error', async ({ webtune }) => {
  const { page } = webtune;
  webtune.allow(/WGSL compilation failed|is invalid/);
  await webtune.open({ ...QUICK, num_train_epochs: 1 }, 'products-invalid');
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  expect((await webtune.read('opened'))?.device).toMatchObject({ kind: 'cpu', reason: 'adapter_failed', speed: null });
  await expect(page.getByTestId('device-notice')).toContainText(
    `an operation failed on ${SWIFTSHADER} while it was timed and checked. The GPU reported an error`,
  );
  await webtune.press('run-all');
  await webtune.succeeded();
});

test('an adapter that does not answer is not taken', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, num_train_epochs: 1 }, 'reads-unanswered');
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  const device = (await webtune.read('opened'))?.device;
  expect(device).toMatchObject({ kind: 'cpu', reason: 'cpu_faster', speed: { timed: 'nothing', adapter_ms: 5000 } });
  await expect(page.getByTestId('device-notice')).toContainText('had not computed one after 5,000 ms');
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
