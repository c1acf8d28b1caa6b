// Whether the dataset has rows that exist only in this tab, so that replacing them would lose the visitor's work.

/** @typedef {import('../state.js').AppState} AppState */

/** @param {AppState} state */
export function isUnsaved(state) {
  const { source, savedRevision } = state;
  const dataset = state.dataset;
  if (!dataset || dataset.num_rows === 0 || source.kind === 'toy' || source.revision === savedRevision) return false;
  // A table that was not edited is still in its file, or on the Hub.
  return dataset.source === 'cards' || dataset.edited;
}
