// The job on WebGPU with a software adapter: the tiny BERT (whole job, and compared with the CPU device) and the real
// checkpoint (two epochs of a few rows, and as @full the whole job).

import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

const MINUTE = 60_000;
/** Time limit of the whole job on the real checkpoint. */
const WHOLE_JOB_MINUTES = 10;
const SENTENCE = 'What an amazing blender, I love it!';

test('the whole job runs on WebGPU with the tiny BERT', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'webgpu' });

  await test.step('the header shows the adapter and that it is software', async () => {
    await expect(page.getByTestId('device-name')).toHaveText('google swiftshader (software)');
    await expect(page.getByTestId('device-notice')).toContainText('software that imitates a GPU');
    const opened = await webtune.read('opened');
    expect(opened?.device).toMatchObject({
      kind: 'webgpu',
      vendor: 'google',
      architecture: 'swiftshader',
      software: true,
      reason: 'requested',
    });
  });
  await test.step('every check of the start-up self-test has passed', async () => {
    const selfTest = page.getByTestId('self-test');
    await expect(selfTest).toHaveAttribute('data-passed', 'true');
    await selfTest.locator('summary').click();
    await expect(selfTest.locator('tbody tr')).toHaveCount(5);
    await expect(selfTest.locator('tbody')).not.toContainText('differs');
    await page.keyboard.press('Escape');
  });
  await test.step('one button runs every stage', async () => {
    await webtune.press('run-all', 8 * MINUTE);
    await webtune.succeeded();
    expect(await webtune.step()).toBe(30);
    await expect(page.getByTestId('eval-accuracy')).toHaveText('100%');
    await expect(page.getByTestId('evaluations').locator('tbody tr')).toHaveCount(3);
    const logs = await webtune.logs();
    expect(logs.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
    expect(logs.at(-1)?.loss).toBeLessThan(0.5 * (logs[0]?.loss ?? 0));
  });
  await test.step('training changes the probabilities of a sentence', async () => {
    await webtune.classify(SENTENCE);
    const [before, after] = [await webtune.probabilities('try-before'), await webtune.probabilities('try-after')];
    for (const both of [before, after]) expect((both[0] ?? NaN) + (both[1] ?? NaN)).toBeCloseTo(1, 5);
    expect(Math.abs((after[1] ?? 0) - (before[1] ?? 0))).toBeGreaterThan(0.05);
  });
});

test('a run on WebGPU follows the run on the CPU', async ({ webtune }) => {
  const query = { ...QUICK, model: madeModel('tiny-without-dropout'), num_rows: 40, num_train_epochs: 2 };
  const outcome = async (/** @type {string} */ device) => {
    await webtune.open({ ...query, device });
    await webtune.press('run-all', 8 * MINUTE);
    await webtune.succeeded();
    const last = (await webtune.read('evaluations')).at(-1);
    return {
      logs: await webtune.logs(),
      loss: last?.eval_loss ?? NaN,
      after: await webtune.probabilities('try-after'),
    };
  };
  const expected = await outcome('cpu');
  const found = await outcome('webgpu');
  expect(found.logs.length).toBe(8);
  for (const [at, log] of found.logs.entries()) {
    expect(log.loss, `loss of step ${at + 1}`).toBeCloseTo(expected.logs[at]?.loss ?? NaN, 3);
    expect(log.grad_norm / (expected.logs[at]?.grad_norm ?? NaN), `gradient norm of step ${at + 1}`).toBeCloseTo(1, 2);
    expect(log.learning_rate).toBe(expected.logs[at]?.learning_rate);
  }
  expect(found.loss).toBeCloseTo(expected.loss, 3);
  expect(found.after[0]).toBeCloseTo(expected.after[0] ?? NaN, 2);
});

test('the real checkpoint learns two epochs of a few rows, is evaluated and classifies a sentence', async ({
  webtune,
}) => {
  const { page } = webtune;
  await webtune.open({
    device: 'webgpu',
    num_rows: 20,
    num_train_epochs: 2,
    per_device_train_batch_size: 4,
    learning_rate: '0.0002',
  });
  await webtune.press('run-all', 9 * MINUTE);
  await webtune.succeeded();
  await expect(page.getByTestId('parameters')).toHaveAttribute('data-value', '22713986');
  const logs = await webtune.logs();
  expect(logs.length).toBe(8);
  // Two classes and a classifier of small random weights: the first loss is near ln 2.
  expect(logs[0]?.loss).toBeCloseTo(Math.LN2, 1);
  for (const { loss, grad_norm } of logs) expect(Number.isFinite(loss) && grad_norm > 0).toBe(true);
  const [first, last, ...others] = await webtune.read('evaluations');
  expect([first?.step, last?.step, others.length]).toEqual([4, 8, 0]);
  expect(last?.confusion).toEqual([
    [2, 0],
    [0, 2],
  ]);
  // Labels at random have a loss of ln 2 = 0.69; the CPU reaches 0.25 in these steps.
  expect(last?.eval_loss).toBeLessThan(0.4);
  await expect(page.getByTestId('eval-accuracy')).toHaveText('100%');
  await webtune.classify(SENTENCE);
  expect(await webtune.probabilities('try-after')).not.toEqual(await webtune.probabilities('try-before'));
});

test('the whole job runs on WebGPU with the real checkpoint', { tag: '@full' }, async ({ webtune }) => {
  test.setTimeout((WHOLE_JOB_MINUTES + 5) * MINUTE);
  await webtune.open({ device: 'webgpu' });
  await webtune.press('run-all', WHOLE_JOB_MINUTES * MINUTE);
  await webtune.succeeded();
  expect(await webtune.step()).toBe(30);
  await expect(webtune.page.getByTestId('eval-accuracy')).toHaveText('100%');
});
