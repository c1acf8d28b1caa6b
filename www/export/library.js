// The library of the demo page: transformers.js and its runtime, which the site has beside the page. They are loaded
// only for an export that takes the demo.

import { t } from '../i18n.js';
import { RequestError } from '../session.js';

/** @typedef {import('../protocol.js').ExportedFile} ExportedFile */
/** @typedef {import('../protocol.js').LibraryFile} LibraryFile */

const FOLDER = new URL('../../demo/', import.meta.url);

/** @type {Promise<ExportedFile[]|null>|null} */
let list = null;

/**
 * The names and sizes of the files; null where the site does not have them.
 * @param {typeof fetch} get
 * @returns {Promise<ExportedFile[]|null>}
 */
export function libraryList(get = fetch) {
  list ??= readList(get).then((files) => {
    // The next visit of the view tries again.
    if (files === null) list = null;
    return files;
  });
  return list;
}

/** @param {typeof fetch} get */
async function readList(get) {
  try {
    const response = await get(new URL('files.json', FOLDER));
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/**
 * Loads the files.
 * @param {ExportedFile[]} files
 * @param {AbortSignal} signal
 * @param {typeof fetch} get
 * @returns {Promise<LibraryFile[]>}
 */
export async function loadLibrary(files, signal, get = fetch) {
  return Promise.all(
    files.map(async ({ name, bytes }) => {
      const response = await get(new URL(name, FOLDER), { signal });
      const file = response.ok ? await response.blob() : null;
      if (file?.size !== bytes)
        throw new RequestError({ code: 'download', message: t('export.library_failed', { name }), field: null });
      return { name, file };
    }),
  );
}
