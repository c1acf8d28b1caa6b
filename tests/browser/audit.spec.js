// The audit before training, with a remedy that is one click, and the baselines that training is compared with.

import { DataPage } from './data-page.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const CPU = { ...QUICK, device: 'cpu' };
const BASELINES = ['majority', 'tfidf', 'embeddings'];

/** One text has three labels, of which one is right, and each text of a class is another one. */
const CONFLICTING = [
  'text,label',
  ...Array.from({ length: 2 }, () => 'the blender works well,good'),
  'the blender works well,bad',
  'best knife I have ever owned,good',
  'an amazing addition to my kitchen,good',
  'I love it,good',
  'it broke after two days,bad',
  'nobody answered my emails,bad',
  'very disappointed with the purchase,bad',
  'I would not recommend it,bad',
].join('\n');

test('the problems of the article are named, and training is compared with the baselines', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_train_epochs: 1 });
  const finding = (/** @type {string} */ id) => page.locator(`#audit .finding[data-id="${id}"]`);

  await test.step('every test row is in the training part', async () => {
    await webtune.show('dataset');
    const duplicates = finding('duplicates_across_split');
    await expect(duplicates.locator('h3')).toContainText('20 of 20 test rows are also in the training part');
    await expect(duplicates.locator('.finding-rows > li').first()).toContainText('see row');
    // There are two texts, so that no split keeps them apart.
    await expect(duplicates.locator('.remedy')).toHaveCount(0);
    await expect(page.getByTestId('audit-badge')).toBeVisible();
  });

  await test.step('a learning rate of 1 is an error with a remedy', async () => {
    await expect(finding('learning_rate_absurd')).toHaveCount(0);
    await webtune.fill('learning_rate', '1');
    await webtune.show('dataset');
    await expect(finding('learning_rate_absurd')).toHaveAttribute('data-severity', 'error');
    await expect(page.getByTestId('audit-badge')).toHaveAttribute('data-severity', 'error');
    await page.getByTestId('remedy-learning_rate_absurd').click();
    await expect(finding('learning_rate_absurd')).toHaveCount(0);
    await expect(page.getByTestId('audit-undo')).toBeFocused();
    expect(Number(await webtune.field('learning_rate').inputValue())).toBeLessThan(0.01);
    await page.getByTestId('audit-undo').click();
    await expect(webtune.field('learning_rate')).toHaveValue('1');
    await expect(finding('learning_rate_absurd')).toBeVisible();
    await webtune.fill('learning_rate', CPU.learning_rate);
  });

  await test.step('the baselines are in the evaluation table and in the accuracy chart', async () => {
    await webtune.press('run-all');
    await webtune.succeeded();
    await webtune.show('evaluation');
    const rows = page.getByTestId('baselines').locator('tbody tr');
    if (await page.getByTestId('embed-baseline').isVisible()) await webtune.press('embed-baseline');
    await expect(rows).toHaveCount(4);
    expect(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-id')))).toEqual([
      ...BASELINES,
      'model',
    ]);
    // Each class has half of the rows, and the words tell two texts apart.
    await expect(rows.nth(0)).toHaveAttribute('data-accuracy', '0.5');
    await expect(rows.nth(1)).toHaveAttribute('data-accuracy', '1');
    await expect(rows.nth(2)).toHaveAttribute('data-accuracy', '1');

    await webtune.show('training');
    const chart = page.locator('#training figure.accuracy');
    await chart.locator('.u-over').hover();
    // The legend has the value of each line at the pointer, also where the run has no evaluation: the step, the model,
    // the validation rows, and the levels.
    await expect(chart.locator('.u-legend .u-value')).toHaveText(['1', '', '', '50%', '100%', '100%']);
    const table = page.getByTestId('accuracy-table');
    await table.locator('summary').click();
    await expect(table.locator('tbody td')).toHaveText(['50%', '100%', '100%', /%$/]);
  });
});

test('conflicting labels are repaired by a click, and the repair is undone', async ({ webtune }) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  await webtune.open(CPU);
  await data.paste(CONFLICTING);
  await data.use();
  const counts = async () => (await webtune.read('dataset'))?.label_counts;
  expect(await counts()).toEqual([5, 5]);
  const conflicting = page.locator('#audit .finding[data-id="conflicting_labels"]');
  await expect(conflicting).toContainText('the blender works well');
  await page.getByTestId('remedy-conflicting_labels').click();
  await expect(conflicting).toHaveCount(0);
  expect(await counts()).toEqual([4, 6]);
  await page.getByTestId('audit-undo').click();
  await expect(conflicting).toBeVisible();
  expect(await counts()).toEqual([5, 5]);
});
