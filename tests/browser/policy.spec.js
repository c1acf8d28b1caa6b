// The policy of the page and of its workers, on a host that sends headers and on one that does not: what it refuses,
// and that another Hub can be configured.

import { expect, test } from './fixtures.js';
import { SITE, STATIC_HOST } from './server.js';
import { QUICK } from './webtune.js';

/** @typedef {import('@playwright/test').Page} Page */

/**
 * What a scope refuses. Runs in the page or in a worker.
 * @param {string} elsewhere
 */
async function refusals(elsewhere) {
  const scope = /** @type {any} */ (globalThis);
  /** @type {string[]} */
  const broken = [];
  addEventListener('securitypolicyviolation', (event) => {
    broken.push(/** @type {SecurityPolicyViolationEvent} */ (event).effectiveDirective);
  });
  const fails = async (/** @type {() => unknown} */ act) => {
    try {
      await act();
      return 'done';
    } catch (error) {
      return error instanceof Error ? error.name : String(error);
    }
  };
  // In a task of its own, because the call of a test may evaluate texts.
  const code = await new Promise((resolve) => setTimeout(() => resolve(fails(() => new Function('return 1')()))));
  const found = {
    connect: await fails(() => fetch(elsewhere, { mode: 'no-cors' })),
    code,
    worker: await fails(() => new Worker('worker.js', { type: 'module' })),
    policy: await fails(() => scope.trustedTypes.createPolicy('default', {})),
  };
  await new Promise((resolve) => setTimeout(resolve));
  return { ...found, broken: [...new Set(broken)].sort() };
}

/**
 * The directives that refuse a request. Runs in the page or in a worker.
 * @param {string} url
 */
async function refusedBy(url) {
  /** @type {string[]} */
  const broken = [];
  const listener = (/** @type {Event} */ event) =>
    void broken.push(/** @type {SecurityPolicyViolationEvent} */ (event).effectiveDirective);
  addEventListener('securitypolicyviolation', listener);
  await fetch(url, { mode: 'no-cors' }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve));
  removeEventListener('securitypolicyviolation', listener);
  // The element of the page and the header refuse it, each for itself.
  return [...new Set(broken)];
}

/**
 * Evaluates a function in the page, and in its worker. A thread of the CPU device cannot be asked: it waits for work.
 * @param {Page} page
 */
function scopesOf(page) {
  const worker = page.workers().find((one) => one.url().endsWith('/www/worker.js'));
  if (!worker) throw new Error('the page has no worker');
  /** @typedef {<R>(act: (given: string) => Promise<R>, given: string) => Promise<R>} Evaluate */
  return /** @type {Evaluate[]} */ ([
    (act, given) => page.evaluate(act, given),
    (act, given) => worker.evaluate(act, given),
  ]);
}

const REFUSED = { connect: 'TypeError', code: 'EvalError', worker: 'TypeError', policy: 'TypeError' };

for (const site of [SITE, STATIC_HOST])
  test(`neither the page nor a worker can send, or make code from texts (${site})`, async ({ webtune, server }) => {
    const { page } = webtune;
    webtune.allow(/Content Security Policy|Content-Security-Policy|Trusted|Fetch API cannot load|evaluate a string/);
    /** @type {string[]} */
    const warnings = [];
    page.on('console', (message) => void (message.type() === 'warning' && warnings.push(message.text())));
    await webtune.open({ ...QUICK, device: 'cpu', threads: 2 }, site);
    expect(warnings, 'the browser knows every name in the headers').toEqual([]);
    await webtune.press('run-model');
    // The same server under another name is another origin.
    const elsewhere = server.origin.replace('127.0.0.1', 'localhost');
    const before = server.strays.length;
    for (const evaluate of scopesOf(page)) {
      const { broken, ...refused } = await evaluate(refusals, `${elsewhere}/stray`);
      expect(refused).toEqual(REFUSED);
      expect(broken).toEqual(expect.arrayContaining(['connect-src', 'require-trusted-types-for', 'trusted-types']));
    }
    expect(server.strays.length).toBe(before);
    const markup = await page.evaluate(() => {
      const texts = ['<img src=x>', '<b>text</b>'].map((text) => {
        try {
          document.body.insertAdjacentHTML('beforeend', text);
          return 'done';
        } catch (error) {
          return error instanceof Error ? error.name : String(error);
        }
      });
      const styled = document.createElement('p');
      styled.setAttribute('style', 'position: fixed');
      document.body.append(styled);
      const { position } = getComputedStyle(styled);
      styled.remove();
      return { texts, position };
    });
    expect(markup).toEqual({ texts: ['TypeError', 'TypeError'], position: 'static' });
  });

test('a site allows the Hub and the hosts that it names, and no other', async ({ webtune, server }) => {
  webtune.allow(/Content Security Policy|Fetch API cannot load|Failed to load resource|leaves the site/);
  const named = server.origin.replace('127.0.0.1', 'localhost');
  server.allowHosts(named);
  await webtune.open({ ...QUICK, device: 'cpu' });
  const path = '/classroom/models-test/tiny/config.json';
  const arrived = () => server.requests.filter((request) => request === path).length;
  for (const evaluate of scopesOf(webtune.page)) {
    const before = arrived();
    expect(await evaluate(refusedBy, named + path)).toEqual([]);
    expect(arrived()).toBe(before + 1);
    // That of the Hub is in the policy of a site that names no other.
    for (const other of ['https://huggingface.co/', 'https://elsewhere.invalid/'])
      expect(await evaluate(refusedBy, other)).toEqual(['connect-src']);
  }
});
