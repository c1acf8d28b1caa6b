// What ends a run.

import { SoakPage } from './page.js';

/** @typedef {import('@playwright/test').Browser} Browser */
/** @typedef {import('@playwright/test').BrowserContext} BrowserContext */

export const KILLS = /** @type {const} */ (['close', 'renderer', 'worker', 'quota', 'gpu-process', 'device']);
/** @typedef {typeof KILLS[number]} Kill */

/** Bytes of a storage that is full. */
const NO_ROOM = 1;

/**
 * Ends the run of a page, and returns the page in which it continues.
 * @param {Kill} chosen
 * @param {SoakPage} soaked
 * @param {Browser} browser
 * @param {BrowserContext} context
 * @param {import('../browser/server.js').TestServer} server
 * @returns {Promise<SoakPage>}
 */
export async function kill(chosen, soaked, browser, context, server) {
  const { page, device } = soaked;
  switch (chosen) {
    case 'close':
      await page.close();
      return reopened();
    case 'renderer': {
      const crashed = page.waitForEvent('crash');
      const session = await context.newCDPSession(page);
      // The crash ends the session before it can answer.
      void session.send('Page.crash').catch(() => {});
      await crashed;
      return reopened();
    }
    case 'worker': {
      const worker = page.workers().find((candidate) => candidate.url().endsWith('/worker.js'));
      await worker?.evaluate(() => self.close());
      return soaked;
    }
    case 'quota': {
      const session = await context.newCDPSession(page);
      await session.send('Storage.overrideQuotaForOrigin', { origin: server.origin, quotaSize: NO_ROOM });
      await soaked.notSaved();
      await session.send('Storage.overrideQuotaForOrigin', { origin: server.origin });
      await page.close();
      return reopened();
    }
    case 'gpu-process': {
      const session = await browser.newBrowserCDPSession();
      void session.send('Browser.crashGpuProcess').catch(() => {});
      return soaked;
    }
    case 'device':
      await page.evaluate(() => {
        const channel = new BroadcastChannel('webtune-test');
        channel.postMessage('break');
        channel.close();
      });
      return soaked;
  }

  async function reopened() {
    const next = await SoakPage.open(context, server, device);
    await next.resume();
    return next;
  }
}
