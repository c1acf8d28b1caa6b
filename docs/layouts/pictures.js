// Writes a picture of each layout in each state and size to test-results/layouts/, and prints what was measured.
//
// `node docs/layouts/pictures.js`. CHROME names the browser; else it is the first Chrome or Chromium on the PATH.

import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import settings from '../../tests/browser/playwright.config.js';
import { staticFiles } from '../../xtask/server.js';
import { clicksTable, visibleTable } from './measure.js';

const LAYOUTS = ['rail', 'columns', 'runs'];
const STATES = ['empty', 'running', 'done', 'error'];
const SIZES = [
  [390, 844],
  [1280, 720],
  [1920, 1080],
];
/** Views that the start view does not show. */
const MORE = [
  'layout=rail&state=empty&view=training',
  'layout=rail&state=running&view=training',
  'layout=rail&state=error&view=training',
  'layout=rail&state=done&view=dataset',
  'layout=rail&state=done&view=evaluation',
  'layout=rail&state=done&view=try',
  'layout=columns&state=running&drawer=training',
  'layout=columns&state=done&drawer=evaluation',
  'layout=runs&state=done&view=try',
  'layout=rail&state=done&lang=ko',
  'layout=columns&state=running&lang=ko',
  'layout=runs&state=done&lang=ko',
];

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'test-results/layouts');
const files = staticFiles([{ address: '', source: root }], { live: true });
const server = createServer((request, response) =>
  files(request, response, () => void response.writeHead(404).end('not found')),
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
const site = `http://127.0.0.1:${port}/docs/layouts/index.html`;
const browser = await chromium.launch(settings.use?.launchOptions);

try {
  await mkdir(folder, { recursive: true });
  for (const [width, height] of SIZES) {
    const page = await browser.newPage({ viewport: { width, height } });
    page.on('pageerror', (error) => {
      throw error;
    });
    const queries = LAYOUTS.flatMap((layout) => STATES.map((state) => `layout=${layout}&state=${state}`));
    for (const query of [...queries, ...(width === 1280 ? MORE : [])]) await picture(page, query, width);
    await page.close();
  }
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  console.log(await clicksTable(page, site));
  console.log(await visibleTable(page, site));
  await page.setViewportSize({ width: 390, height: 844 });
  console.log(await visibleTable(page, site));
} finally {
  await browser.close();
  server.close();
}

/** @param {import('playwright-core').Page} page @param {string} query @param {number} width */
async function picture(page, query, width) {
  await page.goto(`${site}?${query}&step=17&bare`);
  await page.locator('[data-part=message]').waitFor();
  const keys = (await page.locator('body').innerText()).match(/\b[a-z]+\.[a-z]+_[a-z_]+/g);
  if (keys) throw new Error(`${query} shows keys of i18n instead of texts: ${keys.join(', ')}`);
  const name = query.replace(/\w+=/g, '').replaceAll('&', '-');
  await page.screenshot({ path: join(folder, `${name}-${width}.png`) });
}
