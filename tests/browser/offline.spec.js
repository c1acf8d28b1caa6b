// The second visit needs no network: what never changes is kept by the browser, and nothing is fetched from elsewhere.

import { chromium } from '@playwright/test';
import { expect, test } from './fixtures.js';
import { Webtune } from './webtune.js';

test('after a first visit the site works from its sub-path without a network', async ({
  server,
  launchOptions,
}, testInfo) => {
  // Only a profile on disk has a cache of a visitor's size.
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
  await second.classify('It works without a network.');
  expect(server.requests).toEqual([]);
  expect(await second.problems()).toEqual([]);
  await context.close();
});
