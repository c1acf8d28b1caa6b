// A corpus of 3,003 real reviews of products, films and restaurants is imported, audited, trained on and evaluated with
// the real checkpoint. The corpus is in the test data of a package and is not kept in the repository.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataPage } from './data-page.js';
import { expect, test } from './fixtures.js';

const MINUTE = 60_000;
const FIXTURES = fileURLToPath(new URL('../../node_modules/sentiment/test/fixtures/', import.meta.url));
/** @type {{text: string, class: number}[]} */
const CORPUS = ['amazon', 'imdb', 'yelp'].flatMap((name) =>
  JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')),
);

/** 192 rows are trained on, and 60 are evaluated. */
const SAMPLE = { max_steps: 12, per_device_train_batch_size: 16, test_size: '0.02', per_device_eval_batch_size: 16 };

test('a corpus of 3,003 reviews is imported, audited, trained on and evaluated', async ({ webtune }) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  expect(CORPUS).toHaveLength(3003);
  await webtune.openBare({ device: 'cpu', ...SAMPLE });

  await test.step('it is imported without its three empty rows', async () => {
    await data.pick({ name: 'reviews.json', buffer: Buffer.from(JSON.stringify(CORPUS)) });
    expect(await data.found()).toMatchObject({
      detected: { format: 'json', columns: ['text', 'class'], text: [0], label: 1 },
      num_rows: 3000,
      num_skipped: 3,
      labels: [
        { name: '0', count: 1500 },
        { name: '1', count: 1500 },
      ],
    });
    await data.use({ leaveOut: true });
  });

  await test.step('the audit finds its repeated reviews', async () => {
    const duplicates = page.locator('#audit .finding[data-id="duplicates"]');
    await expect(duplicates).toBeVisible();
    expect(await duplicates.locator('.finding-rows > li').count()).toBeGreaterThan(0);
  });

  await test.step('a model that is trained on a sample is compared with the baselines', async () => {
    await webtune.press('run-all', 5 * MINUTE);
    await webtune.succeeded();
    await webtune.show('evaluation');
    const rows = page.getByTestId('baselines').locator('tbody tr');
    await expect(rows).toHaveCount(3);
    const accuracy = async (/** @type {string} */ id) =>
      Number(await page.getByTestId('baselines').locator(`tr[data-id="${id}"]`).getAttribute('data-accuracy'));
    expect(await accuracy('majority')).toBe(0.5);
    expect(await accuracy('tfidf')).toBeGreaterThan(0.7);
    expect(await accuracy('model')).toBeGreaterThan(0.6);
    await expect(page.getByTestId('gain')).toBeVisible();
    const losses = (await webtune.logs()).map(({ loss }) => loss);
    expect(losses).toHaveLength(SAMPLE.max_steps);
  });
});
