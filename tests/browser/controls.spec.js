// Control of a run: pause, step, resume, stop, classification between steps, a second run; and what the page keeps.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

/** Enough steps that the run never ends by itself during a test. */
const ENDLESS = { ...QUICK, device: 'cpu', num_train_epochs: 1000 };

test('a run pauses, steps, answers a sentence, resumes and stops', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(ENDLESS);
  await expect(webtune.button('pause')).toBeHidden();
  await webtune.button('run-all').click();
  await webtune.stepped(3);
  await expect(webtune.button('run-all')).toBeHidden();
  await expect(webtune.button('run-all')).toHaveAttribute('aria-disabled', 'true');

  await webtune.button('pause').click();
  await expect(webtune.button('resume')).toBeVisible();
  await expect(page.getByTestId('now')).toContainText('Paused');
  // The worker answers requests between steps, so after the answer no step is running.
  await webtune.classify('Is it paused?');
  const paused = await webtune.step();
  await webtune.classify('Is it still paused?');
  expect(await webtune.step()).toBe(paused);
  await expect(page.getByTestId('try-after')).toContainText('So far');

  await webtune.lastPage('tokens');
  await expect(page.locator('#tokens .token-rows .note').last()).toContainText('Test');
  expect(await webtune.step(), 'rows are read between steps').toBe(paused);

  await webtune.button('step').click();
  await webtune.stepped(paused + 1);
  await webtune.classify('One step on?');
  expect(await webtune.step()).toBe(paused + 1);

  await webtune.button('resume').click();
  await expect(webtune.button('pause')).toBeVisible();
  await webtune.stepped(paused + 4);

  await webtune.button('stop').click();
  await webtune.idle();
  await expect(page.getByTestId('summary')).toHaveAttribute('data-stopped', 'true');
  await expect(page.getByTestId('now')).toContainText('Stopped at step');
  await expect(webtune.button('stop')).toBeHidden();
  await expect(webtune.stage('training')).toHaveAttribute('data-state', 'done');
  const stopped = await webtune.result();
  expect(stopped?.global_step).toBeGreaterThanOrEqual(paused + 4);
  expect(stopped?.evaluation?.step, 'the model at the stopped step is evaluated').toBe(stopped?.global_step);
});

test('a run starts paused and is stepped manually', async ({ webtune }) => {
  await webtune.open({ ...QUICK, device: 'cpu', max_steps: 2 });
  await webtune.click('train-paused');
  await expect(webtune.page.getByTestId('now')).toContainText('Paused before the first of 2 steps', {
    timeout: 60_000,
  });
  expect(await webtune.step()).toBe(0);
  for (const step of [1, 2]) {
    await webtune.button('step').click();
    await webtune.stepped(step);
    expect(await webtune.step()).toBe(step);
  }
  await webtune.button('resume').click();
  await webtune.idle();
  expect(await webtune.result()).toMatchObject({ global_step: 2, stopped: false });
});

test('a second run starts from the base model, keeps earlier stages and repeats the first run', async ({
  webtune,
  server,
}) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu', num_train_epochs: 1 });
  await webtune.press('run-all');
  await webtune.succeeded();
  const first = { logs: await webtune.logs(), after: await webtune.probabilities('try-after') };
  expect(first.logs.length).toBe(10);
  const downloads = () => server.requests.filter((path) => path.endsWith('/model.safetensors')).length;
  expect(downloads()).toBe(1);

  await expect(webtune.button('run-all')).toHaveText('Fine-tune again');
  await webtune.button('run-all').click();
  // The inputs of the second run stay on the page while it runs.
  for (const stage of /** @type {const} */ (['dataset', 'split', 'model', 'tokens']))
    await expect(webtune.stage(stage)).toHaveAttribute('data-state', 'done');
  await expect(page.locator('#dataset tbody tr')).toHaveCount(10);
  await webtune.idle();
  await webtune.succeeded();
  const second = { logs: await webtune.logs(), after: await webtune.probabilities('try-after') };
  expect(downloads(), 'the model is not loaded again').toBe(1);
  expect(second.logs.length).toBe(10);
  for (const [at, { loss }] of second.logs.entries())
    expect(loss, `loss of step ${at + 1}`).toBeCloseTo(first.logs[at]?.loss ?? NaN, 5);
  expect(second.after[0]).toBeCloseTo(first.after[0] ?? NaN, 5);
});

test('the model trained before is used again, and the newer one after it', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu', num_rows: 20, num_train_epochs: 1 });
  await webtune.press('run-all');
  const sentence = 'What an amazing blender!';
  const shown = async () => ({
    steps: (await webtune.result())?.global_step,
    logs: await webtune.logs(),
    trained: (await webtune.read('trained'))?.global_step,
    after: await webtune.probabilities('try-after'),
  });
  await webtune.classify(sentence);
  const first = await shown();
  expect(first).toMatchObject({ steps: 2, trained: 2 });
  await expect(webtune.button('use-previous')).toHaveCount(0);

  await webtune.fill('num_train_epochs', '2');
  await webtune.press('run-all');
  const second = await shown();
  expect(second).toMatchObject({ steps: 4, trained: 4 });
  expect(second.after).not.toEqual(first.after);
  await expect(page.getByTestId('kept-models')).toContainText('The model of 2 steps, seed 42, trained before, is kept');

  await expect(webtune.button('use-previous')).toHaveText('Use the previous model');
  await webtune.press('use-previous');
  expect(await shown()).toEqual(first);
  await webtune.show('export');
  await expect(page.locator('#export')).toContainText('The model after 2 training steps');
  await expect(webtune.stage('training')).toHaveAttribute('data-stale', 'true');

  await expect(webtune.button('use-previous')).toHaveText('Use the newer model again');
  await webtune.press('use-previous');
  expect(await shown()).toEqual(second);
  await expect(webtune.stage('training')).not.toHaveAttribute('data-stale', 'true');
});

test('settings are kept through a run, in the URL and through a reload', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu' });
  await webtune.fill('num_rows', '30');
  await webtune.fill('num_train_epochs', '1');
  await webtune.select('padding', 'max_length');
  await webtune.fill('max_length', '20');
  await webtune.press('run-all');
  await webtune.succeeded();
  expect((await webtune.read('dataset'))?.num_rows).toBe(30);
  const kept = {
    num_rows: '30',
    num_train_epochs: '1',
    padding: 'max_length',
    max_length: '20',
    learning_rate: '0.001',
    head_learning_rate: '0',
    toy_dataset: 'article',
    group_duplicates: 'false',
  };
  const query = Object.fromEntries(new URL(page.url()).searchParams);
  expect(query).toEqual({ ...kept, depth: 'expert', device: 'cpu', model: QUICK.model });

  await page.reload();
  await webtune.opened();
  const { group_duplicates, ...typed } = kept;
  for (const [name, value] of Object.entries(typed)) await expect(webtune.field(name)).toHaveValue(value);
  await expect(webtune.field('group_duplicates')).toBeChecked({ checked: group_duplicates === 'true' });

  await webtune.click('preset-recommended');
  await expect(webtune.field('num_rows')).toHaveValue('160');
  expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({
    depth: 'expert',
    device: 'cpu',
    model: QUICK.model,
  });
});
