// A table of 100 MB: it is read in pieces, with progress and Stop, and the main thread is never blocked meanwhile.

import { DataPage } from './data-page.js';
import { expect, test } from './fixtures.js';
import { block, contents, tasks, trace } from './tracing.js';
import { QUICK } from './webtune.js';

const LONGEST_MS = 200;
const MEGABYTE = 1_000_000;
const ROWS = 100_000;
/** 100 MB of 100,000 rows. */
const ROW_BYTES = 1000;
/** The texts, once, and what the worker needs beside them. A wasm memory never shrinks, so its size is its peak. */
const MOST_MEMORY = 300 * MEGABYTE;

test(`100 MB are read with progress, and no task of the main thread exceeds ${LONGEST_MS} ms`, async ({ webtune }) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  await webtune.open({ ...QUICK, device: 'cpu' }, 'counted');
  await data.choose('table');
  await webtune.idle();
  const bytes = await page.evaluate(makeTable, { rows: ROWS, rowBytes: ROW_BYTES });
  expect(bytes).toBeGreaterThanOrEqual(100 * MEGABYTE);

  const events = await trace(page, async () => {
    await test.step('Stop in the middle keeps the dataset', async () => {
      const progress = page.getByTestId('import-progress');
      const done = async () => Number(await progress.getAttribute('data-done'));
      await page.evaluate(chooseTable);
      await expect.poll(done).toBeGreaterThan(MEGABYTE);
      await expect(progress).toHaveAttribute('data-total', String(bytes));
      await page.getByTestId('stop-import').click();
      await data.read();
      await expect(webtune.alert('dataset')).toHaveAttribute('data-code', 'stopped');
      expect(await done()).toBeLessThan(bytes);
      await data.cancel();
      await expect(page.getByTestId('dataset-rows')).toHaveText('100');
    });

    await test.step('all of it is read and used', async () => {
      await page.evaluate(chooseTable);
      await expect(page.getByTestId('import-rows')).toHaveText('100,000', { timeout: 120_000 });
      expect(await data.found()).toMatchObject({ num_rows: ROWS, num_skipped: 0, bytes });
      await data.use();
      await expect(page.getByTestId('dataset-rows')).toHaveText('100,000', { timeout: 120_000 });
      await expect(data.rows().first()).toContainText('row 0 ');
      await webtune.lastPage('dataset');
      await expect(data.rows().last()).toContainText('row 99999 ');
    });
    await block(page, 20 * LONGEST_MS);
  });

  const [deliberate, ...others] = tasks(events);
  expect(deliberate?.milliseconds, 'the deliberate long task').toBeGreaterThan(LONGEST_MS);
  const tooLong = others.filter(({ milliseconds }) => milliseconds > LONGEST_MS);
  expect(tooLong.map((task) => contents(events, task))).toEqual([]);
  const [worker] = page.workers();
  const heap = await worker?.evaluate(() => /** @type {any} */ (globalThis).wasmBytes());
  console.log(`  heap ${(heap / MEGABYTE).toFixed(0)} MB`);
  expect(heap).toBeLessThan(MOST_MEMORY);
});

/**
 * Makes a table in the page, in pieces, so that neither the page nor the test holds it whole as text. Its texts are
 * words in a pseudo-random order: none is a near duplicate of another one.
 * @param {{rows: number, rowBytes: number}} size
 */
function makeTable({ rows, rowBytes }) {
  const words = 'this knife has been an amazing blender in my kitchen but nobody answered after two days'.split(' ');
  /** @type {Blob[]} */
  const blobs = [new Blob(['text,label\n'])];
  let seed = 1;
  for (let from = 0; from < rows; from += 1000) {
    let piece = '';
    for (let row = from; row < from + 1000; row += 1) {
      let text = `row ${row}`;
      while (text.length < rowBytes) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        text += ` ${words[seed >>> 28]}`;
      }
      piece += `${text},${row % 2 ? 'good' : 'bad'}\n`;
    }
    blobs.push(new Blob([piece]));
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
