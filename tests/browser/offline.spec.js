// The second visit needs no network: the browser caches the files of the site, and there are no requests to other
// sites.

import { chromium } from '@playwright/test';
import { expect, test } from './fixtures.js';
import { Webtune } from './webtune.js';

test('after a first visit the site works from its sub-path without network', async ({
  server,
  launchOptions,
}, testInfo) => {
  // A cache of realistic size needs a profile on disk.
  const context = await chromium.launchPersistentContext(testInfo.outputPath('profile'), launchOptions);
  const first = new Webtune(await context.newPage(), server);
  await first.open({ device: 'cpu' });
  await first.press('run-model');
  await expect(first.stage('model')).toHaveAttribute('data-state', 'done');
  expect(server.requests.filter((path) => path.endsWith('/model.safetensors')).length).toBe(1);
  expect(await first.problems()).toEqual([]);
  await first.page.close();

  server.cut();
  server.requests = [];
  const second = new Webtune(await context.newPage(), server);
  await second.open({ device: 'cpu' });
  await second.press('run-model');
  await expect(second.stage('model')).toHaveAttribute('data-state', 'done');
  await second.classify('It works without network.');
  expect(server.requests).toEqual([]);
  expect(await second.problems()).toEqual([]);
  await context.close();
});
