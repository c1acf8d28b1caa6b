// A table of 100 MB: it is read in pieces, with progress and Stop, and the main thread is never blocked meanwhile.

import { DataPage } from './data-page.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const LONGEST_MS = 200;
const MEGABYTE = 1_000_000;
const ROWS = 100_000;
/** 100 MB of 100,000 rows. */
const ROW_BYTES = 1000;
/** What the worker may need beside the texts themselves and their vector while it grows. */
const MOST_MEMORY = 500 * MEGABYTE;

test(`100 MB are read with progress, and no task of the main thread exceeds ${LONGEST_MS} ms`, async ({ webtune }) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  await webtune.open({ ...QUICK, device: 'cpu' });
  await data.choose('table');
  await webtune.idle();
  const bytes = await page.evaluate(makeTable, { rows: ROWS, rowBytes: ROW_BYTES });
  expect(bytes).toBeGreaterThanOrEqual(ROWS * ROW_BYTES);
  await page.evaluate(watchTasks);

  await test.step('Stop in the middle keeps the dataset', async () => {
    await page.evaluate(chooseTable);
    const progress = page.getByTestId('import-progress');
    await expect.poll(async () => Number(await progress.getAttribute('data-done'))).toBeGreaterThan(MEGABYTE);
    await page.getByTestId('stop-import').click();
    await data.read();
    await expect(webtune.alert('dataset')).toHaveAttribute('data-code', 'stopped');
    await data.cancel();
    await expect(page.getByTestId('dataset-rows')).toHaveText('100');
  });

  await test.step('all of it is read and used', async () => {
    const before = await page.evaluate(seen);
    await page.evaluate(chooseTable);
    await expect(page.getByTestId('import-rows')).toHaveText('100,000', { timeout: 120_000 });
    expect(await data.found()).toMatchObject({ num_rows: ROWS, num_skipped: 0, bytes });
    const { done, total } = await page.evaluate(seen);
    expect(total).toBe(bytes);
    expect(done.length - before.done.length, 'reports of progress').toBeGreaterThan(5);
    await data.use();
    await expect(page.getByTestId('dataset-rows')).toHaveText('100,000');
    await expect(data.rows().first()).toContainText('row 0 ');
    await webtune.lastPage('dataset');
    await expect(data.rows().last()).toContainText('row 99999 ');
  });

  const { long, deliberate } = await page.evaluate(longTasks);
  expect(deliberate, 'the deliberate long task').toBeGreaterThan(LONGEST_MS);
  expect(long).toEqual([]);
});

/**
 * Makes a table of distinct rows in the page, in pieces, so that neither the page nor the test holds it whole as text.
 * @param {{rows: number, rowBytes: number}} size
 */
function makeTable({ rows, rowBytes }) {
  const pieces = ['text,label\n'];
  const filling = 'the best knife i have ever owned '.repeat(Math.ceil(rowBytes / 33));
  /** @type {Blob[]} */
  const blobs = [new Blob(pieces)];
  for (let from = 0; from < rows; from += 1000) {
    const lines = Array.from({ length: 1000 }, (_, at) => {
      const row = from + at;
      return `row ${row} ${filling}`.slice(0, rowBytes - 5).concat(row % 2 ? ',good\n' : ',bad \n');
    });
    blobs.push(new Blob(lines));
  }
  const file = new File(blobs, 'large.csv');
  Object.assign(window, { largeTable: file });
  return file.size;
}

/** Chooses the table in the file field, as the dialog of the browser does. */
function chooseTable() {
  const transfer = new DataTransfer();
  transfer.items.add(/** @type {any} */ (window).largeTable);
  const field = /** @type {HTMLInputElement} */ (document.querySelector('[data-testid="pick-table"]'));
  field.files = transfer.files;
  field.dispatchEvent(new Event('change'));
}
