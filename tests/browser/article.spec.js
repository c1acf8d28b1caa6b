// "As in the article": the page says what is wrong with these settings before the run, and then does what they say.

import { expect, test } from './fixtures.js';
import { madeModel } from './webtune.js';

const MINUTE = 60_000;

/**
 * @param {import('./webtune.js').Webtune} webtune
 * @param {Record<string, string>} query
 * @param {number} minutes
 */
async function runAsInTheArticle(webtune, query, minutes) {
  const { page } = webtune;
  await webtune.open({ device: 'cpu', ...query });
  await expect(page.getByTestId('warnings').locator('[data-code="warmup_longer_than_run"]')).toHaveCount(0);
  await webtune.button('preset-article').click();
  await expect(webtune.button('preset-article')).toHaveAttribute('aria-pressed', 'true');
  await test.step('both warnings stand there before the run', async () => {
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
  await test.step('the run did what the settings say', async () => {
    expect(await webtune.step()).toBe(30);
    const rates = (await webtune.read('logs')).map(({ learning_rate }) => learning_rate);
    expect(Math.max(...rates)).toBeCloseTo((29 / 500) * 5e-5, 12);
    const tokens = await webtune.read('tokens');
    expect(tokens?.rows.every(({ input_ids }) => input_ids.length === 128)).toBe(true);
    expect(Number(await page.getByTestId('padding-share').getAttribute('data-value'))).toBeGreaterThan(0.8);
  });
  await expect(page.getByTestId('warnings').locator('[data-code="warmup_longer_than_run"]')).toBeVisible();
}

test('both warnings, then to the end, with the tiny BERT', async ({ webtune }) => {
  await runAsInTheArticle(webtune, { model: madeModel('tiny') }, 5);
});

test('both warnings, then to the end, with the real checkpoint', { tag: '@full' }, async ({ webtune }) => {
  test.setTimeout(50 * MINUTE);
  await runAsInTheArticle(webtune, {}, 45);
  // The learning rate never gets anywhere, and so the loss stays near that of a coin toss, whatever side of it the rows fall on.
  expect(Math.abs(((await webtune.read('evaluations')).at(-1)?.eval_loss ?? NaN) - Math.LN2)).toBeLessThan(0.08);
});
