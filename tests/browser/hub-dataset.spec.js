// Rows of a dataset of the Hub: read in pages, stopped, continued where they were stopped, and read from the store.

import { DataPage } from './data-page.js';
import { expect, test } from './fixtures.js';
import { RowsServer } from './rows-server.js';
import { QUICK } from './webtune.js';

const NAME = 'tests/reviews';
const CPU = { ...QUICK, device: 'cpu' };

const PRODUCTS = ['knife', 'blender', 'pan'];

/** @param {string} split @param {number} count */
const rows = (split, count) =>
  Array.from({ length: count }, (_, at) => ({
    text: `${split} review number ${at}`,
    label: at % 2,
    product: PRODUCTS[at % 3] ?? '',
  }));
const DATASET = {
  name: NAME,
  labels: ['bad', 'good'],
  // The first one is not the one that is read.
  configs: { 'all of them': { test: rows('test', 20), train: rows('train', 330) } },
};

test('an import that is stopped continues where it was, and then needs the Hub no more', async ({ webtune }) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  const server = await RowsServer.start(DATASET);
  webtune.server.allowHosts(server.address);
  webtune.allow(/a request that leaves the site: GET http:\/\/127\.0\.0\.1/, /Failed to load resource/);
  await webtune.open({ ...CPU, datasets: server.address });
  await data.choose('hub');
  await page.getByTestId('hub-dataset').fill(NAME);

  await test.step('Stop in the middle keeps the dataset', async () => {
    server.heldOffset = 200;
    await page.getByTestId('read-hub').click();
    await expect.poll(() => server.asked.some(({ query }) => query.offset === '200')).toBe(true);
    await expect(page.getByTestId('import-progress')).toBeVisible();
    await page.getByTestId('stop-import').click();
    await data.read();
    await expect(webtune.alert('dataset')).toHaveAttribute('data-code', 'stopped');
    await expect(page.getByTestId('use-import')).toBeHidden();
    expect((await webtune.read('dataset'))?.num_rows).toBe(100);
    expect(server.takeOffsets()).toEqual([0, 100, 200]);
  });

  await test.step('only the missing pages are asked for', async () => {
    server.heldOffset = null;
    await page.getByTestId('cancel-import').click();
    await data.readHub(NAME);
    expect(server.takeOffsets()).toEqual([200, 300]);
    await expect(page.getByTestId('import-rows')).toHaveText('330');
    await expect(page.getByTestId('import-config')).toHaveValue('all of them');
    await expect(page.getByTestId('import-split')).toHaveValue('train');
  });

  await test.step('the rows are read again from the store while the Hub is down, and used', async () => {
    server.unavailable = true;
    await data.change('label', '2');
    expect((await data.found())?.labels.map(({ name }) => name)).toEqual(['blender', 'knife', 'pan']);
    await data.change('label', '1');
    expect(server.takeOffsets()).toEqual([]);
    await expect(page.getByTestId('import-rows')).toHaveText('330');
    await data.use();
    await expect(page.getByTestId('dataset-name')).toHaveText(NAME);
    expect(await webtune.read('dataset')).toMatchObject({ source: 'hub', num_rows: 330, labels: ['bad', 'good'] });
    await expect(data.rows().first()).toContainText('train review number 0');
  });

  await test.step('a dataset that is not in the store names the reason', async () => {
    await data.readHub('tests/other', 10);
    await expect(webtune.alert('dataset')).toContainText('The server is down.');
    await data.cancel();
    server.unavailable = false;
    await data.readHub('tests/other', 10);
    await expect(webtune.alert('dataset')).toContainText('no dataset of this name');
    await data.cancel();
    await expect(page.getByTestId('dataset-rows')).toHaveText('330');
  });
  await server.close();
});
