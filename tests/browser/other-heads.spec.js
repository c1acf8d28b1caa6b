// A checkpoint as the Hub has them: old names of LayerNorm, a language model's head, a classifier of other labels. It trains, and the page
// says what it left out.

import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

test('heads of other tasks are left out with a notice, and old names are known', async ({ webtune }) => {
  await webtune.open({ ...QUICK, device: 'cpu', model: madeModel('other-heads'), num_train_epochs: 1 });
  await webtune.press('run-all');
  await webtune.succeeded();
  const notice = webtune.page.getByTestId('dropped');
  await expect(notice).toContainText('(3)');
  for (const name of ['cls.predictions.transform.dense.weight', 'classifier.weight', 'classifier.bias'])
    await expect(notice).toContainText(name);
});
