// The files of a model among those that were chosen, and its name.

import assert from 'node:assert/strict';
import test from 'node:test';
import { origin } from '../../www/panels/continue.js';

/** @param {...string} paths */
const files = (...paths) => paths.map((path) => ({ path, blob: new Blob([path]) }));
const paths = (/** @type {import('../../www/panels/continue.js').DiskOrigin} */ { files: found }) =>
  found.map(({ path }) => path);

test('a single archive is the model', () => {
  const found = origin(files('my model.ZIP'));
  assert.equal(found.name, 'my model.ZIP');
  assert.deepEqual(paths(found), ['my model.ZIP']);
});

test('the files beside each config.json are sent, because the worker decides which folder is the model', async () => {
  const found = origin(
    files('mine/checkpoint-10/config.json', 'mine/config.json', 'mine/model.safetensors', 'mine/runs/log.txt'),
  );
  assert.equal(found.name, 'mine');
  assert.deepEqual(paths(found), ['mine/checkpoint-10/config.json', 'mine/config.json', 'mine/model.safetensors']);
  assert.equal(await found.files[2]?.blob.text(), 'mine/model.safetensors');
});

test('a model may be in a subfolder', () => {
  const found = origin(files('downloads/mine/vocab.txt', 'downloads/mine/config.json', 'downloads/other/notes.txt'));
  assert.equal(found.name, 'downloads');
  assert.deepEqual(paths(found), ['downloads/mine/vocab.txt', 'downloads/mine/config.json']);
});

test('files without a folder are a model', () => {
  assert.deepEqual(paths(origin(files('config.json', 'tokenizer.json', 'model.safetensors'))), [
    'config.json',
    'tokenizer.json',
    'model.safetensors',
  ]);
});

test('files without a model are refused with an error that names them', () => {
  for (const chosen of [files('photos/cat.jpg', 'photos/my-config.json'), files('a.zip', 'b.zip')]) {
    assert.throws(
      () => origin(chosen),
      /** @param {any} error */ (error) => error.code === 'model_file' && error.message !== '',
    );
  }
});

test('two choices of the same name have different ids', () => {
  assert.notEqual(origin(files('model.zip')).id, origin(files('model.zip')).id);
});
