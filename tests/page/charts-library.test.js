// The charting library may throw when it is loaded; no script of the page may depend on it then.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadLibrary, repairLanguage } from '../../www/charts/library.js';

test('a library that throws while it is loaded is a problem to show, not an error', async () => {
  const { uPlot, problem } = await loadLibrary(async () => {
    throw new RangeError('invalid language tag: "c"');
  });
  assert.deepEqual([uPlot, problem], [null, 'invalid language tag: "c"']);
  const made = /** @type {any} */ (class {});
  assert.deepEqual(await loadLibrary(async () => ({ default: made })), { uPlot: made, problem: null });
});

test('a language of the browser that is no locale is replaced by that of the page', () => {
  for (const language of ['C', 'en-US@posix']) {
    assert.throws(() => new Intl.NumberFormat(language), RangeError);
    const browser = Object.create({ language });
    repairLanguage(browser);
    assert.equal(browser.language, 'en');
  }
  for (const language of ['ko-KR', undefined]) {
    const browser = Object.create({ language });
    repairLanguage(browser);
    assert.equal(browser.language, language);
  }
});

test('uPlot throws where the language of the browser is no locale', () => {
  // When this no longer holds, the language needs no repair, and uPlot can be imported like other modules.
  const source = readFileSync(new URL('../../node_modules/uplot/dist/uPlot.esm.js', import.meta.url), 'utf8');
  assert.match(source, /new Intl\.NumberFormat\(domEnv \? nav\.language/);
});

test('no script imports the library statically', () => {
  const www = fileURLToPath(new URL('../../www/', import.meta.url));
  const scripts = readdirSync(www, { recursive: true }).map(String);
  for (const path of scripts.filter((name) => name.endsWith('.js')))
    assert.doesNotMatch(readFileSync(www + path, 'utf8'), /^import .*vendor\//m, path);
});
