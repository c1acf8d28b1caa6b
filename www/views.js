// The views of the workspace, of which one is shown: the overview, every stage, and the export.

import { STAGES } from './stages.js';

export const VIEWS = /** @type {const} */ (['overview', ...STAGES, 'export']);
/** @typedef {typeof VIEWS[number]} View */

/**
 * The view that a fragment of the address names, or null.
 * @param {string} hash  with its `#`
 * @returns {View|null}
 */
export const viewOfHash = (hash) => VIEWS.find((view) => `#${view}` === hash) ?? null;
