// A checkpoint with a classifier of its own, and an archive with two models.

import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

/** The softmax of 1.5 and -0.5. */
const OWN = [0.880797, 0.119203];
const TWO_MODELS = 'tests/fixtures/models/n05_zip_two_models/two.zip';

/** @param {number[]} found @param {number[]} expected */
function expectClose(found, expected) {
  expect(found.length).toBe(expected.length);
  for (const [at, value] of expected.entries()) expect(found[at]).toBeCloseTo(value, 4);
}

const OWN_HEAD = { ...QUICK, device: 'cpu', model: madeModel('own-head'), num_train_epochs: 1 };

test('a head with the labels of the dataset is put into their order and trained on', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(OWN_HEAD);
  await webtune.press('run-model');
  await expect(page.locator('[data-code=head_reordered]')).toContainText('POSITIVE, NEGATIVE');
  await webtune.classify('How well it works!');
  await expect(page.getByTestId('try-before')).toContainText(/Negative[^]*Positive/i);
  expectClose(await webtune.probabilities('try-before'), [...OWN].reverse());
  // Training starts from it: the first loss is the mean of its losses of 8 rows, 0.127 of a positive one and 2.127 of a
  // negative one.
  await webtune.press('run-all');
  await webtune.succeeded();
  const [first] = await webtune.logs();
  const negative = ((first?.loss ?? NaN) + Math.log(OWN[0] ?? NaN)) / (2 / 8);
  expect(negative).toBeCloseTo(Math.round(negative), 3);
});

test('a head with other labels than the dataset answers under its own until a run', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...OWN_HEAD, toy_dataset: 'reviews', toy_classes: 5, max_steps: 2 });
  await webtune.press('run-model');
  await expect(page.locator('[data-code=head_replaced]')).toContainText('POSITIVE, NEGATIVE');
  await webtune.classify('How well it works!');
  await expect(page.getByTestId('try-before')).toContainText(/POSITIVE[^]*NEGATIVE/);
  expectClose(await webtune.probabilities('try-before'), OWN);
  await webtune.press('run-all');
  await webtune.succeeded();
  await webtune.classify('It works.');
  expect((await webtune.probabilities('try-after')).length).toBe(5);
});

test('of two models in an archive the visitor chooses one', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu' });
  await webtune.show('model');
  await page.getByTestId('pick-zip').setInputFiles(TWO_MODELS);
  const question = page.getByTestId('which-model');
  await expect(question.getByRole('button')).toHaveText(['runs/first-run', 'runs/second-run']);
  await question.getByRole('button', { name: 'runs/second-run' }).click();
  await webtune.idle();
  await expect(question).toHaveCount(0);
  await expect(page.locator('#model .figures')).toContainText('second-run');
});
