// ONNX: onnxruntime and transformers.js open an exported folder and give the page's probabilities, and so does its demo
// page in a browser.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { close, listen, originOf, staticFiles } from '../../xtask/server.js';
import { expect, test } from './fixtures.js';
import { MODEL_FILES, difference, fromOnnxruntime, fromPipeline, labelOf, softmax } from './onnx.js';
import { QUICK } from './webtune.js';
import { unzip } from './zip.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */
/** @typedef {import('./onnx.js').Precision} Precision */
/** @typedef {import('@playwright/test').Page} Page */

const MINUTE = 60_000;
const PARTS = ['onnx', 'onnx_fp16', 'onnx_quantized', 'demo', 'scripts'];
const TEXTS = [
  'What an amazing blender, I love it!',
  'I am very disappointed with the purchase.',
  'It works.',
  'This one would not do, and nobody answered: it broke after two days in my kitchen!',
  '?',
];
/** How far probabilities may be from the page's. */
const TOLERANCE = { fp32: 1e-5, fp16: 1e-3 };

/**
 * Exports the trained model with the ONNX parts and unpacks the archive.
 * @param {Webtune} webtune
 * @param {string} folder
 */
async function exportInto(webtune, folder) {
  const { page } = webtune;
  await webtune.show('export');
  for (const part of PARTS) await page.getByTestId(`export-part-${part}`).check();
  const saving = page.waitForEvent('download', { timeout: 5 * MINUTE });
  await webtune.click('export');
  const files = unzip(await readFile(await (await saving).path()));
  for (const [name, bytes] of files) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
  return [...files.keys()];
}

/** The browser's dialog for a file cannot be answered here: the archive is a download. @param {Page} page */
const withoutFileDialog = (page) => page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));

/** The trained model's probabilities of each text. @param {Webtune} webtune @param {string[]} texts */
function fromPage({ page }, texts) {
  return page.evaluate(async (sentences) => {
    const { session } = /** @type {any} */ (window).__webtune;
    /** @type {number[][]} */
    const probabilities = [];
    for (const text of sentences) probabilities.push((await session.request({ type: 'predict', text })).after);
    return probabilities;
  }, texts);
}

/**
 * Serves a folder and nothing else while `use` runs.
 * @param {string} folder
 * @param {(origin: string) => Promise<void>} use
 */
async function served(folder, use) {
  const files = staticFiles([{ address: '', source: folder }], { live: true });
  const server = createServer((request, response) =>
    files(request, response, () => void response.writeHead(404).end('not found\n')),
  );
  await listen(server);
  try {
    await use(originOf(server));
  } finally {
    await close(server);
  }
}

/**
 * Opens the demo page and classifies a sentence; every request must stay on its server.
 * @param {Page} page
 * @param {string} origin
 * @param {string} text
 */
async function fromDemo(page, origin, text) {
  /** @type {string[]} */
  const strays = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !/^(data|blob):/.test(request.url())) strays.push(request.url());
  });
  await page.goto(`${origin}/demo/`);
  await expect(page.locator('#form')).toBeVisible({ timeout: MINUTE });
  await page.locator('#text').fill(text);
  await page.locator('button').click();
  const rows = page.locator('#results li');
  await expect(rows.first()).toBeVisible();
  const results = await rows.evaluateAll((all) =>
    all.map((row) => ({
      label: row.querySelector('span')?.textContent ?? '',
      score: Number(row.querySelector('output')?.dataset['score']),
    })),
  );
  expect(strays).toEqual([]);
  return { results, about: (await page.locator('#about').textContent()) ?? '' };
}

/** Each device and each pooling. */
const CASES = /** @type {const} */ ([
  ['webgpu', 'cls'],
  ['cpu', 'mean'],
]);
for (const [device, pooling] of CASES) {
  test(`an exported ONNX model gives the page's probabilities in Node (${device}, ${pooling})`, async ({
    webtune,
  }, info) => {
    await withoutFileDialog(webtune.page);
    await webtune.open({ ...QUICK, device, max_steps: 12, classifier_pooling: pooling });
    await webtune.press('run-all');
    await webtune.succeeded();
    const expected = await fromPage(webtune, TEXTS);
    // The texts are told apart, so that equal probabilities mean something.
    expect(new Set(expected.map((row) => row[0])).size).toBe(TEXTS.length);
    const folder = info.outputPath('model');
    await exportInto(webtune, folder);
    for (const precision of /** @type {const} */ (['fp32', 'fp16'])) {
      await test.step(`onnxruntime, ${precision}`, async () => {
        for (const padded of [false, true]) {
          const { probabilities, inputNames, outputNames } = await fromOnnxruntime(folder, precision, TEXTS, {
            padded,
          });
          expect(inputNames).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
          expect(outputNames).toEqual(['logits']);
          expect(difference(probabilities, expected), `padded: ${padded}`).toBeLessThanOrEqual(TOLERANCE[precision]);
        }
      });
      await test.step(`transformers.js, ${precision}`, async () => {
        const probabilities = await fromPipeline(folder, precision, TEXTS);
        expect(difference(probabilities, expected)).toBeLessThanOrEqual(TOLERANCE[precision]);
      });
    }
  });
}

test('the 8-bit model of the default job has the labels of the page on the test rows', async ({ webtune }, info) => {
  await withoutFileDialog(webtune.page);
  await webtune.openBare({ device: 'cpu' });
  await webtune.press('run-all', 9 * MINUTE);
  await webtune.succeeded();
  const folder = info.outputPath('model');
  await exportInto(webtune, folder);
  /** @type {{text: string, label: number}[]} */
  const rows = (await readFile(join(folder, 'data/test.jsonl'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const texts = rows.map(({ text }) => text);
  const { logits } = await webtune.page.evaluate(() =>
    /** @type {any} */ (window).__webtune.session.request({ type: 'evaluate', logits: true }),
  );
  /** @type {number[][]} */
  const expected = logits.map(softmax);
  expect(expected.length).toBe(texts.length);
  const { probabilities } = await fromOnnxruntime(folder, 'q8', texts);
  const accuracy = (/** @type {number[][]} */ found) =>
    found.filter((row, at) => labelOf(row) === rows[at]?.label).length / rows.length;
  console.log(
    `  8-bit on ${rows.length} test rows: accuracy ${accuracy(probabilities)} instead of ${accuracy(expected)}, ` +
      `probabilities within ${difference(probabilities, expected).toFixed(4)}`,
  );
  expect(probabilities.map(labelOf)).toEqual(expected.map(labelOf));
  expect((await fromPipeline(folder, 'q8', texts)).map(labelOf)).toEqual(expected.map(labelOf));
  // The other precisions with a real checkpoint.
  for (const precision of /** @type {const} */ (['fp32', 'fp16'])) {
    const found = await fromOnnxruntime(folder, precision, texts);
    expect(difference(found.probabilities, expected), precision).toBeLessThanOrEqual(TOLERANCE[precision]);
  }
});

test('the demo page classifies from a static server without any other request', async ({ webtune, context }, info) => {
  await withoutFileDialog(webtune.page);
  await webtune.open({ ...QUICK, device: 'cpu', max_steps: 12 });
  // The library of the demo is only loaded for an export that has it.
  const libraryRequests = () =>
    webtune.server.requests.filter((path) => path.endsWith('.wasm') && /\/demo\//.test(path));
  await webtune.press('run-all');
  await webtune.succeeded();
  const [text = ''] = TEXTS;
  const [expected = []] = await fromPage(webtune, [text]);
  expect(libraryRequests()).toEqual([]);
  const folder = info.outputPath('model');
  const names = await exportInto(webtune, folder);
  expect(libraryRequests().length).toBe(1);
  expect(names.filter((name) => name.startsWith('demo/'))).toContain('demo/index.html');
  const { labels } = await webtune.page.evaluate(() => /** @type {any} */ (window).__webtune.store.state.dataset);

  await served(folder, async (origin) => {
    // The page takes the smallest model that the folder has.
    for (const precision of /** @type {const} */ (['q8', 'fp16', 'fp32'])) {
      const page = await context.newPage();
      const { results, about } = await fromDemo(page, origin, text);
      expect(about).toContain(MODEL_FILES[precision]);
      expect(results.map(({ label }) => label).sort()).toEqual([...labels].sort());
      expect(results[0]?.label).toBe(labels[labelOf(expected)]);
      const scores = results.map(({ score }) => score);
      const ofPage = results.map(({ label }) => expected[labels.indexOf(label)] ?? NaN);
      // An 8-bit model rounds differently on each processor.
      expect(difference([scores], [ofPage]), precision).toBeLessThanOrEqual({ ...TOLERANCE, q8: 0.05 }[precision]);
      await page.close();
      await rm(join(folder, MODEL_FILES[precision]));
    }
  });
});
