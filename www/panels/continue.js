// Continue from a folder: loads a model of the visitor's, as a .zip or a folder, picked or dropped. The worker reads
// the files from the disk; nothing is uploaded.

import { picker, takeDrops } from '../files.js';
import { RequestError } from '../session.js';
import { h, setOff, setText } from '../dom.js';
import { t } from '../i18n.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../protocol.js').VisitorFile} VisitorFile */
/** @typedef {Extract<import('../state.js').Origin, {kind: 'disk'}>} DiskOrigin */

let lastId = 0;

/** @param {import('../app.js').App} app */
export function continuePanel({ store, workflow }) {
  const load = (/** @type {Promise<VisitorFile[]>} */ files) => void workflow.loadFrom(files.then(origin));
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
  takeDrops({
    accepts: (target) => !off() && target.closest('#model') !== null,
    show: (over) => element.classList.toggle('dropping', over),
    take: load,
  });
  return element;
}

/**
 * The files that the worker may need: one archive, or the files beside a config.json, below the folder that was chosen.
 * The worker decides which folder is the model.
 * @param {VisitorFile[]} files
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
