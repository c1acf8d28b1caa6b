// Chromium and Firefox through puppeteer-core.

import puppeteer from 'puppeteer-core';

/** @typedef {import('./engines.js').Driver} Driver */
/** @typedef {import('./engines.js').Places} Places */

/** @param {string} executablePath @param {Places} places @returns {Promise<Driver>} */
export async function chromium(executablePath, { profile, downloads }) {
  return drive(
    await puppeteer.launch({
      executablePath,
      userDataDir: profile,
      downloadBehavior: { policy: 'allow', downloadPath: downloads },
      args: ['--no-sandbox', '--lang=en-US'],
    }),
  );
}

/** @param {string} executablePath @param {Places} places @returns {Promise<Driver>} */
export async function firefox(executablePath, { profile, downloads }) {
  return drive(
    await puppeteer.launch({
      browser: 'firefox',
      executablePath,
      userDataDir: profile,
      // Firefox has no command for the size of the screen.
      defaultViewport: null,
      extraPrefsFirefox: {
        'browser.download.dir': downloads,
        'browser.download.folderList': 2,
        'intl.accept_languages': 'en-US',
      },
    }),
  );
}

/** @param {import('puppeteer-core').Browser} browser @returns {Promise<Driver>} */
async function drive(browser) {
  const page = await browser.newPage();
  // A browser without a window has no dialog of the system: an export becomes a download.
  await page.evaluateOnNewDocument(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  return {
    version: await browser.version(),
    open: async (address) => void (await page.goto(address, { waitUntil: 'domcontentloaded' })),
    evaluate: (work, ...given) => /** @type {Promise<any>} */ (page.evaluate(/** @type {any} */ (work), ...given)),
    click: (selector) => page.click(selector),
    async pick(selector, file) {
      const input = await page.$(selector);
      if (!input) throw new Error(`the page has no ${selector}`);
      await /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (input).uploadFile(file);
    },
    close: () => browser.close(),
  };
}
