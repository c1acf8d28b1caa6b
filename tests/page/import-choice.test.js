// What the visitor chooses about a table: when it can be used, its columns, its files, and the name of a dataset.

import assert from 'node:assert/strict';
import test from 'node:test';
import { blocker, remarks, withLabelColumn, withTextColumn } from '../../www/data/import-choice.js';
import { pasted, tableOf } from '../../www/data/table-files.js';
import { isDatasetName, rowsToRead } from '../../www/panels/dataset/hub-tool.js';

/** @typedef {import('../../www/protocol.js').ImportView} ImportView */

/** @type {ImportView} */
const VIEW = {
  name: 'reviews.csv',
  detected: {
    encoding: 'utf-8',
    format: 'csv',
    delimiter: ',',
    header: true,
    columns: ['text', 'label'],
    text: [0],
    label: 1,
  },
  preview: [],
  num_rows: 40,
  labels: ['Spam ', 'ham', 'spam'].map((name) => ({ name, count: 10 })),
  skipped: [],
  num_skipped: 0,
  same_labels: [[0, 2]],
  bytes: 1000,
  num_malformed: 0,
  problem: null,
  hub: null,
};
const NOTHING = { leaveOut: false, merge: false };
/** @param {Partial<ImportView>} changes @param {Partial<typeof NOTHING>} [agreed] */
const reason = (changes, agreed) =>
  blocker({ view: { ...VIEW, ...changes }, isRead: true }, { ...NOTHING, ...agreed })?.key ?? null;

test('a table with bad rows is used only after the visitor has agreed to leave them out', () => {
  assert.equal(reason({}), null);
  assert.equal(reason({ num_skipped: 3 }), 'import.tick');
  assert.equal(reason({ num_skipped: 3 }, { leaveOut: true }), null);
});

test('a table is not used without a label column, rows, or two labels', () => {
  const two = VIEW.labels.slice(0, 2);
  assert.equal(reason({ detected: { ...VIEW.detected, label: null }, labels: [], num_rows: 0 }), 'import.no_label');
  assert.equal(reason({ num_rows: 0 }), 'import.no_rows');
  assert.equal(reason({ labels: two.slice(0, 1) }), 'import.one_label');
  // Two spellings of one label are one label, once the visitor says so.
  assert.equal(reason({ labels: two, same_labels: [[0, 1]] }), null);
  assert.equal(reason({ labels: two, same_labels: [[0, 1]] }, { merge: true }), 'import.one_label');
});

test('a table has at most 100 labels, counted after equal ones are merged', () => {
  const labels = Array.from({ length: 101 }, (_, id) => ({ name: String(id), count: 2 }));
  assert.equal(reason({ labels }), 'import.many_labels');
  assert.equal(reason({ labels }, { merge: true }), null);
  assert.equal(reason({ labels: labels.slice(1) }), null);
});

test('a table that the worker refuses is not used, whatever the visitor agrees to', () => {
  const problem = 'column 2 cannot be used.';
  assert.equal(reason({ problem }), 'import.problem');
  assert.equal(reason({ problem, num_skipped: 3 }, { leaveOut: true, merge: true }), 'import.problem');
  assert.equal(reason({ problem, labels: VIEW.labels.slice(0, 1) }), 'import.one_label');
});

test('a wrong encoding and cut cells are remarks', () => {
  const hub = { configs: [], config: 'default', split: 'train', num_rows_total: 100, truncated_cells: 0 };
  assert.deepEqual(remarks({ ...VIEW, hub }), []);
  assert.deepEqual(remarks({ num_malformed: 2, hub: { ...hub, truncated_cells: 3 } }), [
    { key: 'import.malformed', params: { count: 2 } },
    { key: 'import.truncated', params: { count: 3 } },
  ]);
});

test('what was read with other choices is not used', () => {
  assert.equal(blocker({ view: VIEW, isRead: false }, NOTHING)?.key, 'import.not_read');
  assert.equal(blocker({ view: null, isRead: false }, NOTHING)?.key, 'import.not_read');
});

test('a text joins columns in their order, and has at least one', () => {
  assert.deepEqual(withTextColumn([2], 0, true), [0, 2]);
  assert.deepEqual(withTextColumn([0, 2], 0, false), [2]);
  assert.deepEqual(withTextColumn([2], 2, false), [2]);
  assert.deepEqual(withLabelColumn([0, 1], 1), { label: 1, text: [0] });
  assert.deepEqual(withLabelColumn([1], 1), { label: 1, text: [1] });
});

const file = (/** @type {string} */ path) => ({ path, blob: new Blob(['x']) });

test('one file is a table, and a folder of texts is read whole', () => {
  const table = tableOf([file('downloads/reviews.csv')]);
  assert.deepEqual([table.name, table.files.map(({ path }) => path)], ['reviews.csv', ['reviews.csv']]);
  const texts = tableOf(['top/pos/1.txt', 'top/neg/2.TXT', 'top/README.md', 'top/pos/.hidden.txt'].map(file));
  assert.deepEqual([texts.name, texts.files.map(({ path }) => path)], ['top', ['top/neg/2.TXT', 'top/pos/1.txt']]);
  assert.equal(tableOf([file('.DS_Store'), file('a.tsv')]).name, 'a.tsv');
  // A text file by itself may be a table with tabs.
  assert.equal(tableOf([file('rows.txt')]).files.length, 1);
});

test('a choice without a table is refused with a reason', () => {
  const code = (/** @type {string[]} */ paths, /** @type {string} */ key) =>
    assert.throws(() => tableOf(paths.map(file)), { code: 'dataset', message: key });
  code([], 'import.no_file');
  code(['a.csv', 'b.csv'], 'import.several');
  code(['top/a.csv', 'top/b.csv'], 'import.no_texts');
});

test('a pasted table is a file', async () => {
  const { files } = pasted('text\tlabel\n');
  assert.equal(files[0]?.path, 'pasted.txt');
  assert.equal(await files[0]?.blob.text(), 'text\tlabel\n');
});

test('names and numbers of the Hub', () => {
  for (const name of ['stanfordnlp/imdb', ' imdb ', 'a.b/c-d_e']) assert.equal(isDatasetName(name), true, name);
  for (const name of ['', 'a b', 'a/b/c', '../x', 'https://x.test/a']) assert.equal(isDatasetName(name), false, name);
  assert.equal(rowsToRead(' 2000 '), 2000);
  for (const text of ['', '0', '-1', '1.5', '1e3', '100001']) assert.equal(rowsToRead(text), null, text);
});
