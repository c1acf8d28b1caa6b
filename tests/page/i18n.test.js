// The texts: both languages have the same sentences with the same numbers, and every key that is used exists.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (/** @type {string} */ path) => readFileSync(root + path, 'utf8');
/** @type {Record<string, Record<string, string>>} */
const texts = Object.fromEntries(
  ['en', 'ko'].map((language) => [language, JSON.parse(read(`www/i18n/${language}.json`))]),
);
const en = texts.en ?? {};
const ko = texts.ko ?? {};
const scripts = readdirSync(`${root}www`, { recursive: true })
  .map(String)
  .filter((path) => path.endsWith('.js'))
  .map((path) => read(`www/${path}`));
const page = read('index.html');

test('both languages have the same keys', () => {
  assert.deepEqual(Object.keys(ko).sort(), Object.keys(en).sort());
  for (const [key, sentence] of [...Object.entries(en), ...Object.entries(ko)]) assert.ok(sentence.trim(), key);
});

test('a sentence has the same numbers in both languages', () => {
  const names = (/** @type {string} */ sentence) => [...new Set(sentence.match(/\{\w+\}/g))].sort();
  for (const key of Object.keys(en)) assert.deepEqual(names(ko[key] ?? ''), names(en[key] ?? ''), key);
});

test('index.html has the English text of en.json', () => {
  // Prettier breaks lines inside elements, and HTML collapses that whitespace.
  const collapsed = (/** @type {string} */ text) => text.replace(/\s+/g, ' ').trim();
  const marked = [...page.matchAll(/<[^<>]*\sdata-i18n="([^"]+)"[^<>]*>([^<]*)</g)];
  assert.equal(marked.length, page.match(/\sdata-i18n="/g)?.length);
  assert.ok(marked.length > 15);
  for (const [, key = '', text = ''] of marked) assert.equal(collapsed(text), en[key], key);
  for (const [tag, key = ''] of page.matchAll(/<[^<>]*\sdata-i18n-label="([^"]+)"[^<>]*>/g))
    assert.equal(collapsed(/\saria-label="([^"]*)"/.exec(tag)?.[1] ?? ''), en[key], key);
  assert.equal(collapsed(/<title>([^<]*)</.exec(page)?.[1] ?? ''), en['page.title']);
});

test('every key in a script exists', () => {
  // A quoted word, a dot and a word are a key or the name of a file.
  const isFile = (/** @type {string} */ name) => /\.(json|txt|safetensors)$/.test(name);
  const groups = new Set(Object.keys(en).map((key) => key.split('.')[0]));
  let seen = 0;
  for (const script of scripts) {
    for (const [, key = ''] of script.matchAll(/'([a-z_]+\.[a-z0-9_.]+)'/g)) {
      if (!groups.has(key.split('.')[0]) || key.endsWith('.callout') || isFile(key)) continue;
      seen += 1;
      assert.ok(key in en, key);
    }
    for (const [, key = ''] of script.matchAll(/callout\('([^']+)'\)/g))
      assert.ok(`${key}.title` in en && `${key}.text` in en, key);
  }
  assert.ok(seen > 60);
});

test('every setting of the crate has a label and a help text', () => {
  const table = read('src/settings/table.rs').split('pub const SETTINGS')[1] ?? '';
  const names = [...table.matchAll(/(?:integer|number|boolean|choice)\("(\w+)"/g)].map(([, name]) => name);
  assert.ok(names.length >= 20);
  for (const name of names)
    for (const part of ['label', 'help']) assert.ok(`setting.${name}.${part}` in en, `${name}.${part}`);
});

test('every error code of the crate has a title', () => {
  const codes = [...read('src/error.rs').matchAll(/=> "(\w+)",/g)].map(([, code]) => code);
  assert.ok(codes.length >= 9);
  for (const code of codes) assert.ok(`error.${code}` in en, code);
});

test('every warning of the crate has a sentence', () => {
  const doc = /A short name: ([^.]*)\./.exec(read('src/warning.rs'))?.[1] ?? '';
  const codes = [...doc.matchAll(/`(\w+)`/g)].map(([, code]) => code);
  assert.ok(codes.length >= 7);
  for (const code of codes) assert.ok(`warning.${code}` in en, code);
});

test('every reason for a device has a sentence', () => {
  const type = /export type DeviceReason =([^;]*);/.exec(read('www/protocol.d.ts'))?.[1] ?? '';
  const reasons = [...type.matchAll(/'(\w+)'/g)].map(([, reason]) => reason);
  assert.equal(reasons.length, 8);
  for (const reason of reasons.filter((name) => name !== 'requested'))
    assert.ok(`device.reason.${reason}` in en, reason);
});
