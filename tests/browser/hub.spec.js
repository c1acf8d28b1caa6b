// Models of the Hub: requested at one commit, stored by content hash, and complete despite network failures.

import { fileURLToPath } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from './hub-fixtures.js';
import { COMMIT, sha256 } from './hub-server.js';
import { onDisk } from './stored-files.js';
import { files, safetensors, tinyBert } from './tiny-bert.js';
import { QUICK, madeModel } from './webtune.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

const WEIGHTS = 'model.safetensors';
const TINY = 'tests/tiny-bert';
const CPU = { ...QUICK, device: 'cpu', num_train_epochs: 1 };
const screenshots = fileURLToPath(new URL('../../test-results/screenshots/', import.meta.url));
const bert = tinyBert();
const tiny = files(bert);
const weights = tiny[WEIGHTS];
const HALF = weights.length >> 1;

// Most of these tests make requests fail.
test.beforeEach(({ webtune }) => webtune.allow(/Failed to load resource/));

/**
 * Opens the page with a model of the Hub and loads it.
 * @param {Webtune} webtune
 * @param {import('./hub-server.js').HubServer} hub
 * @param {{model?: string, site?: string}} [options]
 */
async function load(webtune, hub, { model = TINY, site } = {}) {
  await webtune.open({ ...CPU, model, endpoint: hub.endpoint }, site);
  await webtune.press('run-model');
}

/**
 * Like `load`, but the connection breaks after about half of the bytes of each response that is held.
 * @param {Webtune} webtune
 * @param {import('./hub-server.js').HubServer} hub
 * @param {{breaks?: number, site?: string}} [options]
 */
async function loadBroken(webtune, hub, { breaks = 1, site } = {}) {
  await webtune.open({ ...CPU, model: TINY, endpoint: hub.endpoint }, site);
  await webtune.click('run-model');
  for (let broken = 0, before = 0; broken < breaks; broken += 1) before = await interrupt(webtune, hub, before);
  await webtune.idle();
}

/**
 * Breaks the connection of the weights once more than `before` bytes have arrived: a broken stream drops bytes that
 * were not read yet.
 * @param {Webtune} webtune
 * @param {import('./hub-server.js').HubServer} hub
 * @param {number} before
 */
async function interrupt(webtune, hub, before) {
  const progress = webtune.page.getByTestId('model-progress');
  await expect(progress).toHaveAttribute('data-total', String(weights.length));
  const arrived = async () => Number(await progress.getAttribute('data-loaded'));
  await expect.poll(arrived).toBeGreaterThan(before);
  const now = await arrived();
  hub.cut();
  return now;
}

/** Expects that the complete model is loaded. @param {Webtune} webtune */
async function expectLoaded(webtune) {
  expect((await webtune.read('stages')).model.error).toBeNull();
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'done');
  expect((await webtune.read('model'))?.bytes).toBe(weights.length);
}

/** The probabilities of the loaded model before training. @param {Webtune} webtune @param {string} sentence */
async function answer(webtune, sentence) {
  await webtune.classify(sentence);
  return webtune.probabilities('try-before');
}

/** @param {import('./hub-server.js').HubServer} hub */
const ranges = (hub) => hub.bytesOf(WEIGHTS).map(({ range }) => range);

test('a model is requested at one commit, stored by content and loaded again without a request', async ({
  webtune,
  hub,
}) => {
  hub.offer(TINY, tiny);
  await load(webtune, hub);
  await expectLoaded(webtune);
  await expect(webtune.page.locator('#model')).toContainText(`at commit ${COMMIT.slice(0, 7)}, licence mit`);
  const resolved = hub.asked.filter(({ path }) => path.includes('/resolve/'));
  expect(resolved.map(({ path }) => path).sort()).toEqual(
    ['config.json', WEIGHTS, 'tokenizer.json'].map((file) => `/${TINY}/resolve/${COMMIT}/${file}`).sort(),
  );
  const { files: stored, pins } = await onDisk(webtune);
  expect(stored).toEqual(Object.values(tiny).map(sha256).sort());
  expect(pins?.length).toBe(1);
  const first = await answer(webtune, 'How well it works!');

  // The branch moves to another commit; the pinned one is used without a request.
  hub.offer(TINY, {}, { revisions: { main: 'another' } });
  hub.asked.length = 0;
  await load(webtune, hub);
  await expectLoaded(webtune);
  expect(await answer(webtune, 'How well it works!')).toEqual(first);
  await webtune.press('run-all');
  await webtune.succeeded();
  expect(hub.asked).toEqual([]);
});

test('the same model gives equal probabilities from the Hub and from the site', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny);
  await load(webtune, hub);
  const sentence = 'How well it works!';
  const found = await answer(webtune, sentence);
  await webtune.open({ ...CPU, model: madeModel('tiny') });
  await webtune.press('run-model');
  expect(await answer(webtune, sentence)).toEqual(found);
});

test('a broken download continues with the remaining range', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }, { held: true }] } });
  await loadBroken(webtune, hub, { breaks: 2 });
  await expectLoaded(webtune);
  const [first, ...more] = ranges(hub);
  expect([first, more.length]).toEqual([null, 2]);
  const [second = 0, third = 0] = more.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]));
  expect(second).toBeGreaterThan(0);
  expect(third).toBeGreaterThan(second);
  expect((await onDisk(webtune)).files).toContain(sha256(weights));
});

test('without range support the download restarts, and identical bytes are accepted', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }, { ignoreRange: true }] } });
  await loadBroken(webtune, hub);
  await expectLoaded(webtune);
  expect(ranges(hub)).toEqual([null, expect.stringMatching(/^bytes=\d+-$/)]);
  expect((await onDisk(webtune)).files).toContain(sha256(weights));
});

for (const { name, trouble } of [
  { name: 'another etag', trouble: { etag: 'of another file' } },
  { name: 'a complete response with other bytes', trouble: { ignoreRange: true } },
]) {
  test(`a file that changes during the download is downloaded again: ${name}`, async ({ webtune, hub }) => {
    const old = files(tinyBert({ seed: 8 }))[WEIGHTS];
    const rest = { ...trouble, body: weights };
    hub.offer(TINY, tiny, { unlisted: true, troubles: { [WEIGHTS]: [{ body: old, held: true }, rest] } });
    await loadBroken(webtune, hub);
    await expectLoaded(webtune);
    const sentence = 'How well it works!';
    const found = await answer(webtune, sentence);
    expect((await onDisk(webtune)).files).toContain(sha256(weights));
    await webtune.open({ ...CPU, model: madeModel('tiny') });
    await webtune.press('run-model');
    expect(await answer(webtune, sentence)).toEqual(found);
  });
}

test('without a file list, the commit comes from the first response', async ({ webtune, hub }) => {
  const older = {
    ...tiny,
    'vocab.txt': Buffer.from(Object.keys(/** @type {any} */ (bert.tokenizer).model.vocab).join('\n')),
  };
  delete (/** @type {Partial<typeof older>} */ (older)['tokenizer.json']);
  hub.offer(TINY, older, { unlisted: true, revisions: { 'v1.0': COMMIT } });
  await load(webtune, hub, { model: `${TINY}@v1.0` });
  await expectLoaded(webtune);
  const revisions = hub.asked.filter(({ path }) => path.includes('/resolve/')).map(({ path }) => path.split('/')[4]);
  expect(revisions[0]).toBe('v1.0');
  expect(new Set(revisions.slice(1))).toEqual(new Set([COMMIT]));
});

test('status 503 and 429 are retried', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ status: 503 }, { status: 429 }] } });
  await load(webtune, hub);
  await expectLoaded(webtune);
  expect(hub.bytesOf(WEIGHTS).length).toBe(3);
});

test('a file that is always too short is an error, and the previous model stays', async ({ webtune, hub }) => {
  hub.offer('tests/other', files(tinyBert({ seed: 9 })));
  await load(webtune, hub, { model: 'tests/other', site: 'short-pauses' });
  await expectLoaded(webtune);
  const short = { body: weights.subarray(0, HALF) };
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: Array.from({ length: 12 }, () => short) } });
  await choose(webtune, TINY);
  await expect(webtune.alert('model')).toHaveAttribute('data-code', 'download');
  await expect(webtune.alert('model')).toContainText(`ended after ${HALF} bytes`);
  expect((await webtune.read('model'))?.source).toContain('tests/other');
  expect((await answer(webtune, 'Still there?')).length).toBe(2);
});

test('a wrong hash is an error, the file is deleted and the previous model stays', async ({ webtune, hub }) => {
  hub.offer('tests/other', files(tinyBert({ seed: 9 })));
  await load(webtune, hub, { model: 'tests/other' });
  await expectLoaded(webtune);
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
  // The next attempt downloads the file from the start.
  await choose(webtune, TINY);
  await expectLoaded(webtune);
  expect(ranges(hub).at(-1)).toBeNull();
  expect((await onDisk(webtune)).files).toContain(sha256(weights));
});

test('sharded weights load', async ({ webtune, hub }) => {
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

test('a model that cannot be trained is refused before its weights are downloaded', async ({ webtune, hub }) => {
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
  // The field itself refuses an invalid name.
  await webtune.page.getByTestId('repo').fill('bert-base-uncased');
  await webtune.page.getByTestId('load-repo').click();
  await expect(webtune.page.locator('#repo-problem')).toContainText('owner/name');
});

test('with full storage the download continues in memory, with a notice', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny);
  await load(webtune, hub, { site: 'storage-full' });
  await expectLoaded(webtune);
  await expect(webtune.page.getByTestId('model-notices').locator('[data-code="storage_full"]')).toBeVisible();
  const found = await answer(webtune, 'How well it works!');
  expect((await onDisk(webtune)).files).not.toContain(sha256(weights));
  expect((await onDisk(webtune)).files?.filter((name) => name.endsWith('.part'))).toEqual([]);
  await webtune.open({ ...CPU, model: madeModel('tiny') });
  await webtune.press('run-model');
  expect(await answer(webtune, 'How well it works!')).toEqual(found);
});

test('without storage the model loads, with a notice, and a broken download continues', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }] } });
  await loadBroken(webtune, hub, { site: 'no-storage' });
  await expectLoaded(webtune);
  await expect(webtune.page.getByTestId('model-notices').locator('[data-code="not_stored"]')).toBeVisible();
  expect(ranges(hub)[1]).toMatch(/^bytes=\d+-$/);
});

test('a stopped download continues after the page was reloaded', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: [{ held: true }] } });
  await webtune.open({ ...CPU, model: TINY, endpoint: hub.endpoint });
  await webtune.click('run-model');
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
  await expectLoaded(webtune);
  const [, again] = ranges(hub);
  expect(Number(/^bytes=(\d+)-$/.exec(again ?? '')?.[1])).toBeGreaterThan(0);
  await expect(webtune.page.getByTestId('stored').locator('[data-complete="true"]')).toBeVisible();
});

test('the wait between two attempts can be stopped', async ({ webtune, hub }) => {
  hub.offer(TINY, tiny, { troubles: { [WEIGHTS]: Array.from({ length: 9 }, () => ({ status: 503 })) } });
  await webtune.open({ ...CPU, model: TINY, endpoint: hub.endpoint });
  await webtune.click('run-model');
  await expect(webtune.page.getByTestId('model-progress')).toContainText('attempt 3');
  await webtune.button('stop-loading').click();
  await webtune.idle();
  await expect(webtune.alert('model')).toHaveAttribute('data-code', 'stopped');
  expect(hub.bytesOf(WEIGHTS).length).toBe(3);
});

test('stored models are listed, and deleting one keeps the files of the others', async ({ webtune, hub }) => {
  const { page } = webtune;
  hub.offer(TINY, tiny);
  // Another name with the same weights and another configuration: shared files stay until neither model is stored.
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
  await expectAccessible(page);
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
  test(`the model section has no violation and no overflow on a ${screen}, light and dark`, async ({
    webtune,
    hub,
  }) => {
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
      await page.locator('#model').screenshot({ path: `${screenshots}hub-${screen}-${colorScheme}.png` });
      await expectAccessible(page);
    }
    hub.release();
    await webtune.idle();
    await expectLoaded(webtune);
  });
}

/** Loads a model by the text field. @param {Webtune} webtune @param {string} repo */
async function choose(webtune, repo) {
  await webtune.show('model');
  await webtune.page.getByTestId('repo').fill(repo);
  await webtune.page.getByTestId('load-repo').click();
  await webtune.idle();
}

/** axe finds no violation in the model section. @param {import('@playwright/test').Page} page */
async function expectAccessible(page) {
  const found = await new AxeBuilder({ page }).options({ preload: false }).include('#model').analyze();
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}
