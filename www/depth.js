// How much the page shows: `teach` explains, `explore` has the usual controls, `expert` opens everything. A depth folds
// elements and removes none.

export const DEPTHS = /** @type {const} */ (['teach', 'explore', 'expert']);
/** @typedef {typeof DEPTHS[number]} Depth */

/** @param {string|null} name @returns {Depth|null} */
export const depthOf = (name) => DEPTHS.find((depth) => depth === name) ?? null;

/**
 * Whether a fold is open at a depth. `teach-only` is for explanations, which the other depths fold.
 * @param {Depth|'teach-only'} element
 * @param {Depth} shown
 */
export function isOpenAt(element, shown) {
  if (element === 'teach-only') return shown === 'teach';
  return DEPTHS.indexOf(element) <= DEPTHS.indexOf(shown);
}
