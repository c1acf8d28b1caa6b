// Answers of a Hub are shown as they are, and nothing in them is taken for anything else.

import { DataPage } from './data-page.js';
import { FORMULA, HOSTILE, MARKUP, expectNoMarkup, watch } from './hostile.js';
import { expect, test } from './hub-fixtures.js';
import { RowsServer } from './rows-server.js';
import { files, tinyBert } from './tiny-bert.js';
import { QUICK } from './webtune.js';

const CPU = { ...QUICK, device: 'cpu' };

test('a licence, labels and errors of a model of the Hub are text', async ({ webtune, hub }) => {
  const { page } = webtune;
  webtune.allow(/Failed to load resource/);
  const found = await watch(page);
  const bert = tinyBert();
  const config = { ...bert.config, id2label: { 0: MARKUP, 1: FORMULA }, label2id: { [MARKUP]: 0, [FORMULA]: 1 } };
  hub.offer('tests/hostile', files({ ...bert, config }), { license: MARKUP });
  hub.offer('tests/broken', {
    ...files(bert),
    'config.json': Buffer.from(`{"model_type": ${JSON.stringify(MARKUP)}}`),
  });
  await webtune.openBare({ ...CPU, endpoint: hub.endpoint, model: 'tests/hostile' });
  await webtune.press('run-model');
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
  await expect(page.locator('#model')).toContainText(MARKUP);
  await expectNoMarkup(page);

  await page.goto(page.url().replace('hostile', 'broken'));
  await webtune.opened();
  await webtune.press('run-model');
  await expect(webtune.alert('model')).toContainText(MARKUP);
  await expectNoMarkup(page);
  expect(found).toEqual([]);
});

test('names, rows and errors of a dataset of the Hub are text', async ({ webtune, server }) => {
  const { page } = webtune;
  webtune.allow(/Failed to load resource/, /a request that leaves the site: GET http:\/\/127\.0\.0\.1/);
  const found = await watch(page);
  const rows = HOSTILE.map((text, at) => ({ text, label: at % 2, product: text }));
  const configs = { [MARKUP]: { [FORMULA]: rows } };
  const hub = await RowsServer.start({ name: 'tests/hostile', labels: [MARKUP, FORMULA], configs });
  server.allowHosts(hub.address);
  const data = new DataPage(webtune);
  await webtune.openBare({ ...CPU, datasets: hub.address });

  hub.unavailable = true;
  hub.reason = MARKUP;
  await data.readHub('tests/hostile');
  await expect(webtune.alert('dataset')).toContainText(MARKUP);
  await expectNoMarkup(page);
  await data.cancel();

  hub.unavailable = false;
  await data.readHub('tests/hostile');
  await expect(page.getByTestId('import-config')).toHaveValue(MARKUP);
  await expectNoMarkup(page);
  await data.use({ leaveOut: await page.getByTestId('leave-out').isVisible() });
  await expect(data.rows().first()).toContainText(MARKUP);
  await expectNoMarkup(page);
  expect(found).toEqual([]);
  await hub.close();
});
