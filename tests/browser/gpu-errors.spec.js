// Errors that WebGPU reports after a call, work that a driver loses, and a lost device: the run fails in the same step,
// no old value is logged, and the model that was trained before stays.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

/** Enough steps that the run never ends by itself during a test. It is not stored, so that it is not continued. */
const ENDLESS = { ...QUICK, device: 'webgpu', num_train_epochs: 1000, state_save_seconds: 0 };
const SENTENCE = 'What an amazing blender, I love it!';

/**
 * Sends a message to the prelude of the site.
 * @param {import('./webtune.js').Webtune} webtune
 * @param {'break'|'mend'} message
 */
const tell = ({ page }, message) =>
  page.evaluate((text) => {
    const channel = new BroadcastChannel('webtune-test');
    channel.postMessage(text);
    channel.close();
  }, message);

test('a run whose shaders are refused does not start, and the model trained before stays', async ({ webtune }) => {
  webtune.allow(/nothing_that_exists|is invalid|WGSL compilation failed/);
  await webtune.open({ ...QUICK, device: 'webgpu', max_steps: 2 }, 'shaders-invalid-later');
  await webtune.press('run-all');
  await webtune.succeeded();
  await webtune.classify(SENTENCE);
  const [trained, before] = [await webtune.read('trained'), await webtune.probabilities('try-after')];

  await tell(webtune, 'break');
  await webtune.select('tuning', 'lora');
  await webtune.press('run-training');
  const alert = webtune.alert('training');
  await expect(alert).toHaveAttribute('data-code', 'device');
  await expect(alert).toContainText('The GPU reported an error');
  expect(await webtune.read('trained')).toEqual(trained);
  expect(await webtune.logs(), 'the logs of the run before').toHaveLength(2);
  await webtune.classify(`${SENTENCE} `);
  expect(await webtune.probabilities('try-after')).toEqual(before);
});

test('an update that the driver loses is noticed in its step and is not logged', async ({ webtune }) => {
  await webtune.open(ENDLESS, 'work-dropped-later');
  await webtune.click('train-paused');
  await webtune.button('step').click();
  await webtune.stepped(1);
  await webtune.button('step').click();
  await webtune.stepped(2);
  await tell(webtune, 'break');
  await webtune.button('step').click();
  await webtune.idle();
  const alert = webtune.alert('training');
  await expect(alert).toHaveAttribute('data-code', 'device');
  await expect(alert).toContainText('lost update 3');
  expect((await webtune.logs()).map(({ step }) => step)).toEqual([1, 2]);
  expect((await webtune.read('trained'))?.global_step).toBe(2);

  await tell(webtune, 'mend');
  await webtune.classify(SENTENCE);
  expect(await webtune.probabilities('try-after')).not.toEqual(await webtune.probabilities('try-before'));
});

test('a lost device is an error in the same step, and no step is logged after it', async ({ webtune }) => {
  webtune.allow(/lost|destroyed|Destroyed|poisoned|device/);
  await webtune.open(ENDLESS, 'device-lost-later');
  await webtune.click('train-paused');
  await webtune.button('step').click();
  await webtune.stepped(1);
  await tell(webtune, 'break');
  await webtune.button('step').click();
  await webtune.idle();
  await expect(webtune.alert('training')).toHaveAttribute('data-code', 'device');
  expect((await webtune.logs()).map(({ step }) => step)).toEqual([1]);
});

test('a run that is stored continues after its device is lost, and waits again where it was paused', async ({
  webtune,
}) => {
  webtune.allow(/lost|destroyed|Destroyed|poisoned|device/);
  await webtune.open({ ...ENDLESS, state_save_seconds: 3600 }, 'device-lost-later');
  await webtune.click('train-paused');
  await webtune.button('step').click();
  await webtune.stepped(1);
  const [before] = await webtune.logs();
  await tell(webtune, 'break');
  await webtune.button('step').click();
  const recovered = webtune.page.getByTestId('recovered');
  await expect(recovered).toHaveAttribute('data-from', '0', { timeout: 120_000 });
  await expect(webtune.button('resume')).toBeVisible();
  await webtune.button('step').click();
  await webtune.stepped(1);
  const [again] = await webtune.logs();
  expect(again?.loss).toBeCloseTo(before?.loss ?? NaN, 4);
  await webtune.button('stop').click();
  await webtune.idle();
});
