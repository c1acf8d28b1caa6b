// A test fixture with a fake Hub. Requests of the page to it must not identify the visitor.

import { expect, test as base } from './fixtures.js';
import { HubServer } from './hub-server.js';

/** @type {import('@playwright/test').Fixtures<{hub: HubServer}, {}, {webtune: import('./webtune.js').Webtune}>} */
const withHub = {
  hub: async ({ webtune }, use) => {
    const hub = await HubServer.start();
    webtune.allow(/leaves the site/);
    await use(hub);
    // No token, cookie or referrer, and no CORS preflight request.
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
