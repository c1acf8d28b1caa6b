// A checkpoint like those of the Hub: old LayerNorm names, a masked language model head, a classifier of other labels.
// It trains, and the page lists the ignored tensors.

import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

test('heads of other tasks are ignored with a notice, and old LayerNorm names load', async ({ webtune }) => {
  await webtune.open({ ...QUICK, device: 'cpu', model: madeModel('other-heads'), num_train_epochs: 1 });
  await webtune.press('run-all');
  await webtune.succeeded();
  const notice = webtune.page.locator('[data-code=skipped_tensors]');
  await expect(notice).toContainText('(3)');
  for (const name of ['cls.predictions.transform', 'classifier.weight', 'classifier.bias'])
    await expect(notice).toContainText(name);
});

test('a checkpoint without a pooler trains with a new one, which the page names', async ({ webtune }) => {
  await webtune.open({ ...QUICK, device: 'cpu', model: madeModel('no-pooler'), num_train_epochs: 1 });
  await webtune.press('run-all');
  await webtune.succeeded();
  await expect(webtune.page.locator('[data-code=new_pooler]')).toContainText('bert.pooler.dense');
  await webtune.open({ ...QUICK, device: 'cpu', model: madeModel('tiny') });
  await webtune.press('run-model');
  await expect(webtune.page.locator('[data-code=new_pooler]')).toHaveCount(0);
});
