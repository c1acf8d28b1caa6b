// What every test is given: the server, and the page on it. A test fails when anything was written to a console as an error
// that it did not name, when the page asked for something outside of its own folder, or when a request left the site.

import { test as base, expect } from '@playwright/test';
import { TestServer } from './server.js';
import { Webtune } from './webtune.js';

/** @typedef {import('@playwright/test').PlaywrightTestArgs & import('@playwright/test').PlaywrightTestOptions} GivenTest */
/** @typedef {import('@playwright/test').PlaywrightWorkerArgs & import('@playwright/test').PlaywrightWorkerOptions} GivenWorker */

/** @type {import('@playwright/test').Fixtures<{webtune: Webtune, server: TestServer}, {running: TestServer}, GivenTest, GivenWorker>} */
const fixtures = {
  running: [
    async ({}, use) => {
      const server = await TestServer.start();
      await use(server);
      await server.close();
    },
    { scope: 'worker' },
  ],
  server: async ({ running }, use) => {
    running.reset();
    await use(running);
    expect(running.strays, 'requests outside of the site').toEqual([]);
  },
  webtune: async ({ page, server }, use) => {
    const webtune = new Webtune(page, server);
    await use(webtune);
    expect(await webtune.problems(), 'errors in the console').toEqual([]);
  },
};

export const test = base.extend(fixtures);
export { expect };
