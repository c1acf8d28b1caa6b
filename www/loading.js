// Loads a model into the worker, from this site, from the Hub, or from the visitor's disk.

import { patchStage } from './state.js';

/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./state.js').Origin} Origin */
/** @typedef {import('./state.js').Store<import('./state.js').AppState>} AppStore */

/**
 * The addresses that models and datasets are loaded from.
 * @typedef {object} Sources
 * @property {string} modelBase  absolute URL of the folder of the site's model, ends in /
 * @property {string} endpoint   address of the Hub; empty for huggingface.co
 * @property {string} datasets   address of the service that has the rows of datasets; empty for that of the Hub
 */

/**
 * Loads a model. The store keeps the model and the origin of before until the worker has loaded the new one.
 * @param {import('./session.js').Session} session
 * @param {AppStore} store
 * @param {Sources} sources
 * @param {Origin} origin
 */
export async function loadModel(session, store, sources, origin) {
  store.update({ download: null, phase: null, retry: null, notices: [], attempted: origin });
  const onEvent = (/** @type {ProgressEvent} */ event) => onLoadingEvent(store, event);
  try {
    const model = await request(session, sources, origin, onEvent);
    store.update({ model, origin, archive: { kind: 'idle' }, phase: null });
  } finally {
    store.update({ retry: null });
  }
}

/**
 * @param {import('./session.js').Session} session
 * @param {Sources} sources
 * @param {Origin} origin
 * @param {(event: ProgressEvent) => void} onEvent
 */
function request(session, { modelBase, endpoint }, origin, onEvent) {
  switch (origin.kind) {
    case 'site':
      return session.request({ type: 'load_model', base: modelBase }, onEvent);
    case 'disk':
      return session.request({ type: 'load_files', ...filesOf(origin) }, onEvent);
    case 'hub':
      // Without this permission the browser may delete a stored model when the disk is full. Loading works either way.
      void globalThis.navigator?.storage?.persist?.().catch(() => false);
      return session.request({ type: 'load_hub', endpoint, repo: origin.repo }, onEvent);
  }
}

/**
 * The files of a disk, and the folder that is the model where the visitor has chosen one of several.
 * @param {Extract<Origin, {kind: 'disk'}>} origin
 */
const filesOf = ({ name, files, folder }) => (folder === undefined ? { name, files } : { name, files, folder });

/**
 * @param {AppStore} store
 * @param {ProgressEvent} event
 */
function onLoadingEvent(store, event) {
  const { notices } = store.state;
  switch (event.kind) {
    case 'phase':
      return store.update({ phase: event.phase });
    case 'retry':
      return store.update({ retry: event });
    case 'notice':
      if (!notices.includes(event.code)) store.update({ notices: [...notices, event.code] });
      return;
    case 'download':
      store.update({ download: event, retry: null });
      return patchStage(store, 'model', { progress: event.total > 0 ? event.loaded / event.total : null });
    default:
  }
}
