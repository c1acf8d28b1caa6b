// The preset "As in the article": the page warns about these settings before the run, and the run follows them.

import { expect, test } from './fixtures.js';
import { madeModel } from './webtune.js';

const MINUTE = 60_000;

/**
 * @param {import('./webtune.js').Webtune} webtune
 * @param {Record<string, string>} query
 * @param {number} minutes
 */
async function runArticlePreset(webtune, query, minutes) {
  const { page } = webtune;
  await webtune.open({ device: 'cpu', ...query });
  await expect(page.getByTestId('warnings').locator('[data-code="warmup_longer_than_run"]')).toHaveCount(0);
  await webtune.click('preset-article');
  await expect(webtune.button('preset-article')).toHaveAttribute('aria-pressed', 'true');
  await test.step('both warnings are shown before the run', async () => {
    const warmup = page.getByTestId('warnings').locator('[data-code="warmup_longer_than_run"]');
    await expect(warmup).toContainText('500 steps');
    await expect(warmup).toContainText('2.9e-6');
    await expect(warmup).toContainText('50 %');
    await expect(page.getByTestId('warnings').locator('[data-code="texts_on_both_sides"]')).toContainText(
      '20 of the 20 test rows',
    );
    expect(await webtune.result()).toBe(null);
  });
  await webtune.press('run-all', minutes * MINUTE);
  await webtune.succeeded();
  await test.step('the run uses the steps, learning rates and padding of the settings', async () => {
    expect(await webtune.step()).toBe(30);
    const rates = (await webtune.logs()).map(({ learning_rate }) => learning_rate);
    expect(Math.max(...rates)).toBeCloseTo((29 / 500) * 5e-5, 12);
    const rows = await webtune.tokenRows();
    expect(rows.map(({ input_ids }) => input_ids.length)).toEqual(Array(100).fill(128));
    expect(Number(await page.getByTestId('padding-share').getAttribute('data-value'))).toBeGreaterThan(0.8);
  });
  await webtune.show('training');
  await expect(page.getByTestId('warnings').locator('[data-code="warmup_longer_than_run"]')).toBeVisible();
}

test('the article preset shows both warnings and finishes, tiny BERT', async ({ webtune }) => {
  await runArticlePreset(webtune, { model: madeModel('tiny') }, 5);
});

test('the article preset shows both warnings and finishes, real checkpoint', { tag: '@full' }, async ({ webtune }) => {
  test.setTimeout(50 * MINUTE);
  await runArticlePreset(webtune, {}, 45);
  // The warmup outlasts the run, so the learning rate stays tiny and the loss stays near ln 2, that of random guesses.
  expect(Math.abs(((await webtune.read('evaluations')).at(-1)?.eval_loss ?? NaN) - Math.LN2)).toBeLessThan(0.08);
});
