// A test with a Hub of its own beside the page. Whatever the page asks of it must give nothing away.

import { expect, test as base } from './fixtures.js';
import { HubServer } from './hub-server.js';

/** @type {import('@playwright/test').Fixtures<{hub: HubServer}, {}, {webtune: import('./webtune.js').Webtune}>} */
const withHub = {
  hub: async ({ webtune }, use) => {
    const hub = await HubServer.start();
    webtune.allow(/leaves the site/);
    await use(hub);
    // No token, no cookie, no address of the page, and no question that another site must allow first.
    for (const { path, headers, method } of hub.asked) {
      expect([path, method, headers.authorization, headers.cookie, headers.referer]).toEqual([
        path,
        'GET',
        undefined,
        undefined,
        undefined,
      ]);
    }
    await hub.close();
  },
};
export const test = base.extend(withHub);
export { expect };
