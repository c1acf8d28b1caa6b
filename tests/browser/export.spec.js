// Export: the archive is a Hugging Face folder, the page opens it as the same model, and its training_args.json repeats
// the run.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { AxeBuilder } from '@axe-core/playwright';
import { header, metadata } from './cases.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';
import { unzip } from './zip.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

const CPU = { ...QUICK, device: 'cpu' };
const FOLDER = [
  'README.md',
  'config.json',
  'model.safetensors',
  'special_tokens_map.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'trainer_state.json',
  'training_args.json',
  'vocab.txt',
];
const SENTENCE = 'What an amazing blender, I love it!';
const WEIGHTS = 'model.safetensors';

/**
 * Leaves out every part but the model, presses the button, and reads the saved file.
 * @param {Webtune} webtune
 */
async function exported(webtune) {
  await webtune.show('export');
  await expect(webtune.button('export')).toBeEnabled();
  for (const part of ['adapter', 'demo', 'onnx', 'onnx_fp16', 'onnx_quantized', 'scripts', 'logs', 'results']) {
    const box = webtune.page.getByTestId(`export-part-${part}`);
    if (await box.isEnabled()) await box.uncheck();
  }
  const saving = webtune.page.waitForEvent('download');
  await webtune.click('export');
  const download = await saving;
  const zip = await readFile(await download.path());
  return { name: download.suggestedFilename(), zip, files: unzip(zip) };
}

/** @param {Map<string, Buffer>} files @param {string} name */
const json = (files, name) => JSON.parse(file(files, name).toString());

/** @param {Map<string, Buffer>} files @param {string} name */
function file(files, name) {
  const bytes = files.get(name);
  if (!bytes) throw new Error(`the archive has no ${name}`);
  return bytes;
}

/**
 * Chooses an archive under "continue from a folder".
 * @param {Webtune} webtune
 * @param {string} name
 * @param {Buffer} buffer
 */
async function openZip(webtune, name, buffer) {
  await webtune.show('model');
  await webtune.page.getByTestId('pick-zip').setInputFiles({ name, mimeType: 'application/zip', buffer });
  await webtune.idle();
}

/**
 * The probabilities of the loaded model before training. Another sentence is classified first, so that the answer
 * cannot be an older one.
 * @param {Webtune} webtune
 */
async function answer(webtune) {
  await webtune.classify('Something else.');
  await webtune.classify(SENTENCE);
  return webtune.probabilities('try-before');
}

/** @param {number[]} found @param {number[]} expected */
function expectClose(found, expected) {
  expect(found.length).toBe(expected.length);
  for (const [at, value] of expected.entries())
    expect(Math.abs((found[at] ?? NaN) - value), `probability ${at}`).toBeLessThanOrEqual(1e-5);
}

for (const device of /** @type {const} */ (['cpu', 'webgpu'])) {
  test(`an exported model opens again with the same probabilities (${device})`, async ({ webtune }) => {
    const { page } = webtune;
    await webtune.open({ ...QUICK, device, max_steps: 12 });
    await expect(webtune.button('export')).toBeDisabled();
    await expect(page.locator('#export-reason')).toContainText('Nothing has been trained yet');
    await webtune.press('run-all');
    await webtune.succeeded();
    await webtune.show('export');
    await expect(page.locator('#export-reason')).toContainText('12 training steps');
    await expect(page.getByTestId('run-seed')).toHaveText('42');
    await webtune.classify(SENTENCE);
    const trained = await webtune.probabilities('try-after');

    const { name, zip, files } = await exported(webtune);
    await test.step('the archive is a Hugging Face folder', async () => {
      expect(name).toMatch(/^tiny.*\.zip$/);
      expect([...files.keys()].sort()).toEqual(FOLDER);
      const weights = file(files, WEIGHTS);
      expect(metadata(weights)).toEqual({ format: 'pt' });
      const tensors = header(weights);
      // 16 tensors in each of two layers, 5 of the embeddings, 2 of the pooler, 2 of the classifier.
      expect(Object.keys(tensors).length).toBe(2 * 16 + 5 + 2 + 2);
      for (const [tensor, { dtype }] of Object.entries(tensors)) {
        expect(tensor).toMatch(/^(bert\.(embeddings|encoder\.layer\.\d|pooler\.dense)\.|classifier\.(weight|bias)$)/);
        expect(dtype).toBe('F32');
      }
      expect(tensors['bert.encoder.layer.1.attention.self.query.weight']?.shape).toEqual([64, 64]);
      expect(Math.max(...Object.values(tensors).map(({ data_offsets: [, to] }) => to))).toBe(
        weights.length - 8 - Number(weights.readBigUInt64LE()),
      );
      expect(json(files, 'config.json')).toMatchObject({
        model_type: 'bert',
        id2label: { 0: 'negative', 1: 'positive' },
        label2id: { negative: 0, positive: 1 },
      });
      expect(
        json(files, 'trainer_state.json').log_history.filter((/** @type {object} */ entry) => 'loss' in entry).length,
      ).toBe(12);
    });
    await test.step('the page lists the files of the archive', async () => {
      const rows = page.locator('[data-part=model] tbody tr');
      const listed = await rows.evaluateAll((all) =>
        all.map((row) => [row.getAttribute('data-name'), Number(row.getAttribute('data-bytes'))]),
      );
      expect(Object.fromEntries(listed)).toEqual(
        Object.fromEntries([...files].map(([key, bytes]) => [key, bytes.length])),
      );
      await expect(page.getByTestId('code')).toContainText(`model="${name.replace(/\.zip$/, '')}"`);
      await expect(page.getByTestId('export-again')).toHaveAttribute('download', name);
    });
    await test.step('the archive opens as the same model', async () => {
      await openZip(webtune, name, zip);
      await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
      await expect(webtune.alert('model')).toHaveCount(0);
      await expect(page.locator('#model')).toContainText('from this computer');
      await expect(webtune.button('export')).toBeDisabled();
      expectClose(await answer(webtune), trained);
    });
    await test.step('training continues from the opened model', async () => {
      const last = (await webtune.read('evaluations')).at(-1);
      await webtune.press('run-evaluation');
      expect((await webtune.read('evaluations')).find(({ step }) => step === 0)?.eval_loss).toBeCloseTo(
        last?.eval_loss ?? NaN,
        4,
      );
      await webtune.press('run-training');
      await expect(webtune.stage('training')).toHaveAttribute('data-state', 'done');
      expectClose(await answer(webtune), trained);
    });
  });
}

test('training_args.json repeats the run exactly, dropout included', async ({ webtune }) => {
  // No value is a default, so a setting missing in the file would change the losses.
  const settings = {
    num_rows: 46,
    dataset_seed: 3,
    test_size: 0.3,
    random_state: 11,
    stratify: 'false',
    padding: 'max_length',
    max_length: 20,
    num_train_epochs: 2,
    per_device_train_batch_size: 5,
    gradient_accumulation_steps: 2,
    learning_rate: 7e-4,
    lr_scheduler_type: 'cosine',
    warmup_ratio: 0.25,
    weight_decay: 0.05,
    max_grad_norm: 0.7,
    label_smoothing_factor: 0.1,
    adam_beta1: 0.85,
    adam_beta2: 0.99,
    seed: 1234,
  };
  await webtune.open({ ...CPU, ...settings });
  await webtune.press('run-all');
  await webtune.succeeded();
  await expect(webtune.page.getByTestId('run-seed')).toHaveText('1234');
  const first = {
    logs: await webtune.logs(),
    losses: (await webtune.read('evaluations')).map(({ eval_loss }) => eval_loss),
  };
  const repeated = json((await exported(webtune)).files, 'training_args.json');
  expect(repeated).toMatchObject({ seed: 1234, stratify: false, padding: 'max_length', shuffle: true });

  const again = async (/** @type {Record<string, string|number|boolean>} */ values) => {
    const query = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
    await webtune.open({ model: CPU.model, device: 'cpu', ...query });
    await webtune.press('run-all');
    await webtune.succeeded();
    return {
      logs: await webtune.logs(),
      losses: (await webtune.read('evaluations')).map(({ eval_loss }) => eval_loss),
    };
  };
  expect(first.logs.length).toBeGreaterThan(5);
  expect(await again(repeated)).toEqual(first);
  // Another seed gives other losses: the equality above is not trivial.
  expect((await again({ ...repeated, seed: 1235 })).logs).not.toEqual(first.logs);
});

test('a new run hides the previous export, and one that is stopped before its first step brings it back', async ({
  webtune,
}) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, max_steps: 2 });
  await webtune.press('run-all');
  const { name, files } = await exported(webtune);
  await expect(page.getByTestId('export-again')).toBeVisible();
  await webtune.click('train-paused');
  await expect(page.getByTestId('now')).toContainText('Paused before the first of 2 steps');
  await expect(page.getByTestId('export-again')).toHaveCount(0);
  await expect(webtune.button('export')).toBeDisabled();
  await expect(page.locator('#export-reason')).toContainText('when what is running now has ended');
  await webtune.button('stop').click();
  await webtune.idle();
  await expect(page.locator('#export-reason')).toContainText('The model after 2 training steps');
  await webtune.show('export');
  await expect(page.getByTestId('export-again')).toBeVisible();
  const again = await exported(webtune);
  expect(again.name).toBe(name);
  const weights = 'model.safetensors';
  expect(file(again.files, weights).equals(file(files, weights))).toBe(true);
});

test('folders and dropped archives open, invalid files change nothing, the built-in model returns', async ({
  webtune,
}, info) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, max_steps: 12 });
  await webtune.press('run-all');
  await webtune.classify(SENTENCE);
  const [untrained, trained] = [await webtune.probabilities('try-before'), await webtune.probabilities('try-after')];
  const { name, zip, files } = await exported(webtune);

  await test.step('a folder opens', async () => {
    const folder = info.outputPath('my-model');
    await mkdir(folder, { recursive: true });
    for (const [path, bytes] of files) await writeFile(`${folder}/${path}`, bytes);
    await webtune.show('model');
    await page.getByTestId('pick-folder').setInputFiles(folder);
    await webtune.idle();
    await expect(page.getByTestId('continue')).toContainText('Training starts from your files now: my-model.');
    expectClose(await answer(webtune), trained);
  });
  for (const { given, bytes, says } of [
    { given: 'notes.txt', bytes: Buffer.from('no model'), says: /notes\.txt.*no config\.json/ },
    { given: 'broken.zip', bytes: Buffer.from('no archive either'), says: /broken\.zip.*no zip archive/ },
    { given: 'cut.zip', bytes: zip.subarray(0, zip.length - 1000), says: /cut\.zip/ },
  ]) {
    await test.step(`${given} is refused and the model stays`, async () => {
      await openZip(webtune, given, bytes);
      await expect(webtune.alert('model')).toHaveText(says);
      await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
      await expect(page.getByTestId('continue')).toContainText('my-model');
      expectClose(await answer(webtune), trained);
    });
  }
  await test.step('the built-in model returns', async () => {
    await webtune.press('continue-back');
    await expect(webtune.alert('model')).toHaveCount(0);
    await expect(webtune.button('continue-back')).toBeHidden();
    await expect(page.locator('#model')).toContainText('a folder of this site');
    // The built-in model has a random classifier, so the probabilities differ from the trained ones.
    expect(Math.abs(((await answer(webtune))[0] ?? NaN) - (trained[0] ?? NaN))).toBeGreaterThan(1e-3);
    await webtune.press('run-training');
    expectClose(await answer(webtune), untrained);
  });
  await test.step('an archive dropped onto the section opens', async () => {
    const dropped = await page.evaluateHandle(
      ({ file: title, base64 }) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], title));
        return transfer;
      },
      { file: name, base64: zip.toString('base64') },
    );
    await webtune.show('model');
    await page.dispatchEvent('#model h1', 'dragover', { dataTransfer: dropped });
    await expect(page.getByTestId('continue')).toHaveClass(/dropping/);
    await page.dispatchEvent('#model h1', 'drop', { dataTransfer: dropped });
    await webtune.idle();
    await expect(page.getByTestId('continue')).not.toHaveClass(/dropping/);
    await expect(page.getByTestId('continue')).toContainText(name.replace(/\.zip$/, ''));
    expectClose(await answer(webtune), trained);
  });
});

test('the export works by keyboard on a phone, without violations in both languages and colour schemes', async ({
  webtune,
}) => {
  const { page } = webtune;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await webtune.open({ ...CPU, max_steps: 2 });
  await webtune.press('run-all');
  await webtune.show('export');
  await expect(webtune.button('export')).toBeEnabled();
  const saving = page.waitForEvent('download');
  await webtune.button('export').focus();
  await page.keyboard.press('Enter');
  const name = (await saving).suggestedFilename();
  await expect(page.locator('#export [role=status]').first()).toContainText(`${name} is saved`);
  await webtune.button('copy-code').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#export')).toContainText('Copied.');
  // The page may not read the clipboard (Permissions-Policy), so the text is pasted.
  await webtune.show('try');
  await page.getByTestId('try-input').fill('');
  await page.getByTestId('try-input').press('ControlOrMeta+V');
  await expect(page.getByTestId('try-input')).toHaveValue(
    new RegExp(`pipeline\\("text-classification", model="${name.replace(/\.zip$/, '')}"\\)`),
  );
  await webtune.show('export');
  for (const language of /** @type {const} */ (['en', 'ko'])) {
    await webtune.speak(language);
    await expect(page.locator('#export-title')).toHaveText(language === 'en' ? /Export/ : /[가-힣]/);
    for (const view of /** @type {const} */ (['export', 'model'])) {
      await webtune.show(view);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
        `${view}, ${language}`,
      ).toBeLessThanOrEqual(0);
      for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const { violations } = await new AxeBuilder({ page }).options({ preload: false }).include(`#${view}`).analyze();
        expect(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`),
          `${view}, ${language}, ${colorScheme}`,
        ).toEqual([]);
      }
    }
  }
});
