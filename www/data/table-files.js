// Which of the chosen files are a table, and their name.

import { noTable } from './own-data.js';
import { t } from '../i18n.js';

/** @typedef {import('../protocol.js').VisitorFile} DiskFile */
/** @typedef {Extract<import('../state.js').ImportInput, {kind: 'files'}>} FilesInput */

const isText = (/** @type {DiskFile} */ { path }) => /\.txt$/i.test(path);
const inFolder = (/** @type {DiskFile} */ { path }) => path.includes('/');
const fileName = (/** @type {string} */ path) => path.split('/').at(-1) ?? '';

/**
 * One file is a table. Texts in folders are rows, each of the class that its folder names.
 * @param {DiskFile[]} chosen
 * @returns {FilesInput}
 */
export function tableOf(chosen) {
  const visible = chosen.filter(({ path }) => !fileName(path).startsWith('.'));
  const texts = visible.filter((file) => isText(file) && inFolder(file));
  const [first] = visible;
  if (texts.length > 0) {
    // A browser lists a folder in the order of the disk. The split of a seed depends on the order of the rows.
    const files = texts.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    return { kind: 'files', name: files[0]?.path.split('/')[0] ?? '', files };
  }
  if (!first) throw noTable(t('import.no_file'));
  if (visible.length > 1) throw noTable(t(visible.some(inFolder) ? 'import.no_texts' : 'import.several'));
  return { kind: 'files', name: fileName(first.path), files: [{ path: fileName(first.path), blob: first.blob }] };
}

/**
 * A pasted table.
 * @param {string} text
 * @returns {FilesInput}
 */
export function pasted(text) {
  const path = 'pasted.txt';
  return { kind: 'files', name: t('import.pasted'), files: [{ path, blob: new Blob([text]) }] };
}
