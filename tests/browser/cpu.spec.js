// The whole job on the CPU device with the real checkpoint.

import { readFileSync } from 'node:fs';
import { expect, test } from './fixtures.js';
import { checkRecording, watchSentence } from './recorded-job.js';

const MINUTE = 60_000;
/** @type {Record<string, string>} */
const texts = JSON.parse(readFileSync(new URL('../../www/i18n/en.json', import.meta.url), 'utf8'));
const SENTENCE = texts['try.first_sentence'] ?? '';

/** The page's example sentences and their labels, the neutral one aside. */
const EXAMPLES = /** @type {const} */ ([
  ['try.first_sentence', 'positive'],
  ['try.example_2', 'negative'],
  ['try.example_3', 'positive'],
  ['try.example_4', 'negative'],
]);

test('the button of the start page trains a classifier that is sure of the example sentences', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.openBare({ device: 'cpu' });
  await expect(page.getByTestId('device-name')).toContainText('CPU');
  await expect(page.getByTestId('device-notice')).toContainText('slower than on a GPU');
  await expect(page.getByTestId('preset-recommended')).toHaveAttribute('aria-pressed', 'true');

  await watchSentence(webtune, SENTENCE);
  await webtune.press('run-all', 9 * MINUTE);
  await webtune.succeeded();
  expect(await webtune.step()).toBe(32);
  const accuracies = (await webtune.read('evaluations')).map(({ eval_accuracy }) => eval_accuracy);
  // 32 test rows: a TF-IDF baseline is right in about two of three.
  expect(accuracies.at(-1)).toBeGreaterThanOrEqual(0.8);

  await test.step('the recorded run of the page has the numbers of this run', () => checkRecording(webtune, SENTENCE));
  await test.step('sentences are classified with the untrained and the trained model', async () => {
    for (const [key, label] of EXAMPLES) {
      const sentence = texts[key] ?? '';
      await webtune.classify(sentence);
      const [before, after] = [await webtune.probabilities('try-before'), await webtune.probabilities('try-after')];
      // The new classifier has small random weights, so the untrained probabilities are near 0.5.
      for (const probability of before) expect(Math.abs(probability - 0.5), sentence).toBeLessThan(0.05);
      expect(after[label === 'positive' ? 1 : 0], sentence).toBeGreaterThanOrEqual(0.9);
    }
  });
  await test.step('the summary has the names of the metrics of the Trainer', async () => {
    const summary = page.getByTestId('summary');
    for (const name of ['train_loss', 'train_runtime', 'train_samples_per_second', 'train_steps_per_second']) {
      expect(Number(await summary.locator(`[data-name="${name}"]`).getAttribute('data-value')), name).toBeGreaterThan(
        0,
      );
    }
    await expect(summary.locator('[data-name="global_step"]')).toHaveAttribute('data-value', '32');
    await expect(summary.locator('[data-name="epoch"]')).toHaveAttribute('data-value', '2');
  });
});
