// The memory of a long run: from minute 5 on, heap and GPU buffers stay within 2 %.

import { SoakPage } from './page.js';

/** @typedef {{minute: number, heap: number, gpu: number}} Sample  bytes */
/** @typedef {{device: string, minutes: number, samples: Sample[], isFlat: boolean}} Watched */

const MINUTE = 60_000;
const SETTLED_MINUTES = 5;
const TOLERANCE = 0.02;

/**
 * @param {import('@playwright/test').Browser} browser
 * @param {import('../browser/server.js').TestServer} server
 * @param {number} minutes  of each device
 * @returns {Promise<Watched[]>}
 */
export async function watchMemory(browser, server, minutes) {
  /** @type {Watched[]} */
  const watched = [];
  if (minutes <= 0) return watched;
  for (const device of /** @type {const} */ (['cpu', 'webgpu'])) {
    const context = await browser.newContext();
    const soaked = await SoakPage.openEndless(context, server, device);
    await soaked.start();
    /** @type {Sample[]} */
    const samples = [];
    for (let minute = 0; minute <= minutes; minute += 1) {
      samples.push({ minute, ...(await measure(soaked)) });
      await soaked.page.waitForTimeout(MINUTE);
    }
    await context.close();
    watched.push({ device, minutes, samples, isFlat: isFlat(samples) });
  }
  return watched;
}

/** @param {SoakPage} soaked */
async function measure({ page }) {
  const worker = page.workers().find((candidate) => candidate.url().endsWith('/worker.js'));
  if (!worker) throw new Error('the page has no worker');
  return worker.evaluate(() => {
    const scope = /** @type {any} */ (globalThis);
    return {
      heap: /** @type {number} */ (scope.wasmBytes()),
      gpu: /** @type {number} */ (scope.counters.counts.liveBytes),
    };
  });
}

/** @param {Sample[]} samples */
function isFlat(samples) {
  const settled = samples.filter(({ minute }) => minute >= SETTLED_MINUTES);
  const isSteady = (/** @type {number[]} */ values) =>
    Math.max(...values) <= (1 + TOLERANCE) * Math.min(...values) || Math.max(...values) === 0;
  return settled.length < 2 || (isSteady(settled.map(({ heap }) => heap)) && isSteady(settled.map(({ gpu }) => gpu)));
}
