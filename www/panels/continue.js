// Continue from a folder: loads a model of the visitor's, as a .zip or a folder, picked or dropped. The worker reads
// the files from the disk; nothing is uploaded.

import { RequestError } from '../session.js';
import { h, setOff, setText } from '../dom.js';
import { t } from '../i18n.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../protocol.js').ModelFile} ModelFile */
/** @typedef {Extract<import('../state.js').Origin, {kind: 'disk'}>} DiskOrigin */

/** The depth to which a dropped folder is searched, so that a dropped disk is not listed completely. */
const MAX_DEPTH = 4;
let lastId = 0;

/** @param {import('../app.js').App} app */
export function continuePanel({ store, workflow }) {
  const load = (/** @type {Promise<ModelFile[]>} */ files) => void workflow.loadFrom(files.then(origin));
  const zip = picker({ accept: '.zip,application/zip', 'data-testid': 'pick-zip' }, load);
  const folder = picker({ webkitdirectory: true, 'data-testid': 'pick-folder' }, load);
  const button = (/** @type {string} */ key, /** @type {() => void} */ click, /** @type {string} */ testId) =>
    h('button', { type: 'button', class: 'secondary', 'data-testid': testId, i18n: key, on: { click } });
  const pickZip = button('continue.zip', () => zip.click(), 'continue-zip');
  const pickFolder = button('continue.folder', () => folder.click(), 'continue-folder');
  const back = button('continue.back', () => void workflow.loadFrom({ kind: 'site' }), 'continue-back');
  const own = h('p', { class: 'note', role: 'status' });
  const element = h(
    'div',
    { class: 'drop-zone', 'data-testid': 'continue' },
    h('p', { class: 'note', i18n: 'continue.about' }),
    h('div', { class: 'actions' }, pickZip, pickFolder, back, zip, folder),
    own,
  );

  const off = () => isBlocked(store.state);
  store.watch(['busy', 'opened', 'fatal', 'origin', 'model', 'language'], ({ origin: from, model }) => {
    for (const each of [pickZip, pickFolder, back]) setOff(each, off());
    const leaves = from.kind !== 'disk' && document.activeElement === back;
    back.hidden = from.kind !== 'disk';
    if (leaves) pickZip.focus();
    setText(own, from.kind === 'disk' && model ? t('continue.own', { name: model.name }) : '');
  });
  takeDrops(element, off, load);
  return element;
}

/**
 * A hidden file field, which a button opens.
 * @param {Record<string, string|boolean>} attributes
 * @param {(files: Promise<ModelFile[]>) => void} load
 */
function picker(attributes, load) {
  return h('input', {
    type: 'file',
    hidden: true,
    ...attributes,
    on: {
      change: ({ target }) => {
        const files = [...target.files].map((file) => ({ path: file.webkitRelativePath || file.name, blob: file }));
        // Without this, choosing the same file again fires no event.
        target.value = '';
        if (files.length > 0) load(Promise.resolve(files));
      },
    },
  });
}

/**
 * Loads files that are dropped onto the section. Other drops are ignored, or the browser would open the file instead.
 * @param {HTMLElement} zone
 * @param {() => boolean} off
 * @param {(files: Promise<ModelFile[]>) => void} load
 */
function takeDrops(zone, off, load) {
  const over = (/** @type {DragEvent} */ { target }) =>
    !off() && target instanceof Element && target.closest('#model') !== null;
  const dragged = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = over(event) ? 'copy' : 'none';
    zone.classList.toggle('dropping', over(event));
  };
  window.addEventListener('dragenter', dragged);
  window.addEventListener('dragover', dragged);
  window.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) zone.classList.remove('dropping');
  });
  window.addEventListener('drop', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    zone.classList.remove('dropping');
    if (over(event)) load(dropped(event.dataTransfer));
  });
}

/**
 * The dropped files, including those in dropped folders. The entries are only accessible during the event.
 * @param {DataTransfer} transfer
 */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  const plain = [...transfer.files].map((file) => ({ path: file.name, blob: file }));
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  return (await Promise.all(entries.map((entry) => (entry ? below(entry, MAX_DEPTH) : [])))).flat();
}

/**
 * @param {FileSystemEntry} entry
 * @param {number} levels
 * @returns {Promise<ModelFile[]>}
 */
async function below(entry, levels) {
  if (entry.isFile) {
    const blob = await new Promise((found, failed) => /** @type {FileSystemFileEntry} */ (entry).file(found, failed));
    return [{ path: entry.fullPath.replace(/^\//, ''), blob }];
  }
  if (levels === 0) return [];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    // A folder is listed in batches, up to an empty one.
    const batch = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ found, failed) =>
      reader.readEntries(found, failed),
    );
    if (batch.length === 0) break;
    entries.push(...batch);
  }
  return (await Promise.all(entries.map((inside) => below(inside, levels - 1)))).flat();
}

/**
 * The files that the worker may need: one archive, or the files beside a config.json, below the folder that was chosen.
 * The worker decides which folder is the model.
 * @param {ModelFile[]} files
 * @returns {DiskOrigin}
 */
export function origin(files) {
  const id = ++lastId;
  const [first] = files;
  if (files.length === 1 && first && /\.zip$/i.test(first.path)) {
    return { kind: 'disk', id, name: first.path.split('/').at(-1) ?? '', files: [first] };
  }
  const folderOf = (/** @type {string} */ path) => path.slice(0, path.lastIndexOf('/') + 1);
  const configs = files.filter(({ path }) => path.slice(folderOf(path).length) === 'config.json');
  const folders = new Set(configs.map(({ path }) => folderOf(path)));
  const top = first?.path.includes('/') ? (first.path.split('/')[0] ?? '') : '';
  if (folders.size === 0) {
    const name = top || (first?.path ?? '');
    throw new RequestError({ code: 'model_file', message: t('continue.no_config', { name }), field: null });
  }
  return {
    kind: 'disk',
    id,
    name: top || t('continue.unnamed'),
    files: files.filter(({ path }) => folders.has(folderOf(path))),
  };
}
