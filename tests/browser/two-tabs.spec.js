// Two tabs of one browser share the storage of models: what one of them stores, the other one does not remove.

import { expect, test } from './hub-fixtures.js';
import { onDisk } from './stored-files.js';
import { files, tinyBert } from './tiny-bert.js';
import { QUICK, Webtune } from './webtune.js';

const WEIGHTS = 'model.safetensors';
const ROUNDS = 4;
const CPU = { ...QUICK, device: 'cpu' };

test('two tabs that load and delete models at the same time keep every other model', async ({
  webtune: first,
  server,
  hub,
}) => {
  const second = new Webtune(await first.page.context().newPage(), server);
  second.allow(/leaves the site/);
  const models = ['first', 'second', 'deleted'].map((name, seed) => ({
    repo: `tests/${name}`,
    files: files(tinyBert({ seed: 20 + seed })),
  }));
  for (const tab of [first, second]) await tab.open({ ...CPU, endpoint: hub.endpoint });

  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { repo, files: offered } of models) hub.offer(`${repo}-${round}`, offered);
    // In every other round, the first tab waits in the middle of the weights until the second tab has finished.
    const isHeld = round % 2 === 0;
    if (isHeld)
      hub.offer(`tests/first-${round}`, models[0]?.files ?? {}, { troubles: { [WEIGHTS]: [{ held: true }] } });
    await load(second, `tests/deleted-${round}`);
    await begin(first, `tests/first-${round}`);
    if (isHeld) {
      const progress = first.page.getByTestId('model-progress');
      await expect.poll(async () => Number(await progress.getAttribute('data-loaded'))).toBeGreaterThan(0);
    }
    await forget(second, `tests/deleted-${round}`);
    await load(second, `tests/second-${round}`);
    hub.release();
    await first.idle();
    await expectLoaded(first);

    // Both open without a network; the Hub has neither any more.
    hub.asked.length = 0;
    for (const tab of [first, second]) {
      for (const repo of [`tests/first-${round}`, `tests/second-${round}`]) await load(tab, repo);
    }
    expect(hub.asked).toEqual([]);
    // Their weights are not on the disk when the next round begins.
    await forget(first, `tests/first-${round}`);
    await forget(second, `tests/second-${round}`);
    expect(await onDisk(first)).toEqual({ files: [], pins: [] });
  }
  expect(await second.problems()).toEqual([]);
});

test('two tabs that load the same model at the same time store it once', async ({ webtune: first, server, hub }) => {
  const second = new Webtune(await first.page.context().newPage(), server);
  second.allow(/leaves the site/);
  const tiny = files(tinyBert({ seed: 30 }));
  hub.offer('tests/same', tiny, { troubles: { [WEIGHTS]: [{ held: true }] } });
  for (const tab of [first, second]) await tab.open({ ...CPU, endpoint: hub.endpoint });
  await begin(first, 'tests/same');
  const progress = first.page.getByTestId('model-progress');
  await expect.poll(async () => Number(await progress.getAttribute('data-loaded'))).toBeGreaterThan(0);
  await load(second, 'tests/same');
  hub.release();
  await first.idle();
  await expectLoaded(first);
  const { files: stored, pins } = await onDisk(first);
  expect([stored?.length, pins?.length]).toEqual([Object.keys(tiny).length, 1]);
  hub.asked.length = 0;
  for (const tab of [first, second]) await load(tab, 'tests/same');
  expect(hub.asked).toEqual([]);
  expect(await second.problems()).toEqual([]);
});

/** Begins to load a model by the text field. @param {Webtune} tab @param {string} repo */
async function begin(tab, repo) {
  await tab.show('model');
  await tab.page.getByTestId('repo').fill(repo);
  await tab.page.getByTestId('load-repo').click();
}

/** Loads a model by the text field. @param {Webtune} tab @param {string} repo */
async function load(tab, repo) {
  await begin(tab, repo);
  await tab.idle();
  await expectLoaded(tab);
}

/** @param {Webtune} tab */
async function expectLoaded(tab) {
  expect((await tab.read('stages')).model.error).toBeNull();
  await expect(tab.stage('model')).toHaveAttribute('data-state', 'done');
}

/** Deletes a stored model. @param {Webtune} tab @param {string} repo */
async function forget(tab, repo) {
  const row = tab.page.getByTestId('stored').locator(`tr[data-repo="${repo}"]`);
  await row.getByTestId('forget').click();
  await expect(row).toHaveCount(0);
}
