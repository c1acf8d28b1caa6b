// The library of the demo page: its list and its files, complete or not at all.

import assert from 'node:assert/strict';
import test from 'node:test';
import { libraryList, loadLibrary } from '../../www/export/library.js';

const FILES = [
  { name: 'index.html', bytes: 3 },
  { name: 'onnxruntime.js', bytes: 2 },
];
const CONTENT = /** @type {Record<string, string>} */ ({
  'files.json': JSON.stringify(FILES),
  'index.html': 'abc',
  'onnxruntime.js': 'de',
});
const signal = new AbortController().signal;

/** @param {Record<string, string>} content @returns {any} */
const server = (content) => async (/** @type {URL} */ url) => {
  const text = content[url.pathname.split('/demo/')[1] ?? ''];
  return text === undefined ? new Response('', { status: 404 }) : new Response(text);
};

test('a site without the library has no list, and is asked again', async () => {
  assert.equal(await libraryList(server({})), null);
  assert.equal(await libraryList(async () => Promise.reject(new TypeError('no network'))), null);
  assert.deepEqual(await libraryList(server(CONTENT)), FILES);
  assert.deepEqual(await libraryList(server({})), FILES, 'the list is kept');
});

test('the files are loaded under their names', async () => {
  const files = await loadLibrary(FILES, signal, server(CONTENT));
  assert.deepEqual(await Promise.all(files.map(async ({ name, file }) => [name, await file.text()])), [
    ['index.html', 'abc'],
    ['onnxruntime.js', 'de'],
  ]);
});

test('a file that is missing or cut off is an error that names it', async () => {
  for (const broken of [server({ 'index.html': 'abc' }), server({ ...CONTENT, 'onnxruntime.js': 'd' })])
    await assert.rejects(loadLibrary(FILES, signal, broken), { code: 'download' });
});
