// The visitor's own rows against a fake session: what replaces them, what does not, and which stages are out of date.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { AS_DETECTED } from '../../www/data/import-choice.js';
import { isUnsaved } from '../../www/data/unsaved.js';
import { RequestError } from '../../www/session.js';
import { Settings } from '../../www/settings.js';
import { Store, initialState } from '../../www/state.js';
import { Workflow } from '../../www/workflow.js';

/** @typedef {(body: any, onEvent: (event: any) => void) => Promise<any>} Answer */

// The timer of the preview would start requests of its own.
beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

const TOY = { num_rows: 100, labels: ['negative', 'positive'], label_counts: [50, 50], source: 'article' };
const TABLE = {
  ...TOY,
  num_rows: 40,
  labels: ['ham', 'spam'],
  label_counts: [20, 20],
  source: 'import',
  edited: false,
};
const CARDS = { ...TABLE, num_rows: 0, labels: ['a', 'b'], label_counts: [0, 0], source: 'cards' };
const EDITED = { ...TABLE, num_rows: 41, label_counts: [21, 20], edited: true };
const VIEW = { name: 'reviews.csv', num_rows: 40, labels: [] };
/** @type {import('../../www/state.js').ImportInput} */
const FILE = { kind: 'files', name: 'reviews.csv', files: [{ path: 'reviews.csv', blob: new Blob(['12345']) }] };
const HUB = /** @type {const} */ ({ kind: 'hub', dataset: 'a/b', config: null, split: null, max_rows: 10 });
const ROW = { text: 'A sentence.', label: 0 };

const refuse = (/** @type {string} */ code) => async () => {
  throw new RequestError({ code, message: `refused: ${code}`, field: null });
};

/** A page with an opened device. */
function page() {
  const store = new Store(initialState('en'));
  store.update({ opened: /** @type {any} */ ({ device: { kind: 'cpu' }, self_test: { passed: true } }) });
  /** @type {Record<string, Answer>} */
  const answers = {
    dataset: async () => TOY,
    split: async () => ({ train_rows: 32, test_rows: 8, warnings: [] }),
    load_model: async () => ({ name: 'tiny' }),
    tokenize: async () => ({ num_rows: 40 }),
    plan: async () => ({ max_steps: 6, warnings: [], memory: null }),
    import_files: async () => VIEW,
    import_hub: async () => VIEW,
    use_import: async () => TABLE,
    new_dataset: async () => CARDS,
    edit: async () => EDITED,
    undo: async () => TABLE,
    control: async () => ({ state: 'stopped' }),
  };
  /** @type {any[]} */
  const requests = [];
  const session = {
    fatal: null,
    /** @type {Answer} */
    request(body, onEvent = () => {}) {
      requests.push(body);
      return answers[body.type]?.(body, onEvent) ?? assert.fail(body.type);
    },
  };
  const table = [
    { name: 'num_rows', group: 'data', type: 'integer', default: 100, min: 0, max: 1000 },
    { name: 'group_duplicates', group: 'data', type: 'boolean', default: false },
    { name: 'test_size', group: 'split', type: 'number', default: 0.2, min: 0, max: 1 },
    { name: 'max_length', group: 'tokens', type: 'integer', default: 128, min: 2, max: 512 },
  ];
  const settings = new Settings(/** @type {any} */ (table), []);
  const sources = {
    modelBase: 'https://site.test/model/',
    endpoint: 'https://hub.test',
    datasets: 'https://rows.test',
  };
  const workflow = new Workflow(/** @type {any} */ (session), store, settings, sources, async () => {});
  return {
    workflow,
    data: workflow.data,
    store,
    settings,
    answers,
    /** The requests since the last call, without plans. */
    sent: () => requests.splice(0).filter(({ type }) => type !== 'plan'),
    types: () => requests.splice(0).flatMap(({ type }) => (type === 'plan' ? [] : [type])),
    stale: () => Object.entries(store.state.stages).flatMap(([stage, { stale }]) => (stale ? [stage] : [])),
    /** Lets the preview run. */
    async previewed() {
      mock.timers.tick(300);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** A page with a table that the visitor uses, split and tokenized. */
async function pageWithTable() {
  const opened = page();
  await opened.workflow.run('tokens');
  await opened.data.read(FILE);
  await opened.data.use({ skip_bad_rows: false, merge_labels: false });
  opened.types();
  return opened;
}

test('a table that is read changes nothing until it is used', async () => {
  const { workflow, data, store, types, stale } = page();
  await workflow.run('tokens');
  types();
  await data.read(FILE);
  assert.deepEqual(store.state.pendingImport, {
    input: FILE,
    options: AS_DETECTED,
    view: VIEW,
    isRead: true,
    error: null,
  });
  assert.deepEqual([store.state.dataset, store.state.source.kind, stale()], [TOY, 'toy', []]);
  assert.equal(store.state.stages.dataset.state, 'done');
  data.cancel();
  assert.equal(store.state.pendingImport, null);
  assert.deepEqual(types(), ['import_files']);
  assert.deepEqual(workflow.missing('training'), []);
});

test('a table that is used makes the split and the tokens out of date, and the preview splits it', async () => {
  const { workflow, store, types, stale, previewed } = await pageWithTable();
  assert.deepEqual([store.state.dataset, store.state.pendingImport], [TABLE, null]);
  assert.deepEqual(stale(), ['split', 'tokens']);
  assert.deepEqual(workflow.missing('training'), ['split', 'tokens']);
  await previewed();
  assert.deepEqual(types(), ['split']);
  assert.deepEqual(stale(), ['tokens']);
  await workflow.run('tokens');
  assert.deepEqual([types(), stale()], [['tokenize'], []]);
});

test('neither settings of the toy nor a run replaces the own rows', async () => {
  const { workflow, store, settings, types, stale, previewed } = await pageWithTable();
  await workflow.run('tokens');
  types();
  settings.set('num_rows', '7');
  await previewed();
  await workflow.run('tokens');
  assert.deepEqual([types(), stale()], [['tokenize'], []]);
  assert.equal(store.state.dataset, TABLE);
  // These settings act on any rows.
  settings.set('group_duplicates', 'true');
  assert.deepEqual(stale(), ['split', 'tokens']);
  settings.set('group_duplicates', 'false');
  settings.set('test_size', '0.5');
  assert.deepEqual(stale(), ['split', 'tokens']);
});

test('the button of the toy replaces the own rows, and its settings act again', async () => {
  const { workflow, store, settings, types, stale, previewed } = await pageWithTable();
  await workflow.run('dataset');
  assert.deepEqual([types(), store.state.dataset, store.state.source], [['dataset'], TOY, { kind: 'toy' }]);
  assert.deepEqual(stale(), ['split', 'tokens']);
  await previewed();
  assert.deepEqual(types(), ['split']);
  settings.set('num_rows', '7');
  assert.deepEqual(stale(), ['dataset', 'split', 'tokens']);
  await previewed();
  assert.deepEqual(types(), ['dataset', 'split']);
});

test('a toy that cannot be made leaves the own rows', async () => {
  const { workflow, store, answers, types, previewed } = await pageWithTable();
  await previewed();
  types();
  answers.dataset = refuse('dataset');
  await workflow.run('dataset');
  assert.deepEqual([store.state.dataset, store.state.source.kind], [TABLE, 'own']);
  assert.equal(store.state.stages.dataset.state, 'done');
  assert.equal(store.state.stages.dataset.error?.code, 'dataset');
  types();
  await workflow.run('tokens');
  assert.deepEqual(types(), ['tokenize']);
});

test('an edit of the toy makes the rows the own ones', async () => {
  const { workflow, data, store, settings, types, previewed } = page();
  await workflow.run('split');
  assert.equal(await data.edit({ op: 'insert', rows: [ROW] }), true);
  types();
  settings.set('num_rows', '7');
  await previewed();
  assert.deepEqual(types(), ['split']);
  assert.equal(store.state.dataset, EDITED);
});

test('edits that are typed fast are made one after the other', async () => {
  const { data, answers, sent } = await pageWithTable();
  /** @type {(() => void)[]} */
  const waiting = [];
  answers.edit = () => new Promise((resolve) => waiting.push(() => resolve(EDITED)));
  const edits = ['one', 'two', 'three'].map((text) => data.edit({ op: 'insert', rows: [{ text, label: 0 }] }));
  for (let at = 0; at < edits.length; at += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(waiting.length, 1);
    waiting.pop()?.();
  }
  assert.deepEqual(await Promise.all(edits), [true, true, true]);
  assert.deepEqual(
    sent().map(({ edit }) => edit.rows[0].text),
    ['one', 'two', 'three'],
  );
});

test('an edit ends what the page does by itself, and is sent after that', async () => {
  const { workflow, data, types } = await pageWithTable();
  /** @type {(() => void)[]} */
  const waiting = [];
  const settled = () => new Promise((/** @type {(value: void) => void} */ resolve) => waiting.push(resolve));
  workflow.connect({ settled, beforeTraining: async () => {} });
  const edit = data.edit({ op: 'delete', rows: [0] });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([types(), waiting.length], [[], 1]);
  waiting[0]?.();
  assert.equal(await edit, true);
  assert.deepEqual(types(), ['edit']);
});

test('an edit is refused when a run begins while it waits', async () => {
  const { workflow, data, store, types } = await pageWithTable();
  const settled = async () => store.update({ busy: true });
  workflow.connect({ settled, beforeTraining: async () => {} });
  assert.equal(await data.edit({ op: 'delete', rows: [0] }), false);
  assert.deepEqual(types(), []);
});

test('a run waits for an edit, and an edit during a run is refused', async () => {
  const { workflow, data, answers, types } = await pageWithTable();
  const edit = data.edit({ op: 'delete', rows: [0] });
  const run = workflow.run('tokens');
  assert.equal(await edit, false, 'the run was pressed before the edit was sent');
  await run;
  assert.deepEqual(types(), ['split', 'tokenize']);

  /** @type {(view: any) => void} */
  let finish = () => {};
  answers.edit = () => new Promise((resolve) => (finish = resolve));
  const sent = data.edit({ op: 'delete', rows: [0] });
  await new Promise((resolve) => setImmediate(resolve));
  const later = workflow.run('tokens');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(types(), ['edit']);
  finish(EDITED);
  assert.equal(await sent, true);
  await later;
  assert.deepEqual(types(), ['split', 'tokenize']);
});

test('a refused edit changes nothing and says why', async () => {
  const { data, store, answers } = await pageWithTable();
  answers.edit = refuse('dataset');
  const { source } = store.state;
  assert.equal(await data.edit({ op: 'rename_label', label: 0, name: 'spam' }), false);
  assert.deepEqual([store.state.dataset, store.state.source], [TABLE, source]);
  assert.equal(store.state.refused?.code, 'dataset');
  answers.edit = async () => EDITED;
  assert.equal(await data.edit({ op: 'delete', rows: [1] }), true);
  assert.equal(store.state.refused, null);
});

test('too few examples are not split by the preview, and are no failure', async () => {
  const { workflow, data, store, answers, types, stale, previewed } = page();
  await workflow.run('split');
  await data.start(['a', 'b']);
  types();
  await previewed();
  answers.edit = async () => ({ ...CARDS, num_rows: 3, label_counts: [2, 1] });
  await data.edit({ op: 'insert', rows: [ROW] });
  await previewed();
  assert.deepEqual([types(), stale()], [['edit'], ['split']]);
  assert.equal(store.state.stages.split.state, 'done');
  answers.edit = async () => ({ ...CARDS, num_rows: 4, label_counts: [2, 2] });
  await data.edit({ op: 'insert', rows: [ROW] });
  await previewed();
  assert.deepEqual([types(), stale()], [['edit', 'split'], []]);
});

test('another choice reads the same files again, with the choices before', async () => {
  const { data, store, answers, sent } = page();
  await data.read(FILE);
  await data.readAgain({ delimiter: ';' });
  await data.readAgain({ header: false });
  assert.deepEqual(
    sent().map(({ options }) => options),
    [AS_DETECTED, { ...AS_DETECTED, delimiter: ';' }, { ...AS_DETECTED, delimiter: ';', header: false }],
  );
  answers.import_files = refuse('dataset');
  await data.readAgain({ encoding: 'cp949' });
  const { pendingImport } = store.state;
  assert.deepEqual([pendingImport?.view, pendingImport?.isRead], [VIEW, false]);
  assert.equal(pendingImport?.error?.code, 'dataset');
  // Another file does not show what was found in this one.
  await data.read({ ...FILE, name: 'other.csv' });
  assert.equal(store.state.pendingImport?.view, null);
});

test('reading reports its progress, excludes a run, and stops', async () => {
  const { workflow, data, store, answers, types } = page();
  await workflow.run('split');
  types();
  const before = store.state.stages.dataset;
  answers.import_files = async (_, onEvent) => {
    assert.deepEqual(store.state.importing, { name: 'reviews.csv', unit: 'bytes', done: 0, total: 5 });
    onEvent({ kind: 'importing', done: 2, total: 4 });
    assert.equal(store.state.importing?.done, 2);
    assert.equal(store.state.stages.dataset.progress, 0.5);
    await workflow.run('split');
    assert.equal(await data.edit({ op: 'delete', rows: [0] }), false);
    data.cancel();
    await data.stop();
    return refuse('stopped')();
  };
  await data.read(FILE);
  assert.deepEqual(types(), ['import_files', 'control']);
  assert.deepEqual([store.state.importing, store.state.busy], [null, false]);
  assert.equal(store.state.pendingImport?.error?.code, 'stopped');
  assert.deepEqual(store.state.stages.dataset, before);
  await data.stop();
  assert.deepEqual(types(), []);
});

test('a dataset is asked for at the address of the rows service, and not at that of the models', async () => {
  const { data, store, answers, sent } = page();
  answers.import_hub = async (_, onEvent) => {
    onEvent({ kind: 'importing_rows', done: 100, total: 500 });
    assert.deepEqual(store.state.importing, { name: 'a/b', unit: 'rows', done: 100, total: 500 });
    return VIEW;
  };
  await data.read(HUB);
  const [{ type, endpoint, dataset, max_rows }] = /** @type {[any]} */ (sent());
  assert.deepEqual([type, endpoint, dataset, max_rows], ['import_hub', 'https://rows.test', 'a/b', 10]);
});

test('a choice of files that has no table is refused, and leaves the table that was read', async () => {
  const { data, store } = page();
  await data.read(FILE);
  const { pendingImport } = store.state;
  await data.read(Promise.reject(new RequestError({ code: 'dataset', message: 'several files', field: null })));
  assert.equal(store.state.pendingImport, pendingImport);
  assert.equal(store.state.refused?.message, 'several files');
});

test('rows that exist only in this tab are known, until they are downloaded', async () => {
  const { data, store, answers } = await pageWithTable();
  assert.equal(isUnsaved(store.state), false);
  await data.edit({ op: 'insert', rows: [ROW] });
  assert.equal(isUnsaved(store.state), true);
  answers.download_dataset = async (_, onEvent) => {
    onEvent({ kind: 'piece', bytes: new Uint8Array([1, 2, 3]) });
    return { file: 'reviews.csv', bytes: 3 };
  };
  const written = await data.download('csv');
  assert.deepEqual([written?.file, written?.blob.size], ['reviews.csv', 3]);
  assert.equal(isUnsaved(store.state), false);
  await data.edit({ op: 'insert', rows: [ROW] });
  assert.equal(isUnsaved(store.state), true);
  // A file that is cut off is no copy.
  answers.download_dataset = async () => ({ file: 'reviews.csv', bytes: 3 });
  assert.equal(await data.download('csv'), null);
  assert.equal(isUnsaved(store.state), true);
});
