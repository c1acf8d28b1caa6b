// Mixed precision on devices without it: the switch is disabled and states the reason, a URL with fp16=true gets an
// error, and the worker refuses the setting. Neither SwiftShader nor the CPU device has shader-f16: tests/gpu.rs runs
// the f16 kernels on a native adapter, and every run with fp16 compares them with the CPU before its first step.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const CASES = /** @type {const} */ ([
  { device: 'cpu', reason: /the CPU is no faster in 16 bits/ },
  {
    device: 'webgpu',
    reason: /google swiftshader \(software\) cannot compute in 16 bits\. It takes a GPU whose adapter has shader-f16/,
  },
]);

for (const { device, reason } of CASES) {
  test(`the disabled switch states the reason (${device})`, async ({ webtune }) => {
    const { page } = webtune;
    await webtune.open({ ...QUICK, device });
    expect((await webtune.read('opened'))?.device.shader_f16).toBe(false);
    const field = webtune.field('fp16');
    await webtune.show('training');
    await expect(field).toBeDisabled();
    await expect(field).not.toBeChecked();
    await expect(page.locator('#setting-fp16-off')).toHaveText(reason);
    await expect(field).toHaveAccessibleDescription(reason);

    await test.step('the worker refuses a direct request with fp16', async () => {
      await webtune.press('run-tokens');
      const refused = await page.evaluate(async () => {
        const { session, settings } = /** @type {any} */ (window).__webtune;
        const values = { ...settings.values(), fp16: true };
        return session.request({ type: 'train', values, paused: false }).then(
          () => null,
          (/** @type {any} */ { field, message }) => ({ field, message }),
        );
      });
      expect(refused).toEqual({
        field: 'fp16',
        message: expect.stringMatching(
          /^fp16 = true: .* cannot compute in 16 bits; it takes a GPU whose adapter has shader-f16\.$/,
        ),
      });
    });
  });
}

test('fp16=true in the URL shows an error, and the switch can be turned off', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu', num_train_epochs: 1, fp16: 'true' });
  const field = webtune.field('fp16');
  await expect(page.locator('#setting-fp16-error')).toHaveText(/the CPU is no faster in 16 bits/);
  await webtune.press('run-all');
  const refusal = webtune.alert('dock');
  await expect(refusal).toHaveAttribute('data-code', 'settings');
  await expect(refusal).toContainText('Mixed precision');
  await expect(field).toBeFocused();
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'idle');
  await field.uncheck();
  await expect(page.locator('#setting-fp16-error')).toBeHidden();
  await expect(field).toBeDisabled();
  await webtune.press('run-all');
  await webtune.succeeded();
});
