// Which of the chosen files are the model, and what it is called.

import assert from 'node:assert/strict';
import test from 'node:test';
import { origin } from '../../www/panels/continue.js';

/** @param {...string} paths */
const files = (...paths) => paths.map((path) => ({ path, blob: new Blob([path]) }));
const paths = (/** @type {import('../../www/stages.js').Origin} */ { files: found }) => found.map(({ path }) => path);

test('one archive is the model', () => {
  const found = origin(files('my model.ZIP'));
  assert.equal(found.name, 'my model.ZIP');
  assert.deepEqual(paths(found), ['my model.ZIP']);
});

test('of a folder, the files beside the topmost config.json, by their names there', async () => {
  const found = origin(
    files('mine/checkpoint-10/config.json', 'mine/config.json', 'mine/model.safetensors', 'mine/runs/log.txt'),
  );
  assert.equal(found.name, 'mine');
  assert.deepEqual(paths(found), ['config.json', 'model.safetensors']);
  assert.equal(await found.files[1]?.blob.text(), 'mine/model.safetensors');
});

test('a model may lie below the chosen folder', () => {
  const found = origin(files('downloads/mine/vocab.txt', 'downloads/mine/config.json', 'downloads/other/notes.txt'));
  assert.equal(found.name, 'mine');
  assert.deepEqual(paths(found), ['vocab.txt', 'config.json']);
});

test('files without a folder are a folder', () => {
  assert.deepEqual(paths(origin(files('config.json', 'tokenizer.json', 'model.safetensors'))), [
    'config.json',
    'tokenizer.json',
    'model.safetensors',
  ]);
});

test('what holds no model is refused by name', () => {
  for (const chosen of [files('photos/cat.jpg', 'photos/my-config.json'), files('a.zip', 'b.zip')]) {
    assert.throws(
      () => origin(chosen),
      /** @param {any} error */ (error) => error.code === 'model_file' && error.message !== '',
    );
  }
});

test('two choices of the same name are told apart', () => {
  assert.notEqual(origin(files('model.zip')).id, origin(files('model.zip')).id);
});
