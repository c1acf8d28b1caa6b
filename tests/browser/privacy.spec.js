// A session on the visitor's own data sends nothing anywhere, and no text of the data is taken for anything else.

import { readFile } from 'node:fs/promises';
import { DataPage } from './data-page.js';
import { expect, test as base } from './fixtures.js';
import { FORMULA, HOSTILE, MARKUP, expectNoMarkup, watch } from './hostile.js';
import { RecordingProxy } from './recording-proxy.js';
import { HOME } from './server.js';
import { QUICK } from './webtune.js';
import { unzip } from './zip.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

/** @import {Fixtures, PlaywrightTestOptions} from '@playwright/test' */
/** @typedef {{running: import('./server.js').TestServer}} Running */

/** @type {Fixtures<{network: RecordingProxy}, {}, Pick<PlaywrightTestOptions, 'proxy'>, Running>} */
const withProxy = {
  network: async ({ running }, use) => {
    const network = await RecordingProxy.start(new URL(running.origin).host);
    await use(network);
    await network.close();
  },
  proxy: async ({ network }, use) => use({ server: network.address }),
};
const test = base.extend(withProxy);

const VIEWS = /** @type {const} */ ([
  'overview',
  'dataset',
  'split',
  'model',
  'tokens',
  'training',
  'evaluation',
  'try',
  'export',
]);
/**
 * What the browser asks by itself: Chromium's autofill, for the kinds of a form's fields by hashes of their names
 * (https://chromium.googlesource.com/chromium/src/+/main/components/autofill/core/browser/crowdsourcing/). It has
 * nothing that a visitor types.
 */
const BY_THE_BROWSER = 'connect://content-autofill.googleapis.com:443';
const FILE = `${MARKUP}.csv`;

/** The texts as a table, each twice with something that tells the rows apart. */
function table() {
  const quoted = (/** @type {string} */ cell) => `"${cell.replaceAll('"', '""')}"`;
  const rows = HOSTILE.flatMap((text, at) => [
    [text, at % 2 ? MARKUP : FORMULA],
    [`${text} again, number ${at}`, at % 2 ? FORMULA : MARKUP],
  ]);
  return ['"text","label"', ...rows.map((row) => row.map(quoted).join(','))].join('\n');
}

/** The cells of a table in CSV, without their quotes. @param {string} csv */
const cellsOf = (csv) =>
  [...csv.matchAll(/(?:^\ufeff?|,|\r\n)(?:"((?:[^"]|"")*)"|([^,\r\n]*))/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  );

/** Shows every view and looks at each. @param {Webtune} webtune */
async function lookAround(webtune) {
  for (const view of VIEWS) {
    await webtune.show(view);
    await expectNoMarkup(webtune.page);
  }
}

test('import, training, evaluation, export and continuing send nothing, and no text becomes an element', async ({
  webtune,
  server,
  network,
}) => {
  const { page } = webtune;
  const data = new DataPage(webtune);
  const found = await watch(page);
  await webtune.openBare({ ...QUICK, device: 'cpu', threads: 2, max_steps: 4 });
  await webtune.complete();

  await test.step('import', async () => {
    await data.pick({ name: FILE, buffer: Buffer.from(table()), mimeType: 'text/csv' });
    await expect(page.getByTestId('import-name')).toHaveText(FILE);
    await expectNoMarkup(page);
    await data.use({ leaveOut: await page.getByTestId('leave-out').isVisible() });
    await expect(page.getByTestId('dataset-name')).toHaveText(FILE);
    expect((await webtune.read('dataset'))?.labels).toEqual([MARKUP, FORMULA].sort());
    await data.search('<script', 2 * HOSTILE.filter((text) => text.includes('<script')).length);
    await expect(data.rows().filter({ hasText: '<script>pwned()</script>' }).first()).toBeVisible();
    await expectNoMarkup(page);
    await data.search('', 0);
  });

  await test.step('train and evaluate', async () => {
    await webtune.press('run-all');
    await webtune.succeeded();
    for (const text of HOSTILE.slice(0, 4)) await webtune.classify(text);
    await lookAround(webtune);
    await webtune.speak('ko');
    await lookAround(webtune);
    await webtune.speak('en');
  });

  await test.step('download the rows: no cell of the table is a formula', async () => {
    await webtune.show('dataset');
    const csv = (await data.download('csv')).bytes.toString();
    const cells = cellsOf(csv);
    expect(cells).toEqual(expect.arrayContaining(["'@SUM(1+1)*2", `'${FORMULA}`, MARKUP]));
    expect(cells.filter((cell) => /^[=+@\t\r-]/.test(cell))).toEqual([]);
    const lines = (await data.download('jsonl')).bytes.toString().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).text)).toEqual(expect.arrayContaining(['@SUM(1+1)*2', FORMULA]));
  });

  const archive = await test.step('export', async () => {
    await webtune.show('export');
    const demo = page.getByTestId('export-part-demo');
    if (await demo.isEnabled()) await demo.uncheck();
    const saving = page.waitForEvent('download');
    await webtune.click('export');
    const download = await saving;
    const zip = await readFile(await download.path());
    const config = JSON.parse(unzip(zip).get('config.json')?.toString() ?? '');
    expect(Object.values(config.id2label).sort()).toEqual([MARKUP, FORMULA].sort());
    await expectNoMarkup(page);
    return { name: `${MARKUP}.zip`, mimeType: 'application/zip', buffer: zip };
  });

  await test.step('continue from the export', async () => {
    await webtune.show('model');
    await page.getByTestId('pick-zip').setInputFiles(archive);
    await webtune.idle();
    await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
    await webtune.press('run-all');
    await webtune.succeeded();
    await lookAround(webtune);
  });

  expect(found).toEqual([]);
  await test.step('every request is a GET of a file of the site, without a body, cookie or referrer', async () => {
    const site = server.origin + HOME;
    const sent = network.sent.filter(({ url }) => url !== BY_THE_BROWSER);
    for (const { method, url, ...rest } of sent) {
      expect([method, url.startsWith(site), url]).toEqual(['GET', true, url]);
      expect(rest, url).toEqual({ body: false, referer: undefined, cookie: undefined });
    }
    // The proxy has seen all of them: those of the page, of the worker and of its threads.
    const paths = sent.map(({ url }) => decodeURIComponent(new URL(url).pathname));
    expect(paths.toSorted()).toEqual(server.requests.toSorted());
    for (const file of ['/main.js', '/worker.js', '.wasm', '/cpu-thread.js', '/model.safetensors'])
      expect(
        paths.some((path) => path.endsWith(file)),
        file,
      ).toBe(true);
    const queries = sent.flatMap(({ url }) => (/\?/.test(url) ? [url] : []));
    expect(
      queries.every((url) => url.startsWith(server.site())),
      'settings are in the address of the page only',
    ).toBe(true);
  });
});

test('the recorder sees what a page and its worker send, and the policy refuses it', async ({ webtune, network }) => {
  const { page } = webtune;
  webtune.allow(/Content Security Policy|Failed to load|Fetch API cannot load|a request that leaves the site/);
  await webtune.open({ ...QUICK, device: 'cpu' });
  const elsewhere = 'http://elsewhere.invalid/';
  const asks = async (/** @type {string} */ url) => {
    const refused = await fetch(url, { mode: 'no-cors' }).then(
      () => 'sent',
      () => 'refused',
    );
    return refused;
  };
  expect(await page.evaluate(asks, elsewhere)).toBe('refused');
  const worker = page.workers().find((one) => one.url().endsWith('/www/worker.js'));
  expect(await worker?.evaluate(asks, elsewhere)).toBe('refused');
  await page.evaluate((url) => navigator.sendBeacon(url, 'text'), elsewhere);
  const arrived = () => network.sent.filter(({ url }) => url === elsewhere).length;
  expect(arrived()).toBe(0);
  // From an empty page, which has no policy, the same request arrives.
  const bare = await page.context().newPage();
  expect(await bare.evaluate(asks, elsewhere)).toBe('sent');
  expect(arrived()).toBe(1);
});
