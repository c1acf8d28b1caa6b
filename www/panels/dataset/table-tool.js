// Brings a table: a file or a folder of texts, picked or dropped anywhere on the page, or pasted text.

import { h, setOff } from '../../dom.js';
import { pasted, tableOf } from '../../data/table-files.js';
import { picker, takeDrops } from '../../files.js';
import { isBlocked } from '../../state.js';
import { go } from '../../workspace/route.js';

const ACCEPTED = '.csv,.tsv,.tab,.txt,.json,.jsonl,.ndjson,text/csv,text/plain,application/json';

/** @param {import('../../app.js').App} app */
export function tableTool({ store, workflow }) {
  const load = (/** @type {Promise<import('../../protocol.js').VisitorFile[]>} */ files) =>
    void workflow.data.read(files.then(tableOf));
  const file = picker({ accept: ACCEPTED, 'data-testid': 'pick-table' }, load);
  const folder = picker({ webkitdirectory: true, 'data-testid': 'pick-texts' }, load);
  const button = (/** @type {string} */ key, /** @type {() => void} */ click, /** @type {string} */ testId) =>
    h('button', { type: 'button', class: 'secondary', 'data-testid': testId, i18n: key, on: { click } });
  const pickFile = button('import.pick', () => file.click(), 'table-file');
  const pickFolder = button('import.pick_folder', () => folder.click(), 'table-folder');
  const text = h('textarea', {
    id: 'paste-table',
    rows: '3',
    spellcheck: 'false',
    class: 'text-field',
    'data-testid': 'paste-table',
    on: { input: () => showOff() },
  });
  const readText = button('import.read_pasted', () => void workflow.data.read(pasted(text.value)), 'read-pasted');
  const element = h(
    'div',
    { class: 'tool drop-zone', 'data-testid': 'table-tool' },
    h('p', { class: 'note', i18n: 'import.about' }),
    h('div', { class: 'actions' }, pickFile, pickFolder, file, folder),
    h('p', { class: 'note', i18n: 'import.folder_about' }),
    h('div', { class: 'line-field' }, h('label', { for: 'paste-table', i18n: 'import.paste' }), text),
    h('div', { class: 'actions' }, readText),
  );
  const showOff = () => {
    const off = isBlocked(store.state);
    for (const each of [pickFile, pickFolder]) setOff(each, off);
    setOff(readText, off || text.value.trim() === '');
  };
  store.watch(['busy', 'opened', 'fatal'], showOff);
  takeDrops({
    accepts: (target) => !isBlocked(store.state) && target.closest('#model') === null,
    show: (over) => document.documentElement.classList.toggle('dropping-table', over),
    take: (files) => {
      store.update({ dataTool: 'table' });
      go('dataset');
      load(files);
    },
  });
  return element;
}
