// The whole job on the CPU device with the real checkpoint.

import { readFileSync } from 'node:fs';
import { expect, test } from './fixtures.js';
import { checkRecording, watchSentence } from './recorded-job.js';

const MINUTE = 60_000;
/** @type {Record<string, string>} */
const texts = JSON.parse(readFileSync(new URL('../../www/i18n/en.json', import.meta.url), 'utf8'));
const SENTENCE = texts['try.first_sentence'] ?? '';

test('the recommended preset reaches 100 % test accuracy with the real checkpoint', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ device: 'cpu' });
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  await expect(page.getByTestId('device-notice')).toContainText('slower than on a GPU');
  await expect(page.getByTestId('preset-recommended')).toHaveAttribute('aria-pressed', 'true');

  await watchSentence(webtune, SENTENCE);
  await webtune.press('run-all', 9 * MINUTE);
  await webtune.succeeded();
  expect(await webtune.step()).toBe(30);
  await expect(page.getByTestId('eval-accuracy')).toHaveText('100%');
  await expect(page.getByTestId('confusion').locator('td.right')).toHaveText(['10', '10']);
  await expect(page.getByTestId('confusion').locator('td.wrong')).toHaveText(['0', '0']);
  const losses = (await webtune.read('evaluations')).map(({ eval_loss }) => eval_loss);
  expect(losses).toEqual([...losses].sort((a, b) => b - a));

  await test.step('the recorded run of the page has the numbers of this run', () => checkRecording(webtune, SENTENCE));
  await test.step('sentences are classified with the untrained and the trained model', async () => {
    const classify = async (/** @type {string} */ sentence) => {
      await webtune.classify(sentence);
      const [before, after] = [await webtune.probabilities('try-before'), await webtune.probabilities('try-after')];
      // The new classifier has small random weights, so the untrained probabilities are near 0.5.
      for (const probability of before) expect(Math.abs(probability - 0.5), sentence).toBeLessThan(0.05);
      return { negative: after[0] ?? NaN, positive: after[1] ?? NaN };
    };
    expect((await classify('This product has been an amazing addition to my kitchen.')).positive).toBeGreaterThan(0.75);
    // These two are not in the dataset.
    expect((await classify('Not what I had hoped for.')).negative).toBeGreaterThan(0.6);
    expect((await classify('The best knife I have ever owned!')).positive).toBeGreaterThan(0.5);
  });
  await test.step('the summary has the names of the metrics of the Trainer', async () => {
    const summary = page.getByTestId('summary');
    for (const name of ['train_loss', 'train_runtime', 'train_samples_per_second', 'train_steps_per_second']) {
      expect(Number(await summary.locator(`[data-name="${name}"]`).getAttribute('data-value')), name).toBeGreaterThan(
        0,
      );
    }
    await expect(summary.locator('[data-name="global_step"]')).toHaveAttribute('data-value', '30');
    await expect(summary.locator('[data-name="epoch"]')).toHaveAttribute('data-value', '3');
  });
});
