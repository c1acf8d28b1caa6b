// Broken model folders: each error names the file, and the tensor if a tensor is the cause. Earlier stages keep their
// results and the page stays usable.

import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

/**
 * `model` is a folder of models.js, `site` one of preludes.js.
 * @typedef {{model: string, code: string, says: RegExp, site?: string}} Broken
 */

/** @type {Broken[]} */
const SHOWN_ON_THE_PAGE = [
  { model: 'no-weights', code: 'download', says: /model\.safetensors.*404/ },
  {
    model: 'connection-breaks',
    code: 'download',
    says: /model\.safetensors.*ended after [\d,]+ bytes/,
    site: 'short-pauses',
  },
  { model: 'truncated', code: 'model_file', says: /model\.safetensors.*truncated/ },
  { model: 'a-web-page', code: 'model_file', says: /model\.safetensors cannot be read as safetensors/ },
  { model: 'wrong-shape', code: 'model_file', says: /attention\.self\.query\.weight.*\[32, 128\].*\[64, 64\]/ },
  { model: 'tokenizer-is-no-wordpiece', code: 'tokenizer', says: /tokenizer\.json.*Unigram.*WordPiece/ },
];

/** @type {Broken[]} */
const ANSWERED_BY_THE_WORKER = [
  { model: 'no-folder', code: 'download', says: /config\.json.*404/ },
  { model: 'no-tokenizer', code: 'download', says: /404/ },
  { model: 'empty', code: 'model_file', says: /model\.safetensors.*0 bytes/ },
  { model: 'broken-header', code: 'model_file', says: /header is broken/ },
  { model: 'huge-header', code: 'model_file', says: /header of \d+ bytes, which cannot be/ },
  { model: 'missing-tensor', code: 'model_file', says: /attention\.self\.query\.weight.*missing/ },
  { model: 'lfs-pointer', code: 'model_file', says: /model\.safetensors.*Git LFS/ },
  { model: 'wrong-dtype', code: 'model_file', says: /query\.weight.*I32.*F32/ },
  { model: 'not-finite', code: 'model_file', says: /query\.weight.*NaN/ },
  { model: 'not-a-bert', code: 'model_file', says: /gpt2/ },
  { model: 'config-is-no-json', code: 'model_file', says: /config\.json/ },
];

/**
 * Loads a model and returns its probabilities before training.
 * @param {import('./webtune.js').Webtune} webtune
 * @param {string} model
 * @param {() => void} [interrupt]  called once a part of the weights has arrived
 */
async function loadAndClassify(webtune, model, interrupt) {
  webtune.allow(/Failed to load resource/);
  await webtune.open({ ...QUICK, device: 'cpu', model: madeModel(model) });
  await webtune.click('run-model');
  if (interrupt) {
    const arrived = async () => {
      const download = await webtune.read('download');
      return download?.file === 'model.safetensors' ? download.loaded : 0;
    };
    await expect.poll(arrived).toBeGreaterThan(0);
    interrupt();
  }
  await webtune.idle();
  await expect(webtune.alert('model')).toHaveCount(0);
  await webtune.classify('How well it works!');
  return webtune.probabilities('try-before');
}

for (const { model, code, says, site } of SHOWN_ON_THE_PAGE) {
  test(`model folder "${model}": the error is shown, earlier stages stay done`, async ({ webtune }) => {
    const { page } = webtune;
    webtune.allow(/Failed to load resource/);
    await webtune.open({ ...QUICK, device: 'cpu', model: madeModel(model) }, site);
    await webtune.press('run-all');
    const alert = webtune.alert('model');
    await expect(alert).toHaveCount(1);
    await expect(alert).toHaveAttribute('data-code', code);
    await expect(alert).toHaveText(says);
    await expect(webtune.stage('model')).toHaveAttribute('data-state', 'error');
    await expect(page.getByTestId('now')).toContainText('failed');
    // Earlier stages keep their results; later stages do not start.
    for (const stage of /** @type {const} */ (['dataset', 'split']))
      await expect(webtune.stage(stage)).toHaveAttribute('data-state', 'done');
    for (const stage of /** @type {const} */ (['tokens', 'training', 'try']))
      await expect(webtune.stage(stage)).toHaveAttribute('data-state', 'idle');
    // The page stays usable.
    await webtune.fill('num_rows', '60');
    await webtune.press('run-split');
    await expect(page.locator('#split .part-name').first()).toContainText('48 rows');
    await expect(webtune.button('run-all')).toBeEnabled();
  });
}

test('a broken download requests the remaining range, and loads also from a server without ranges', async ({
  webtune,
  server,
}) => {
  const whole = await loadAndClassify(webtune, 'tiny');
  for (const model of ['breaks-once', 'breaks-once-without-ranges']) {
    server.ranges = [];
    expect(await loadAndClassify(webtune, model, () => server.breakOff()), model).toEqual(whole);
    const [first, second, ...more] = server.ranges
      .filter(({ file }) => file === 'model.safetensors')
      .map(({ range }) => range);
    expect(first, model).toBeNull();
    expect(second, model).toMatch(/^bytes=[1-9]\d*-$/);
    expect(more, model).toEqual([]);
  }
});

test('weights that change during the download are downloaded again from the start', async ({ webtune, server }) => {
  const other = await loadAndClassify(webtune, 'another-tiny');
  expect(await loadAndClassify(webtune, 'changes-midway', () => server.breakOff())).toEqual(other);
  expect(other).not.toEqual(await loadAndClassify(webtune, 'tiny'));
});

test('a second attempt after an error succeeds', async ({ webtune }) => {
  webtune.allow(/Failed to load resource/);
  await webtune.open({ ...QUICK, device: 'cpu', model: madeModel('mended-later'), num_train_epochs: 1 });
  await webtune.press('run-all');
  await expect(webtune.alert('model')).toHaveAttribute('data-code', 'model_file');
  await webtune.press('run-all');
  await webtune.succeeded();
  await expect(webtune.alert('model')).toHaveCount(0);
});

test('the worker names the cause of every other broken folder, and a valid model still loads', async ({ webtune }) => {
  webtune.allow(/Failed to load resource/);
  await webtune.open({ ...QUICK, device: 'cpu' });
  const load = (/** @type {string} */ model) =>
    webtune.page.evaluate(async (folder) => {
      const base = new URL(folder, document.baseURI).href;
      const whole = { code: 'loaded', message: '' };
      return /** @type {any} */ (window).__webtune.session.request({ type: 'load_model', base }).then(
        () => whole,
        (/** @type {any} */ { code, message }) => ({ code, message }),
      );
    }, madeModel(model));
  for (const { model, code, says } of ANSWERED_BY_THE_WORKER) {
    expect(await load(model), model).toEqual({ code, message: expect.stringMatching(says) });
  }
  expect(await load('tiny')).toEqual({ code: 'loaded', message: '' });
});
