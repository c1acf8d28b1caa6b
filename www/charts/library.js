// The charting library. The rest of the page must work without it.

import { currentLanguage } from '../i18n.js';
import { styleSheet } from '../style-sheet.js';

/** @typedef {typeof import('../../vendor/uplot.js').default} UPlot  the class */

/**
 * Loads uPlot once.
 * @param {() => Promise<{default: UPlot}>} load
 * @returns {Promise<{uPlot: UPlot, problem: null} | {uPlot: null, problem: string}>}
 */
export async function loadLibrary(load) {
  try {
    return { uPlot: (await load()).default, problem: null };
  } catch (error) {
    return { uPlot: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Replaces a language of the browser that is no locale, as "C" of WebKit under the locale C and "en-US@posix" of
 * Chromium are: uPlot's module would throw (https://github.com/leeoniya/uPlot/pull/1054, merged after 1.6.32).
 * @param {{language?: string}} browser
 */
export function repairLanguage(browser) {
  try {
    new Intl.NumberFormat(browser.language);
  } catch {
    Object.defineProperty(browser, 'language', { value: currentLanguage(), configurable: true });
  }
}

/** @type {ReturnType<typeof loadLibrary>|null} */
let library = null;
/** uPlot with its style sheet, or why it cannot be loaded. */
export const uPlotLibrary = () =>
  (library ??= loadLibrary(async () => {
    repairLanguage(navigator);
    const [module] = await Promise.all([import('../../vendor/uplot.js'), styleSheet('../vendor/uplot.css')]);
    return module;
  }));
