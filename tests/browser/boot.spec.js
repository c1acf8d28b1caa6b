// Every failure before the page runs is a sentence of boot.js with what to do.

import { readFile } from 'node:fs/promises';
import { expect, test } from './fixtures.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {import('@playwright/test').Route} Route */
/** @typedef {import('./webtune.js').Webtune} Webtune */

/**
 * What can happen to a script, and the problem that boot.js names.
 * @type {Record<string, [(route: Route) => Promise<void>, string]>}
 */
const FAILURES = {
  'does not arrive': [(route) => route.abort(), 'script'],
  'is missing': [(route) => route.fulfill({ status: 404, contentType: 'text/html', body: 'gone' }), 'script'],
  'has a syntax error': [(route) => script(route, 'export const = 1;'), 'failed'],
  throws: [(route) => script(route, "throw new RangeError('invalid language tag');"), 'failed'],
};

/**
 * @param {Route} route
 * @param {string} body
 */
const script = (route, body) => route.fulfill({ status: 200, contentType: 'text/javascript', body });

/** @param {Page} page */
const sentence = (page) => page.locator('#boot');

/**
 * The address of the page's module, in the built site.
 * @param {Webtune} webtune
 */
async function mainModule({ page, server }) {
  const html = await (await page.request.get(server.site())).text();
  const main = /<script type="module" src="([^"]+)"/.exec(html)?.[1];
  expect(main, 'the module of the page').toBeTruthy();
  return new URL(main ?? '', server.site()).href;
}

/**
 * The addresses of a module and of all that it imports statically.
 * @param {Webtune} webtune
 * @param {string} module
 */
async function moduleGraph({ page }, module) {
  /** @type {Set<string>} */
  const found = new Set();
  const waiting = [module];
  for (let address = waiting.pop(); address; address = waiting.pop()) {
    if (found.has(address)) continue;
    found.add(address);
    const text = await (await page.request.get(address)).text();
    for (const [, path = ''] of text.matchAll(/^(?:import|export)\b[^;]*?'(\.[^']+)';/gm))
      waiting.push(new URL(path, address).href);
  }
  return [...found];
}

test('each module of the page that does not arrive, is missing, or fails leaves a sentence', async ({ webtune }) => {
  const { page, server } = webtune;
  webtune.allow(/./);
  const main = await mainModule(webtune);
  const modules = await moduleGraph(webtune, main);
  expect(modules.length).toBeGreaterThan(40);
  const kinds = Object.keys(FAILURES);
  // The first module in every way, the others in turn.
  const cases = [
    ...kinds.map((kind) => ({ address: main, kind })),
    ...modules.slice(1).map((address, at) => ({ address, kind: kinds[at % kinds.length] ?? '' })),
  ];
  for (const { address, kind } of cases) {
    const [answer, problem] = FAILURES[kind] ?? [];
    await page.route(address, (route) => answer?.(route));
    await page.goto(server.site(), { waitUntil: 'commit' });
    await expect(sentence(page), `${address} ${kind}`).toHaveAttribute('data-problem', problem ?? '');
    await expect(sentence(page)).toContainText('so the page cannot start');
    await expect(sentence(page)).toContainText('Reload the page.');
    await expect(page.locator('html')).toHaveAttribute('data-boot', 'waits');
    await page.unroute(address);
  }
});

test('each script of the worker, and its module, that is missing is reported with a button to reload', async ({
  webtune,
}) => {
  const { page, server } = webtune;
  webtune.allow(/./);
  const worker = new URL('worker.js', await mainModule(webtune)).href;
  // Without a script that the page imports too, the page itself does not start.
  const ofPage = await moduleGraph(webtune, await mainModule(webtune));
  const files = (await moduleGraph(webtune, worker)).filter((address) => !ofPage.includes(address));
  expect(files.length).toBeGreaterThan(4);
  for (const address of [...files, new URL('../pkg/webtune_shared.wasm', worker).href]) {
    await page.route(address, (route) => route.fulfill({ status: 404, contentType: 'text/html', body: 'gone' }));
    await page.goto(server.site());
    const notice = page.locator('#notices').getByTestId('error');
    await expect(notice, address).toHaveAttribute('data-code', 'fatal');
    await expect(notice).toContainText(/could not be (started|loaded)/);
    await expect(page.getByTestId('reload')).toBeEnabled();
    await page.unroute(address);
  }
});

test('texts of the page that are missing leave a sentence', async ({ webtune }) => {
  const { page, server } = webtune;
  webtune.allow(/./);
  for (const language of ['en', 'ko']) {
    await page.route(`**/i18n/${language}.json`, (route) => route.fulfill({ status: 404, body: 'gone' }));
    await page.goto(`${server.site()}?lang=${language}`);
    await expect(sentence(page)).toContainText(`(${language}.json) could not be loaded: 404`);
    await page.unroute(`**/i18n/${language}.json`);
  }
});

/** What a browser may lack, the problem that boot.js names, and its sentence in both languages. */
const LACKS = /** @type {const} */ ([
  ['modules', () => delete (/** @type {any} */ (HTMLScriptElement.prototype).noModule), 'too old', '오래되어'],
  ['wasm', () => delete (/** @type {any} */ (globalThis).WebAssembly), 'has no WebAssembly', '없거나 꺼져'],
  ['simd', () => (WebAssembly.validate = () => false), 'no SIMD instructions', 'SIMD 명령이 없습니다'],
]);

for (const [lack, remove, english, korean] of LACKS) {
  test(`a browser without ${lack} gets a sentence in its language, and no worker starts`, async ({ webtune }) => {
    const { page, server } = webtune;
    await page.addInitScript(remove);
    for (const [language, text, advice] of [
      ['en', english, 'Use a current version of'],
      ['ko', korean, '최신 버전의'],
    ]) {
      await page.goto(`${server.site()}?lang=${language}`);
      await expect(sentence(page)).toHaveAttribute('data-problem', lack);
      await expect(sentence(page)).toContainText(text);
      await expect(sentence(page)).toContainText(advice);
      await expect(sentence(page)).toHaveAttribute('lang', language);
    }
    await expect(page.locator('html')).toHaveAttribute('data-boot', 'refused');
    expect(server.requests.filter((path) => path.endsWith('/worker.js'))).toEqual([]);
  });
}

test('a module that is late leaves a sentence until the page runs', async ({ webtune }) => {
  const { page, server } = webtune;
  await page.clock.install();
  /** @type {Route|null} */
  let late = null;
  await page.route('**/main.js', (route) => void (late = route));
  await page.goto(server.site(), { waitUntil: 'commit' });
  await expect(page.locator('html')).toHaveAttribute('data-boot', 'waits');
  await expect.poll(() => late).not.toBeNull();
  await page.clock.runFor(20_000);
  await expect(sentence(page)).toHaveAttribute('data-problem', 'slow');
  await expect(sentence(page)).toContainText('still loading');
  await page.clock.resume();
  await /** @type {any} */ (late).continue();
  await expect(page.locator('html')).toHaveAttribute('data-boot', 'runs');
  await expect(sentence(page)).toHaveCount(0);
});

test('the page runs without boot.js, and boot.js is silent about a page that runs', async ({ webtune }) => {
  const { page, server } = webtune;
  webtune.allow(/boot\.js|ERR_FAILED|late/);
  await page.route('**/boot.js', (route) => route.abort());
  await page.goto(server.site());
  await expect(page.locator('html')).toHaveAttribute('data-boot', 'runs');
  await page.unroute('**/boot.js');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-boot', 'runs');
  await page.evaluate(() => {
    setTimeout(() => {
      throw new Error('late');
    });
    return new Promise((thrown) => window.addEventListener('error', thrown, { once: true })).then(() => {});
  });
  await expect(sentence(page)).toHaveCount(0);
});
