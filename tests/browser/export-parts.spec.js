// The parts of an export: what the page announces is what the archive contains, a file of the disk gets the same bytes
// as a download, and whatever ends an export leaves everything usable.
//
// The disk is the browser's private file system, through the dialog of the File System Access API, which a browser
// without a window does not have.

import { readFile } from 'node:fs/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { screenshots } from './checks.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';
import { unzip } from './zip.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */
/** @typedef {import('../../www/protocol.js').ExportPart} ExportPart */

const JOB = { ...QUICK, device: 'cpu', max_steps: 2 };

/** @param {Webtune} webtune @param {ExportPart} part */
const box = ({ page }, part) => page.getByTestId(`export-part-${part}`);

/**
 * Trains, and shows the parts with their sizes.
 * @param {Webtune} webtune
 * @param {Record<string, string|number>} [settings]
 */
async function train(webtune, settings = {}) {
  await webtune.open({ ...JOB, ...settings });
  await webtune.press('run-all');
  await webtune.show('export');
  await expect(webtune.button('export')).toBeEnabled();
}

/** The files of the parts that are ticked, as the page announces them. @param {Webtune} webtune */
const announced = async ({ page }) =>
  Object.fromEntries(
    await page
      .locator('[data-testid=export-parts] > li:has(input:checked) tbody tr')
      .evaluateAll((rows) =>
        rows.map((row) => [row.getAttribute('data-name') ?? '', Number(row.getAttribute('data-bytes'))]),
      ),
  );

/** Presses the button and reads the download. @param {Webtune} webtune */
async function download(webtune) {
  const saving = webtune.page.waitForEvent('download');
  await webtune.button('export').click();
  return readFile(await (await saving).path());
}

/** @param {Buffer} zip */
const sizes = (zip) => Object.fromEntries([...unzip(zip)].map(([name, { length }]) => [name, length]));

/**
 * Lets the visitor's choice of a file be one of the browser's private file system.
 * @param {Webtune} webtune
 * @param {{room?: number, held?: boolean, closed?: boolean}} [disk]  bytes that fit; whether writing waits until
 *   `window.release()`; whether the visitor closes the dialog
 */
async function giveDisk({ page }, { room = Infinity, held = false, closed = false } = {}) {
  await page.evaluate(
    (disk) => {
      const scope = /** @type {any} */ (window);
      const gate = disk.held ? new Promise((release) => (scope.release = release)) : Promise.resolve();
      scope.showSaveFilePicker = async (/** @type {{suggestedName: string}} */ { suggestedName }) => {
        if (disk.closed) throw new DOMException('closed', 'AbortError');
        const folder = await navigator.storage.getDirectory();
        const handle = await folder.getFileHandle(suggestedName, { create: true });
        scope.given = handle;
        return {
          getFile: () => handle.getFile(),
          remove: () => folder.removeEntry(suggestedName),
          async createWritable() {
            const file = await handle.createWritable();
            let bytes = 0;
            return {
              async write(/** @type {Blob} */ piece) {
                await gate;
                bytes += piece.size;
                if (bytes > (disk.room ?? Infinity)) throw new DOMException('no room', 'QuotaExceededError');
                await file.write(piece);
              },
              close: () => file.close(),
              abort: () => file.abort(),
            };
          },
        };
      };
    },
    { room: Number.isFinite(room) ? room : null, held, closed },
  );
}

/** The bytes of the file that the visitor has chosen; null where it is gone. @param {Webtune} webtune */
async function onDisk({ page }) {
  const base64 = await page.evaluate(async () => {
    try {
      const file = await /** @type {any} */ (window).given.getFile();
      const bytes = new Uint8Array(await file.arrayBuffer());
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return btoa(text);
    } catch {
      return null;
    }
  });
  return base64 === null ? null : Buffer.from(base64, 'base64');
}

test('the archive contains what the page announces, for every choice of parts', async ({ webtune }) => {
  const { page } = webtune;
  await train(webtune);
  for (const part of /** @type {ExportPart[]} */ (['demo', 'onnx', 'onnx_fp16', 'onnx_quantized', 'logs', 'scripts'])) {
    await test.step(part, async () => {
      if (await box(webtune, part).isDisabled()) throw new Error(`${part} is not available`);
      await box(webtune, part).check();
      const zip = await download(webtune);
      // The model card has the baselines, which the page computes by itself: the plan is made again for an export.
      const files = await announced(webtune);
      expect(sizes(zip)).toEqual(files);
      const total = Object.values(files).reduce((sum, bytes) => sum + bytes, 0);
      await expect(page.getByTestId('export-size')).toHaveAttribute('data-bytes', String(total));
      await expect(page.getByTestId('export-done')).toHaveAttribute('data-bytes', String(zip.length));
    });
  }
  for (const part of /** @type {ExportPart[]} */ (['adapter', 'results'])) {
    await expect(box(webtune, part)).toBeDisabled();
    await expect(page.locator(`[data-part=${part}] .part-reason`)).not.toBeEmpty();
  }
});

test('the model is always exported, the demo comes with a network, and the choice is remembered', async ({
  webtune,
}) => {
  const { page } = webtune;
  await train(webtune);
  await expect(box(webtune, 'model')).toBeChecked();
  await expect(box(webtune, 'model')).toBeDisabled();
  await test.step('the texts of the dataset are not passed on unasked', async () => {
    await expect(box(webtune, 'scripts')).not.toBeChecked();
    await expect(page.getByTestId('export-private')).toBeVisible();
    await expect(page.getByTestId('export-private')).toContainText('texts of your dataset');
  });
  await box(webtune, 'onnx_quantized').uncheck();
  await expect(box(webtune, 'demo')).not.toBeChecked();
  await expect(page.getByTestId('code-js').locator('xpath=..')).toContainText('needs one of the ONNX files');
  await box(webtune, 'demo').check();
  await expect(box(webtune, 'onnx_quantized')).toBeChecked();
  await expect(page.getByTestId('code-js')).toContainText('dtype: "q8"');
  await page.getByTestId('add-scripts').click();
  await expect(box(webtune, 'scripts')).toBeChecked();
  await expect(box(webtune, 'scripts')).toBeFocused();
  await box(webtune, 'logs').uncheck();
  await page.reload();
  await webtune.opened();
  await webtune.show('export');
  for (const [part, isTicked] of /** @type {[ExportPart, boolean][]} */ ([
    ['scripts', true],
    ['demo', true],
    ['logs', false],
  ]))
    await expect(box(webtune, part)).toBeChecked({ checked: isTicked });
});

test('a file of the disk gets the bytes of the download', async ({ webtune }) => {
  const { page } = webtune;
  await train(webtune);
  const zip = await download(webtune);
  await giveDisk(webtune);
  await webtune.button('export').click();
  // The page keeps no copy of it. The link to the download is gone when the second export begins.
  await expect(page.getByTestId('export-again')).toHaveCount(0);
  await expect(page.getByTestId('export-done')).toBeVisible();
  const saved = (await onDisk(webtune)) ?? Buffer.alloc(0);
  await expect(page.getByTestId('export-done')).toHaveAttribute('data-bytes', String(saved.length));
  const [files, expected] = [unzip(saved), unzip(zip)];
  expect([...files.keys()]).toEqual([...expected.keys()]);
  // A baseline that has ended since is in the model card.
  for (const [name, bytes] of expected)
    if (name !== 'README.md') expect(files.get(name)?.equals(bytes), name).toBe(true);
});

test('a stop while the disk is slow removes the file, and leaves everything usable', async ({ webtune }) => {
  const { page } = webtune;
  await train(webtune);
  await giveDisk(webtune, { held: true });
  await webtune.button('export').click();
  await expect(webtune.button('stop-export')).toBeVisible();
  await expect(page.getByTestId('export-progress')).toContainText('of');
  await expect(box(webtune, 'logs')).toBeDisabled();
  await webtune.button('stop-export').click();
  await page.evaluate(() => /** @type {any} */ (window).release());
  await webtune.idle();
  await expect(page.getByTestId('export-stopped')).toBeVisible();
  await expect(webtune.alert('export')).toHaveCount(0);
  await expect(webtune.button('stop-export')).toBeHidden();
  await expect.poll(() => onDisk(webtune)).toBe(null);
  await test.step('the model is exported again, and answers', async () => {
    await giveDisk(webtune);
    await webtune.button('export').click();
    await expect(page.getByTestId('export-done')).toBeVisible();
    expect(Object.keys(sizes((await onDisk(webtune)) ?? Buffer.alloc(0)))).toContain('model.safetensors');
    await webtune.classify('It still works.');
  });
});

test('a full disk is named, and a closed dialog changes nothing', async ({ webtune }) => {
  const { page } = webtune;
  await train(webtune);
  await giveDisk(webtune, { closed: true });
  await webtune.button('export').click();
  await expect(webtune.button('export')).toBeEnabled();
  await expect(page.getByTestId('export-done')).toHaveCount(0);
  await giveDisk(webtune, { room: 100_000 });
  await webtune.button('export').click();
  await expect(webtune.alert('export')).toContainText('The disk is full');
  await webtune.idle();
  await expect.poll(() => onDisk(webtune)).toBe(null);
  await giveDisk(webtune);
  await webtune.button('export').click();
  await expect(page.getByTestId('export-done')).toBeVisible();
  await expect(webtune.alert('export')).toHaveCount(0);
});

test('charts and logs are saved from the menu beside a chart, also by keyboard', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(JOB);
  await webtune.press('run-all');
  await webtune.show('training');
  const menu = page.getByTestId('save-loss');
  /** @param {string} id */
  const saved = async (id) => {
    await menu.focus();
    await page.keyboard.press('Enter');
    const saving = page.waitForEvent('download');
    await page.getByTestId(id).focus();
    await page.keyboard.press('Enter');
    const file = await saving;
    await expect(menu).toBeFocused();
    return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
  };
  const svg = await saved('loss-svg');
  expect(svg.name).toBe('tiny-2-steps-loss.svg');
  expect(svg.bytes.toString()).toContain('<svg ');
  const png = await saved('loss-png');
  expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
  // Two pixels for each of the drawing, which is 800 wide.
  expect(png.bytes.readUInt32BE(16)).toBe(1600);
  const csv = await saved('loss-csv');
  expect(csv.name).toBe('tiny-2-steps-log.csv');
  const logs = await webtune.logs();
  expect(csv.bytes.toString()).toContain(`\r\n1,${logs[0]?.epoch},${logs[0]?.loss},`);
  expect(JSON.parse((await saved('loss-json')).bytes.toString()).log_history.length).toBeGreaterThan(2);
  await menu.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('loss-svg')).toBeHidden();
  await expect(menu).toBeFocused();
});

for (const { width, height, language, colorScheme } of /** @type {const} */ ([
  { width: 390, height: 844, language: 'ko', colorScheme: 'light' },
  { width: 1280, height: 720, language: 'en', colorScheme: 'dark' },
])) {
  test(`the parts with all files unfolded have no violation (${width}, ${language})`, async ({ webtune }) => {
    const { page } = webtune;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await train(webtune, { lang: language });
    for (const button of await page.locator('.part-unfold:visible').all()) await button.click();
    await expect(page.locator('[data-name="model.safetensors"]')).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).options({ preload: false }).include('#export').analyze();
    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`),
    ).toEqual([]);
    const wider = page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await wider).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `${screenshots}export-${width}-${language}.png`, fullPage: true });
  });
}
