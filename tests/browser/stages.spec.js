// Single stages: each runs the stages that it needs, shows its results, and is marked when its settings have changed.

import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

const CPU = { ...QUICK, device: 'cpu' };

test('the dataset and the split are shown without pressing a button', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(CPU);
  await expect(webtune.stage('split')).toHaveAttribute('data-state', 'done');
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'idle');
  await expect(page.locator('#dataset .bar-value')).toHaveText(['50 · 50%', '50 · 50%']);
  const sentences = [
    /This product has been an amazing addition to my kitchen\./,
    /I'm very disappointed with the purchase\. Would not recommend\./,
  ];
  await expect(page.locator('#dataset tbody td[lang=en]').first()).toHaveText(
    new RegExp(`^(${sentences.map(({ source }) => source).join('|')})$`),
  );
  await expect(page.locator('#split .part-name')).toHaveText(['Training 80 rows · 80%', 'Test 20 rows · 20%']);
  await expect(page.locator('#training .plan-sentence')).toContainText('30 steps, 10 an epoch');

  await webtune.lastPage('dataset');
  await expect(page.locator('#dataset .where')).toHaveText('91–100 of 100');
});

test('tokenizing runs the stages before it and shows tokens, ids and attention mask', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, padding: 'max_length', max_length: 24 });
  await webtune.press('run-tokens');
  for (const stage of /** @type {const} */ (['dataset', 'split', 'model', 'tokens']))
    await expect(webtune.stage(stage)).toHaveAttribute('data-state', 'done');
  await expect(webtune.stage('training')).toHaveAttribute('data-state', 'idle');
  const row = page.locator('#tokens .token-rows > li').first();
  await expect(row.locator('.token.special')).toHaveText(['[CLS]', '[SEP]']);
  await expect(row.locator('.mask').first()).toHaveText('1');
  await row.getByRole('button', { name: /more \[PAD\]/ }).click();
  await expect(row.locator('.token')).toHaveCount(24);
  await expect(row.locator('.token').last()).toHaveText('[PAD]');
  await expect(row.locator('.id').last()).toHaveText('0');
  await expect(row.locator('.mask').last()).toHaveText('0');
});

test('100,000 rows are made, split and tokenized, and shown page by page', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_rows: 100_000 });
  await webtune.press('run-tokens');
  await expect(page.locator('#split .part-name')).toHaveText(['Training 80,000 rows · 80%', 'Test 20,000 rows · 20%']);
  await expect(page.locator('#split .squares')).toHaveCount(0);
  await expect(page.locator('#dataset .where')).toHaveText('1–10 of 100,000');
  await webtune.lastPage('dataset');
  await expect(page.locator('#dataset tbody tr').last()).toContainText('100,000');
  await expect(page.locator('#dataset tbody tr')).toHaveCount(10);
  await webtune.lastPage('tokens');
  await expect(page.locator('#tokens .where')).toHaveText('99,997–100,000 of 100,000');
  await expect(page.locator('#tokens .token-rows > li')).toHaveCount(4);
  expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(5000);
});

test('the untrained model can be evaluated and can classify', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(CPU);
  await webtune.press('run-evaluation');
  expect((await webtune.read('evaluations')).map(({ step }) => step)).toEqual([0]);
  await expect(page.getByTestId('eval-loss')).toBeVisible();
  await webtune.classify('This product has been an amazing addition to my kitchen.');
  await expect(page.getByTestId('try-before')).toHaveAttribute('data-probabilities', /^\[/);
  await expect(page.getByTestId('try-after')).toContainText('Nothing has been trained yet');
});

test('a changed setting marks exactly the stages that depend on it as stale', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_train_epochs: 1 });
  await webtune.press('run-all');
  await webtune.succeeded();
  // Every table of the evaluation is as wide as its place at this width of the window.
  await webtune.show('evaluation');
  const tables = page.locator('#evaluation .scroll');
  expect(await tables.count()).toBeGreaterThanOrEqual(4);
  for (const table of await tables.all())
    expect(await table.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
  await webtune.fill('max_length', '64');
  await expect(webtune.stage('tokens')).toHaveAttribute('data-stale', 'true');
  await expect(webtune.stage('training')).toHaveAttribute('data-stale', 'true');
  await expect(page.locator('#tokens .stage-run')).toContainText('Settings have changed');
  for (const stage of /** @type {const} */ (['dataset', 'split', 'model']))
    await expect(webtune.stage(stage)).not.toHaveAttribute('data-stale', 'true');
  // Results stay until new ones replace them.
  await webtune.show('evaluation');
  await expect(page.getByTestId('eval-accuracy')).toBeVisible();
  await webtune.fill('max_length', '128');
  await expect(webtune.stage('tokens')).not.toHaveAttribute('data-stale', 'true');
});

test('a running download shows its bytes and speed', async ({ webtune, server }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, model: madeModel('held') });
  await webtune.click('run-model');
  const progress = page.getByTestId('model-progress');
  await expect(progress).toContainText('model.safetensors');
  await expect.poll(async () => Number(await progress.getAttribute('data-loaded'))).toBeGreaterThan(0);
  const total = Number(await progress.getAttribute('data-total'));
  expect(Number(await progress.getAttribute('data-loaded'))).toBeLessThan(total);
  await expect(progress).toContainText(/kB of .*kB, .*B\/s/);
  await expect(page.getByTestId('now')).toContainText('Downloading the model');
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'running');
  server.release();
  await webtune.idle();
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
  await expect(progress).toHaveAttribute('data-loaded', String(total));
});
