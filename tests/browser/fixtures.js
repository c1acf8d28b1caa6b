// The fixtures of every test: the server and the page. A test fails after an error in a console that it does not allow,
// a request outside of the site's folder, or a request to another site.

import { test as base, expect } from '@playwright/test';
import { TestServer } from './server.js';
import { Webtune } from './webtune.js';

/** @import {Fixtures, PlaywrightTestArgs, PlaywrightTestOptions} from '@playwright/test' */
/** @import {PlaywrightWorkerArgs, PlaywrightWorkerOptions} from '@playwright/test' */
/** @typedef {PlaywrightTestArgs & PlaywrightTestOptions} TestOptions */
/** @typedef {PlaywrightWorkerArgs & PlaywrightWorkerOptions} WorkerOptions */

/** @type {Fixtures<{webtune: Webtune, server: TestServer}, {running: TestServer}, TestOptions, WorkerOptions>} */
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
    // A browser without a window has no dialog of the system: an export becomes a download.
    await page.addInitScript(() =>
      Object.defineProperty(window, 'showSaveFilePicker', { value: undefined, writable: true }),
    );
    const webtune = new Webtune(page, server);
    await use(webtune);
    expect(await webtune.problems(), 'errors in the console').toEqual([]);
  },
};

export const test = base.extend(fixtures);
export { expect };
