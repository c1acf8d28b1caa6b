// The list of the parts of an export: a tick box for each, what it is for, its size, and its files.

import { NETWORKS, filesSize, rememberParts, toggled } from '../export/parts.js';
import { h, replace, setAttribute, setText } from '../dom.js';
import { bytes, t, tOr } from '../i18n.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../protocol.js').ExportPart} ExportPart */
/** @typedef {import('../protocol.js').ExportedFile} ExportedFile */
/** @typedef {import('../export/parts.js').PlannedPart} PlannedPart */

/** In the order of the list: the model, what the web needs, what Python needs, the records. */
const PARTS = /** @type {ExportPart[]} */ (['model', 'adapter', ...NETWORKS, 'demo', 'scripts', 'logs', 'results']);

/** @param {import('../state.js').Store<AppState>} store */
export function partsList(store) {
  const rows = PARTS.map((part) => partRow(store, part));
  const list = h('ul', { class: 'export-list', 'data-testid': 'export-parts' }, ...rows.map(({ element }) => element));
  store.watch(['exportPlan', 'exportParts', 'archive', 'trained', 'language'], (state) => {
    for (const row of rows) row.show(state);
  });
  return h('fieldset', { class: 'export-parts' }, h('legend', { i18n: 'export.holds' }), list);
}

/**
 * @param {import('../state.js').Store<AppState>} store
 * @param {ExportPart} part
 */
function partRow(store, part) {
  const id = `export-part-${part}`;
  const box = h('input', {
    type: 'checkbox',
    id,
    'data-testid': id,
    'aria-describedby': `${id}-about`,
    on: { change: () => toggle(store, part, box) },
  });
  const reason = h('span', { class: 'part-reason' });
  const size = h('span', { class: 'part-size number' });
  const { unfold, folded, showFiles } = foldedFiles(`${id}-files`);
  const element = h(
    'li',
    { class: 'export-part', 'data-part': part },
    box,
    h('label', { for: id, i18n: `export.part.${part}` }),
    size,
    h(
      'p',
      { class: 'part-about', id: `${id}-about` },
      h('span', { i18n: `export.part.${part}.about` }),
      part === 'scripts' && ' ',
      part === 'scripts' && h('strong', { i18n: 'export.private', 'data-testid': 'export-private' }),
      reason,
    ),
    unfold,
    folded,
  );
  /** @type {PlannedPart|null|undefined} */
  let shown;
  let shownIn = '';
  return {
    element,
    /** @param {AppState} state */
    show({ exportPlan, exportParts, archive, language }) {
      const planned = exportPlan?.parts.find((candidate) => candidate.part === part) ?? null;
      const unavailable = planned?.unavailable ?? null;
      box.checked = exportParts.includes(part) && unavailable === null;
      box.disabled = part === 'model' || unavailable !== null || archive.kind === 'writing';
      setAttribute(element, 'data-unavailable', unavailable);
      setText(reason, unavailable === null ? '' : ` ${reasonText(unavailable)}`);
      if (planned === shown && language === shownIn) return;
      [shown, shownIn] = [planned, language];
      const listed = unavailable === null ? (planned?.files ?? []) : [];
      const total = filesSize(listed);
      setAttribute(element, 'data-bytes', listed.length > 0 ? total : null);
      setText(size, listed.length > 0 ? bytes(total) : '');
      showFiles(listed);
    },
  };
}

/**
 * The files of a part, below a button that unfolds them; of a single file the name says enough.
 * @param {string} id
 */
function foldedFiles(id) {
  const rows = h('tbody', {});
  const folded = h('div', { class: 'part-files scroll', id, hidden: true }, h('table', { class: 'files' }, rows));
  const unfold = h('button', {
    type: 'button',
    class: 'quiet part-unfold',
    'aria-controls': id,
    'aria-expanded': 'false',
    on: {
      click: () => {
        folded.hidden = !folded.hidden;
        setAttribute(unfold, 'aria-expanded', String(!folded.hidden));
      },
    },
  });
  return {
    unfold,
    folded,
    /** @param {ExportedFile[]} files */
    showFiles(files) {
      unfold.hidden = files.length === 0;
      if (files.length === 0) folded.hidden = true;
      setAttribute(unfold, 'aria-expanded', String(!folded.hidden));
      setText(unfold, files.length === 1 ? t('export.one_file') : t('export.files', { count: files.length }));
      replace(rows, ...files.map(fileRow));
    },
  };
}

/**
 * @param {import('../state.js').Store<AppState>} store
 * @param {ExportPart} part
 * @param {HTMLInputElement} box
 */
function toggle(store, part, box) {
  const exportParts = toggled(store.state.exportParts, part, box.checked);
  rememberParts(exportParts);
  store.update({ exportParts });
}

/** @param {string} reason */
const reasonText = (reason) => tOr(`export.unavailable.${reason}`, t('export.unavailable'));

/** @param {ExportedFile} file */
function fileRow({ name, bytes: size }) {
  return h(
    'tr',
    { 'data-name': name, 'data-bytes': size },
    h('th', { scope: 'row' }, h('code', {}, name)),
    h('td', {}, tOr(`export.about.${aboutKey(name)}`, '')),
    h('td', { class: 'number' }, bytes(size)),
  );
}

/** What a file is, is known by its name; a checkpoint repeats the files of the model. @param {string} name */
const aboutKey = (name) =>
  name.replace(/^results\/checkpoint-\d+\//, '').replace(/events\.out\.tfevents.*/, 'tfevents');
