// Files of the visitor's disk, picked or dropped. Nothing is uploaded: the worker reads them.

import { h } from './dom.js';

/** @typedef {import('./protocol.js').VisitorFile} DiskFile */

/**
 * A part of the page that takes files which are dropped onto it.
 * @typedef {object} DropTarget
 * @property {(target: Element) => boolean} accepts  whether it takes a drop on an element now
 * @property {(over: boolean) => void} show          whether files are held over it
 * @property {(files: Promise<DiskFile[]>) => void} take
 */

/** The depth to which a dropped folder is searched, so that a dropped disk is not listed completely. */
const MAX_DEPTH = 4;

/** The first one that accepts a drop takes it. @type {DropTarget[]} */
const targets = [];

/**
 * A hidden file field, which a button opens.
 * @param {Record<string, string|boolean>} attributes
 * @param {(files: Promise<DiskFile[]>) => void} load
 */
export function picker(attributes, load) {
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
 * Takes files that are dropped onto a part of the page. Other drops of files are ignored, or the browser would open
 * the file instead of the page.
 * @param {DropTarget} target
 */
export function takeDrops(target) {
  if (targets.length === 0) listen();
  targets.push(target);
}

function listen() {
  const takes = (/** @type {DragEvent} */ { target }) =>
    target instanceof Element ? targets.find(({ accepts }) => accepts(target)) : undefined;
  const show = (/** @type {DropTarget|undefined} */ over) => {
    for (const each of targets) each.show(each === over);
  };
  const dragged = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    const over = takes(event);
    event.dataTransfer.dropEffect = over ? 'copy' : 'none';
    show(over);
  };
  window.addEventListener('dragenter', dragged);
  window.addEventListener('dragover', dragged);
  window.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) show(undefined);
  });
  window.addEventListener('drop', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    show(undefined);
    takes(event)?.take(dropped(event.dataTransfer));
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
 * @returns {Promise<DiskFile[]>}
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
 * Saves a file as a download of the browser.
 * @param {string} file
 * @param {Blob} blob
 */
export function save(file, blob) {
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: file }).click();
  // The download has begun when the click returns, but some browsers read the URL in a later task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
