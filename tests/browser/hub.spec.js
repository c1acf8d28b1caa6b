// Models of the Hub: asked for at one commit, kept by content, and whole whatever the network does.

import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from './hub-fixtures.js';
import { COMMIT, sha256 } from './hub-server.js';
import { files, safetensors, tinyBert } from './tiny-bert.js';
import { QUICK, madeModel } from './webtune.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

const WEIGHTS = 'model.safetensors';
const TINY = 'tests/tiny-bert';
const CPU = { ...QUICK, device: 'cpu', num_train_epochs: 1 };
const pictures = fileURLToPath(new URL('../../test-results/screenshots/', import.meta.url));
const bert = tinyBert();
const tiny = files(bert);
const weights = tiny[WEIGHTS];
const HALF = weights.length >> 1;

// Networks that fail are what most of these are about.
test.beforeEach(({ webtune }) => webtune.allow(/Failed to load resource/));

/**
 * Opens the page with a model of the Hub, and loads it.
 * @param {Webtune} webtune
 * @param {import('./hub-server.js').HubServer} hub
 * @param {{model?: string, site?: string}} [options]
 */
async function load(webtune, hub, { model = TINY, site } = {}) {
  await webtune.open({ ...CPU, model, endpoint: hub.endpoint }, site);
  await webtune.press('run-model');
}

/**
 * As `load`, but the connection breaks after about half of the bytes of each answer that is held.
 * @param {Webtune} webtune
 * @param {import('./hub-server.js').HubServer} hub
 * @param {{breaks?: number, site?: string}} [options]
 */
async function loadBroken(webtune, hub, { breaks = 1, site } = {}) {
  await webtune.open({ ...CPU, model: TINY, endpoint: hub.endpoint }, site);
  await webtune.button('run-model').click();
  for (let broken = 0, before = 0; broken < breaks; broken += 1) before = await breakOff(webtune, hub, before);
  await webtune.idle();
}

/**
 * Breaks the weights' connection once more of them than before have arrived; a stream that breaks loses what was not read yet.
 * @param {Webtune} webtune
 * @param {import('./hub-server.js').HubServer} hub
 * @param {number} before
 */
async function breakOff(webtune, hub, before) {
  const progress = webtune.page.getByTestId('model-progress');
  await expect(progress).toHaveAttribute('data-total', String(weights.length));
  const arrived = async () => Number(await progress.getAttribute('data-loaded'));
  await expect.poll(arrived).toBeGreaterThan(before);
  const now = await arrived();
  hub.cut();
  return now;
}

/** The model is there, whole. @param {Webtune} webtune */
async function loaded(webtune) {
  expect((await webtune.read('stages')).model.error).toBeNull();
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
  expect((await webtune.read('model'))?.bytes).toBe(weights.length);
}

/** The probabilities of a model as it was loaded. @param {Webtune} webtune @param {string} sentence */
async function answer(webtune, sentence) {
  await webtune.classify(sentence);
  return webtune.probabilities('try-before');
}

/** @param {import('./hub-server.js').HubServer} hub */
const ranges = (hub) => hub.bytesOf(WEIGHTS).map(({ range }) => range);

/** What is on the disk, by the folder it is in. @param {Webtune} webtune */
const onDisk = ({ page }) =>
  page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('webtune-models');
    /** @type {Record<string, string[]>} */
    const found = {};
    for (const name of ['files', 'pins']) {
      found[name] = [];
      for await (const key of /** @type {any} */ (await folder.getDirectoryHandle(name)).keys()) found[name].push(key);
      found[name].sort();
    }
    return found;
  });

test('by its name: one commit, kept by content, and no network the second time', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny);
  await load(webtune, hub);
  await loaded(webtune);
  await expect(webtune.page.locator('#model')).toContainText(`at commit ${COMMIT.slice(0, 7)}, licence mit`);
  const resolved = hub.asked.filter(({ path }) => path.includes('/resolve/'));
  expect(resolved.map(({ path }) => path).sort()).toEqual(
    ['config.json', WEIGHTS, 'tokenizer.json'].map((file) => `/${TINY}/resolve/${COMMIT}/${file}`).sort(),
  );
  const { files: stored, pins } = await onDisk(webtune);
  expect(stored).toEqual(Object.values(tiny).map(sha256).sort());
  expect(pins?.length).toBe(1);
  const first = await answer(webtune, 'How well it works!');

  // The branch moves on; what was pinned stays, and nothing is asked.
  hub.offer(TINY, {}, { revisions: { main: 'another' } });
  hub.asked.length = 0;
  await load(webtune, hub);
  await loaded(webtune);
  expect(await answer(webtune, 'How well it works!')).toEqual(first);
  await webtune.press('run-all');
  await webtune.succeeded();
  expect(hub.asked).toEqual([]);
});

test('the same model from the site answers the same', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny);
  await load(webtune, hub);
  const sentence = 'How well it works!';
  const found = await answer(webtune, sentence);
  await webtune.open({ ...CPU, model: madeModel('tiny') });
  await webtune.press('run-model');
  expect(await answer(webtune, sentence)).toEqual(found);
});

test('a broken connection goes on where it broke', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }, { held: true }] } });
  await loadBroken(webtune, hub, { breaks: 2 });
  await loaded(webtune);
  const [first, ...more] = ranges(hub);
  expect([first, more.length]).toEqual([null, 2]);
  const [second = 0, third = 0] = more.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]));
  expect(second).toBeGreaterThan(0);
  expect(third).toBeGreaterThan(second);
  expect((await onDisk(webtune)).files).toContain(sha256(weights));
});

test('a server that knows no ranges begins anew, and the same bytes are taken for the same', async ({
  webtune,
  hub,
}) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }, { ignoreRange: true }] } });
  await loadBroken(webtune, hub);
  await loaded(webtune);
  expect(ranges(hub)).toEqual([null, expect.stringMatching(/^bytes=\d+-$/)]);
  expect((await onDisk(webtune)).files).toContain(sha256(weights));
});

for (const { name, trouble } of [
  { name: 'its etag says so', trouble: { etag: 'of another file' } },
  { name: 'it begins anew with other bytes', trouble: { ignoreRange: true } },
]) {
  test(`a file that becomes another one half-way is read anew: ${name}`, async ({ webtune, hub }) => {
    const old = files(tinyBert({ seed: 8 }))[WEIGHTS];
    const rest = { ...trouble, body: weights };
    hub.offer(TINY, tiny, { unlisted: true, troubles: { [WEIGHTS]: [{ body: old, held: true }, rest] } });
    await loadBroken(webtune, hub);
    await loaded(webtune);
    const sentence = 'How well it works!';
    const found = await answer(webtune, sentence);
    expect((await onDisk(webtune)).files).toContain(sha256(weights));
    await webtune.open({ ...CPU, model: madeModel('tiny') });
    await webtune.press('run-model');
    expect(await answer(webtune, sentence)).toEqual(found);
  });
}

test('a mirror that has no list of files: the commit comes with the first file', async ({ webtune, hub }) => {
  const older = {
    ...tiny,
    'vocab.txt': Buffer.from(Object.keys(/** @type {any} */ (bert.tokenizer).model.vocab).join('\n')),
  };
  delete (/** @type {Partial<typeof older>} */ (older)['tokenizer.json']);
  hub.offer(TINY, older, { unlisted: true, revisions: { 'v1.0': COMMIT } });
  await load(webtune, hub, { model: `${TINY}@v1.0` });
  await loaded(webtune);
  const revisions = hub.asked.filter(({ path }) => path.includes('/resolve/')).map(({ path }) => path.split('/')[4]);
  expect(revisions[0]).toBe('v1.0');
  expect(new Set(revisions.slice(1))).toEqual(new Set([COMMIT]));
});

test('a server that is busy is asked again', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ status: 503 }, { status: 429 }] } });
  await load(webtune, hub);
  await loaded(webtune);
  expect(hub.bytesOf(WEIGHTS).length).toBe(3);
});

test('a file that is always too short is an error, and loses nothing', async ({ webtune, hub }) => {
  hub.offer('tests/other', files(tinyBert({ seed: 9 })));
  await load(webtune, hub, { model: 'tests/other' });
  await loaded(webtune);
  const short = { body: weights.subarray(0, HALF) };
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: Array.from({ length: 12 }, () => short) } });
  await choose(webtune, TINY);
  await expect(webtune.alert('model')).toHaveAttribute('data-code', 'download');
  await expect(webtune.alert('model')).toContainText(`ended after ${HALF} bytes`);
  expect((await webtune.read('model'))?.source).toContain('tests/other');
  expect((await answer(webtune, 'Still there?')).length).toBe(2);
});

test('a wrong hash is an error: nothing of it stays, and what was there before does', async ({ webtune, hub }) => {
  hub.offer('tests/other', files(tinyBert({ seed: 9 })));
  await load(webtune, hub, { model: 'tests/other' });
  await loaded(webtune);
  const before = await onDisk(webtune);
  const damaged = Buffer.from(weights);
  damaged.writeFloatLE(0.5, weights.length - 400);
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ body: damaged }] } });
  await choose(webtune, TINY);
  await expect(webtune.alert('model')).toContainText(`the Hub says ${sha256(weights)}`);
  expect((await webtune.read('model'))?.source).toContain('tests/other');
  const after = await onDisk(webtune);
  for (const name of before.files ?? []) expect(after.files).toContain(name);
  for (const content of [sha256(weights), sha256(damaged)]) expect(after.files).not.toContain(content);
  expect(after.files?.filter((name) => name.endsWith('.part'))).toEqual([]);
  // The next try is not taken in by it.
  await choose(webtune, TINY);
  await loaded(webtune);
  expect(ranges(hub).at(-1)).toBeNull();
  expect((await onDisk(webtune)).files).toContain(sha256(weights));
});

test('weights in several files', async ({ webtune, hub }) => {
  const names = [...bert.tensors.keys()];
  const shard = (/** @type {string[]} */ some) =>
    safetensors(
      new Map(some.map((name) => [name, /** @type {import('./tiny-bert.js').Tensor} */ (bert.tensors.get(name))])),
    );
  const parts = [names.slice(0, 20), names.slice(20)];
  const fileName = (/** @type {number} */ at) => `model-0000${at + 1}-of-00002.safetensors`;
  const weight_map = Object.fromEntries(parts.flatMap((some, at) => some.map((name) => [name, fileName(at)])));
  const { [WEIGHTS]: whole, ...rest } = tiny;
  const shards = Object.fromEntries(parts.map((some, at) => [fileName(at), shard(some)]));
  hub.offer(TINY, {
    ...rest,
    [`${WEIGHTS}.index.json`]: Buffer.from(JSON.stringify({ metadata: {}, weight_map })),
    ...shards,
  });
  await load(webtune, hub);
  expect((await webtune.read('stages')).model.error).toBeNull();
  expect((await webtune.read('model'))?.tensors).toBe(names.length);
  const found = await answer(webtune, 'How well it works!');
  hub.asked.length = 0;
  await load(webtune, hub);
  expect(await answer(webtune, 'How well it works!')).toEqual(found);
  expect(hub.asked).toEqual([]);
  await webtune.open({ ...CPU, model: madeModel('tiny') });
  await webtune.press('run-model');
  expect(await answer(webtune, 'How well it works!')).toEqual(found);
  expect(whole?.length).toBeGreaterThan(0);
});

test('what cannot be trained is refused with the reason, before its weights are downloaded', async ({
  webtune,
  hub,
}) => {
  const config = (/** @type {string} */ type) => Buffer.from(JSON.stringify({ ...bert.config, model_type: type }));
  for (const type of ['roberta', 'distilbert', 'albert'])
    hub.offer(`tests/${type}`, { ...tiny, 'config.json': config(type) });
  const { [WEIGHTS]: _, ...rest } = tiny;
  hub.offer('tests/pickle', { ...rest, 'pytorch_model.bin': Buffer.alloc(100) });
  hub.offer('tests/nothing', rest);
  await webtune.open({ ...CPU, endpoint: hub.endpoint });
  for (const [repo, says] of /** @type {const} */ ([
    ['tests/roberta', /model_type is "roberta".*positions/],
    ['tests/distilbert', /"distilbert".*no pooler/],
    ['tests/albert', /"albert".*shares one layer/],
    ['tests/pickle', /pytorch_model\.bin.*Python pickle/],
    ['tests/nothing', /model\.safetensors.*not there/],
    ['tests/absent', /tests\/absent@main.*never asks for an account/],
    ['tests/pickle@no-such-branch', /no-such-branch.*Check the name and the revision/],
  ])) {
    await choose(webtune, repo);
    await expect(webtune.alert('model'), repo).toContainText(says);
  }
  expect(hub.asked.filter(({ path }) => /safetensors|\.bin$/.test(path))).toEqual([]);
  // What is no name is refused in the field itself.
  await webtune.page.getByTestId('repo').fill('bert-base-uncased');
  await webtune.page.getByTestId('load-repo').click();
  await expect(webtune.page.locator('#repo-problem')).toContainText('owner/name');
});

test('a full disk: the download goes on in memory, and says so', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny);
  await load(webtune, hub, { site: 'storage-full' });
  await loaded(webtune);
  await expect(webtune.page.getByTestId('model-notices').locator('[data-code="storage_full"]')).toBeVisible();
  const found = await answer(webtune, 'How well it works!');
  expect((await onDisk(webtune)).files).not.toContain(sha256(weights));
  expect((await onDisk(webtune)).files?.filter((name) => name.endsWith('.part'))).toEqual([]);
  await webtune.open({ ...CPU, model: madeModel('tiny') });
  await webtune.press('run-model');
  expect(await answer(webtune, 'How well it works!')).toEqual(found);
});

test('a browser that stores nothing loads it all the same', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }] } });
  await loadBroken(webtune, hub, { site: 'no-storage' });
  await loaded(webtune);
  await expect(webtune.page.getByTestId('model-notices').locator('[data-code="not_stored"]')).toBeVisible();
  expect(ranges(hub)[1]).toMatch(/^bytes=\d+-$/);
});

test('stopped, and gone on with after the page was closed', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }] } });
  await webtune.open({ ...CPU, model: TINY, endpoint: hub.endpoint });
  await webtune.button('run-model').click();
  const progress = webtune.page.getByTestId('model-progress');
  await expect(progress).toHaveAttribute('data-total', String(weights.length));
  await expect.poll(async () => Number(await progress.getAttribute('data-loaded'))).toBeGreaterThan(0);
  await expect(progress).toContainText('/s');
  await webtune.button('stop-loading').click();
  await webtune.idle();
  await expect(webtune.alert('model')).toHaveAttribute('data-code', 'stopped');
  await expect(webtune.page.getByTestId('stored').locator('[data-complete="false"]')).toContainText('a part of it');
  hub.release();

  await load(webtune, hub);
  await loaded(webtune);
  const [, again] = ranges(hub);
  expect(Number(/^bytes=(\d+)-$/.exec(again ?? '')?.[1])).toBeGreaterThan(0);
  await expect(webtune.page.getByTestId('stored').locator('[data-complete="true"]')).toBeVisible();
});

test('a wait between two tries can be stopped too', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: Array.from({ length: 9 }, () => ({ status: 503 })) } });
  await webtune.open({ ...CPU, model: TINY, endpoint: hub.endpoint });
  await webtune.button('run-model').click();
  await expect(webtune.page.getByTestId('model-progress')).toContainText('attempt 3');
  await webtune.button('stop-loading').click();
  await webtune.idle();
  await expect(webtune.alert('model')).toHaveAttribute('data-code', 'stopped');
  expect(hub.bytesOf(WEIGHTS).length).toBe(3);
});

test('the list of what is stored, and deleting', async ({ webtune, hub }) => {
  const { page } = webtune;
  hub.offer(TINY, tiny);
  // The same weights under another name, its own configuration: what both have stays while one of them does.
  hub.offer('tests/other', {
    ...tiny,
    'config.json': Buffer.from(JSON.stringify({ ...bert.config, hidden_dropout_prob: 0 })),
  });
  await load(webtune, hub);
  await choose(webtune, 'tests/other');
  const rows = page.getByTestId('stored').locator('tr');
  await expect(rows).toHaveCount(2);
  await expect(page.getByTestId('quota')).toContainText('of');
  expect(new URL(page.url()).searchParams.get('model')).toBe('tests/other');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const found = await new AxeBuilder({ page }).options({ preload: false }).include('#model').analyze();
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  const forget = (/** @type {string} */ repo) =>
    page.getByTestId('stored').locator(`tr[data-repo="${repo}"]`).getByTestId('forget').click();
  await forget(TINY);
  await expect(rows).toHaveCount(1);
  const left = (await onDisk(webtune)).files;
  expect(left?.length).toBe(3);
  for (const name of /** @type {const} */ (['tokenizer.json', WEIGHTS])) expect(left).toContain(sha256(tiny[name]));
  expect(left).not.toContain(sha256(tiny['config.json']));
  await forget('tests/other');
  await expect(rows).toHaveCount(0);
  expect(await onDisk(webtune)).toEqual({ files: [], pins: [] });
});

for (const [screen, viewport] of Object.entries({
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
})) {
  test(`the model's section on a ${screen}, light and dark`, async ({ webtune, hub }) => {
    const { page } = webtune;
    hub.offer(TINY, tiny);
    hub.offer('google/bert_uncased_L-2_H-128_A-2', tiny, { troubles: { [WEIGHTS]: [{ held: true }] } });
    await page.setViewportSize(viewport);
    await load(webtune, hub);
    await page.locator('button[data-repo="google/bert_uncased_L-2_H-128_A-2"]').click();
    await expect
      .poll(async () => Number(await page.getByTestId('model-progress').getAttribute('data-loaded')))
      .toBeGreaterThan(0);
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
    ).toBeLessThanOrEqual(0);
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.locator('#model').screenshot({ path: `${pictures}hub-${screen}-${colorScheme}.png` });
      const found = await new AxeBuilder({ page }).options({ preload: false }).include('#model').analyze();
      expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    }
    hub.release();
    await webtune.idle();
    await loaded(webtune);
  });
}

/** Loads a model by the field for any name. @param {Webtune} webtune @param {string} repo */
async function choose(webtune, repo) {
  await webtune.page.getByTestId('repo').fill(repo);
  await webtune.page.getByTestId('load-repo').click();
  await webtune.idle();
}
