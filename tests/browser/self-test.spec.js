// The start-up self-test: training is refused on a device with wrong results, other stages stay available.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

test('training is refused on a device that drops dispatches', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'webgpu' }, 'work-dropped');
  await expect(page.getByTestId('device-name')).toHaveText('google swiftshader (software)');
  await expect(page.getByTestId('self-test')).toHaveAttribute('data-passed', 'false');
  await expect(page.locator('#notices').getByTestId('error')).toContainText('computes something else than the CPU');
  await page.getByTestId('self-test').locator('summary').click();
  await expect(page.getByTestId('self-test').locator('tr.failed').first()).toContainText('differs');
  await page.keyboard.press('Escape');

  for (const button of ['run-all', 'run-training']) {
    await webtune.press(button);
    const refusal = webtune.alert('dock');
    await expect(refusal).toHaveAttribute('data-code', 'self_test');
    await expect(refusal).toContainText('nothing is trained on it');
    await expect(webtune.stage('training')).toHaveAttribute('data-state', 'idle');
  }
  await test.step('stages without training still run', async () => {
    await webtune.press('run-tokens');
    await expect(webtune.stage('tokens')).toHaveAttribute('data-state', 'done');
    await expect(webtune.alert('dock')).toHaveCount(0);
  });
  await test.step('the worker refuses a direct request', async () => {
    const refused = await page.evaluate(async () => {
      const { session, settings } = /** @type {any} */ (window).__webtune;
      return session.request({ type: 'train', values: settings.values(), paused: false }).then(
        () => 'trained',
        (/** @type {Error} */ error) => error.message,
      );
    });
    expect(refused).toContain('self-test');
  });
});

test('invalid shaders are reported before any training, with a link to the CPU device', async ({ webtune }) => {
  const { page } = webtune;
  webtune.allow(/WGSL compilation failed|is invalid/);
  await webtune.open({ ...QUICK, num_train_epochs: 1, device: 'webgpu' }, 'shaders-invalid');
  const notice = page.locator('#notices').getByTestId('error');
  await expect(notice).toHaveAttribute('data-code', 'device');
  await expect(notice).toContainText('The GPU reported an error');
  await expect(webtune.button('run-all')).toBeDisabled();
  await notice.getByRole('link').click();
  await webtune.opened();
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  await webtune.press('run-all');
  await webtune.succeeded();
});

test('a run is refused on a device that is wrong at the shapes of the run only', async ({ webtune }) => {
  // The shapes of MiniLM select larger tiles than those of the self-test.
  await webtune.open({ device: 'webgpu', num_rows: 20, max_steps: 2 }, 'gpu-with-wrong-tiles');
  await expect(webtune.page.getByTestId('self-test')).toHaveAttribute('data-passed', 'true');
  await webtune.press('run-all');
  const refusal = webtune.alert('training');
  await expect(refusal).toHaveAttribute('data-code', 'device');
  await expect(refusal).toContainText('at the shapes of this run');
  await expect(refusal).toContainText('encoder layer');
  expect((await webtune.read('run')).kind).toBe('idle');
  expect(await webtune.read('trained')).toBeNull();
});
