// How much has to be downloaded before a run can begin.

import { knownModel } from './models.js';

/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {import('./protocol.js').StoredModel} StoredModel */

/** The revision of a model that is named without one. */
const DEFAULT_REVISION = 'main';

/**
 * The bytes that are still to be downloaded for the chosen model; null where that is not known. A model of this site
 * may be in the browser's cache, which a page cannot ask.
 * @param {Pick<AppState, 'model'|'origin'|'stored'>} state
 * @param {boolean} ownFolder  whether the address of the page names another folder than that of the built-in model
 * @returns {number|null}
 */
export function downloadSize({ model, origin, stored }, ownFolder = false) {
  if (model || origin.kind === 'disk') return 0;
  if (origin.kind === 'site' && ownFolder) return null;
  const bytes = knownModel(origin)?.bytes ?? null;
  if (origin.kind === 'site') return bytes;
  const found = stored?.models.find((candidate) => isOf(candidate, origin.repo));
  if (found?.complete) return 0;
  return bytes === null ? null : Math.max(0, bytes - (found?.bytes ?? 0));
}

/**
 * @param {StoredModel} model
 * @param {string} asked  `owner/name` or `owner/name@revision`
 */
function isOf({ repo, revision }, asked) {
  const [name, wanted = DEFAULT_REVISION] = asked.trim().split('@');
  return repo === name && revision === wanted;
}
