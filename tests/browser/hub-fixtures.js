// A test fixture with a fake Hub. Requests of the page to it must not identify the visitor.

import { expect, test as base } from './fixtures.js';
import { HubServer } from './hub-server.js';

/** @typedef {{webtune: import('./webtune.js').Webtune, server: import('./server.js').TestServer}} Given */

/** @type {import('@playwright/test').Fixtures<{hub: HubServer}, {}, Given>} */
const withHub = {
  hub: async ({ webtune, server }, use) => {
    const hub = await HubServer.start();
    server.allowHosts(hub.endpoint, hub.storage);
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
