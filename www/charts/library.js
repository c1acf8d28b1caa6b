// The charting library. Its module formats a number in the browser's language when it is loaded, and throws where that
// language is no valid locale (WebKit under the locale C). The rest of the page must work without it.

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

/** @type {ReturnType<typeof loadLibrary>|null} */
let library = null;
/** uPlot with its style sheet, or why it cannot be loaded. */
export const uPlotLibrary = () =>
  (library ??= loadLibrary(async () => {
    const [module] = await Promise.all([import('../../vendor/uplot.js'), styleSheet('../vendor/uplot.css')]);
    return module;
  }));
