// The page's work on the CPU device in Chromium, Firefox and WebKitGTK: the default job, the export, both languages, a
// stored model, a table of the visitor, and the control of a run. The losses are equal to the last digit.
//
// CHROME and FIREFOX name the browsers; WebKitWebDriver is on the PATH. WEBTUNE_DIST is the built site.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HubServer } from '../browser/hub-server.js';
import { TestServer } from '../browser/server.js';
import { files, tinyBert } from '../browser/tiny-bert.js';
import { unzip } from '../browser/zip.js';
import { ENGINES, HAS_WEBKIT, start } from './engines.js';
import { Page, saved } from './page.js';
import { webkit } from './webkit.js';

const MODEL = 'someone/tiny';
const WEIGHTS = 'model.safetensors';
const TABLE = [
  'text,verdict',
  ...Array.from({ length: 12 }, (_, row) => `the blender ${row},${row % 2 ? 'good' : 'bad'}`),
];

/** What the browsers differ in, as measured. Another result is a reason to change docs/browsers.md. */
const DEVICES = /** @type {Record<string, RegExp>} */ ({
  Chromium: /relaxed SIMD, \d+ threads/,
  Firefox: /relaxed SIMD, \d+ threads/,
  WebKit: /WebAssembly SIMD, one thread/,
});
/** Browsers with a fused multiply-add. */
const RELAXED = ['Chromium', 'Firefox'];
/** Browsers with a private file system, in which downloaded models are stored. */
const STORES = ['Chromium', 'Firefox'];

/**
 * Files that are broken, what arrives instead, and the problem that boot.js names.
 * @type {[string, string|null, string][]}
 */
const BROKEN = [
  ['/www/dom.js', null, 'script'],
  ['/www/dom.js', "throw new RangeError('invalid language tag');", 'failed'],
  ['/www/dom.js', 'export const = 1;', 'failed'],
  ['/i18n/en.json', null, 'failed'],
];

/** Loss and gradient norm of each step of the default job, by browser. @type {Map<string, [number, number][]>} */
const losses = new Map();
/** @type {TestServer} */
let server;
/** @type {HubServer} */
let hub;

before(async () => {
  server = await TestServer.start();
  hub = await HubServer.start();
  server.allowHosts(hub.endpoint, hub.storage);
  if (!HAS_WEBKIT) console.log('WebKitGTK has no build for this system: its tests are left out.');
});
after(() => Promise.all([server.close(), hub.close()]));

for (const [name, launch] of Object.entries(ENGINES))
  describe(name, () => {
    /** @type {Awaited<ReturnType<typeof start>>} */
    let browser;
    /** @type {Page} */
    let page;
    before(async () => {
      browser = await start(launch);
      console.log(browser.driver.version);
      page = new Page(browser.driver, server.site());
    });
    after(() => browser?.close());

    test('a script or a text that is missing or fails leaves a sentence', async () => {
      // The browser keeps a file that has arrived, so each case is before the first good answer for its file.
      for (const [file, script, problem] of BROKEN) {
        server.replaced.set(file, script);
        await browser.driver.open(server.site());
        await page.until(`${file} is named`, () => document.querySelector('#boot') !== null);
        assert.match(await page.text(`#boot[data-problem=${problem}]`), /so the page cannot start/);
        server.replaced.clear();
      }
    });

    test('the default job', async () => {
      await page.open();
      assert.match(await page.text('[data-testid=device-name]'), DEVICES[name] ?? /./);
      await page.press('run-all');
      await page.idle();
      const found = await page.losses();
      assert.equal(found.length, 32);
      losses.set(name, found);
    });

    test('the export is a file with the trained model', async () => {
      await page.show('export');
      await page.until('there is a model to export', () => {
        const { exportPlan } = /** @type {any} */ (window).__webtune.store.state;
        return exportPlan !== null;
      });
      await page.press('export');
      await page.until('the archive is made', () => {
        const { kind, error } = /** @type {any} */ (window).__webtune.store.state.archive;
        if (error) throw new Error(error.message);
        return kind === 'done';
      });
      const archive = await page.read('archive');
      assert.equal(archive.kind, 'done');
      const { content } = await saved(browser.downloads, archive.exported.bytes);
      assert.ok((unzip(content).get(WEIGHTS)?.length ?? 0) > 80e6);
    });

    test('Korean', async () => {
      await page.speak('ko');
      assert.equal(await page.text('#training-title'), '학습');
      await page.speak('en');
      assert.equal(await page.text('#training-title'), 'Training');
    });

    test('a model of the Hub is stored where the browser can', async () => {
      hub.offer(MODEL, files(tinyBert()));
      hub.asked.length = 0;
      for (const visit of [1, 2]) {
        await page.open({ model: MODEL, endpoint: hub.endpoint, learning_rate: '0.001', num_train_epochs: 1000 });
        await page.show('model');
        await page.press('run-model');
        await page.idle();
        const downloads = STORES.includes(name) ? 1 : visit;
        assert.equal(hub.bytesOf(WEIGHTS).length, downloads, `downloads after visit ${visit}`);
      }
    });

    test('a table of the disk becomes the dataset', async () => {
      const table = join(browser.downloads, 'verdicts.csv');
      await writeFile(table, TABLE.join('\n'));
      await page.show('dataset');
      await page.press('source-table');
      await page.pick('pick-table', table);
      await page.until('the table is read', () => {
        const { pendingImport, refused } = /** @type {any} */ (window).__webtune.store.state;
        if (refused) throw new Error(refused.message);
        return pendingImport?.view !== null && pendingImport !== null;
      });
      await page.press('use-import');
      await page.until(
        'the table is the dataset',
        () => document.querySelector('[data-testid=dataset-rows]')?.textContent === '12',
      );
      assert.deepEqual((await page.read('dataset'))?.labels, ['bad', 'good']);
    });

    test('a run pauses, resumes and stops', async () => {
      await page.press('run-all');
      await page.stepped(3);
      await page.press('pause');
      await page.until('the run is paused', () =>
        /Paused/.test(document.querySelector('[data-testid=now]')?.textContent ?? ''),
      );
      const paused = await page.step();
      await page.press('resume');
      await page.stepped(paused + 3);
      await page.press('stop');
      await page.idle();
      const run = await page.read('run');
      assert.equal(run.kind, 'done');
      assert.ok(run.result.stopped && run.result.global_step >= paused + 3);
    });
  });

test('every browser has the losses and gradient norms of Chromium, to the last digit', async () => {
  // A fused multiply-add rounds once, so a browser without relaxed SIMD is compared with Chromium without it.
  const browser = await start(ENGINES.Chromium);
  try {
    const page = new Page(browser.driver, server.site('no-relaxed-simd'));
    await page.open();
    assert.match(await page.text('[data-testid=device-name]'), /WebAssembly SIMD/);
    await page.press('run-all');
    await page.idle();
    const withoutRelaxed = await page.losses();
    for (const [name, found] of losses)
      assert.deepEqual(found, RELAXED.includes(name) ? losses.get('Chromium') : withoutRelaxed, name);
  } finally {
    await browser.close();
  }
});

/** As Safari: shared buffers, which WebKitGTK turns on for its developers only. And a language that is no locale. */
const LIKE_SAFARI = { JSC_useSharedArrayBuffer: '1', LC_ALL: 'C.UTF-8' };

if (HAS_WEBKIT)
  test('WebKit with shared buffers has threads, and charts under the locale C', async () => {
    const browser = await start((places) => webkit(places, LIKE_SAFARI));
    try {
      const page = new Page(browser.driver, server.site());
      await page.open({ threads: 2, max_steps: 1 });
      assert.deepEqual(await browser.driver.evaluate(() => navigator.language), 'C');
      assert.match(await page.text('[data-testid=device-name]'), /WebAssembly SIMD, 2 threads/);
      await page.press('run-all');
      await page.idle();
      assert.deepEqual((await page.losses())[0], losses.get('WebKit')?.[0]);
      await page.show('training');
      await page.until('a chart is drawn', () => document.querySelector('#training .uplot canvas') !== null);
    } finally {
      await browser.close();
    }
  });
