// The content security policy of index.html, the headers that follow from it, and code that it would refuse.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { setAttribute } from '../../www/dom.js';
import { policyOf, siteHeaders } from '../../xtask/headers.js';
import { filesOf } from './style-sheets.js';

/** @param {string} path  from the root of the repository */
const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('index.html');

/** What the page may load and do; every source is this site or one of the Hub's hosts. */
const DIRECTIVES = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' blob:",
  'connect-src': "'self' https://huggingface.co https://datasets-server.huggingface.co https://*.hf.co",
  'base-uri': "'none'",
  'form-action': "'none'",
  'require-trusted-types-for': "'script'",
  'trusted-types': 'webtune',
};

/** @param {string} policy */
const directivesOf = (policy) =>
  Object.fromEntries(
    policy.split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(' ');
      return [name, sources.join(' ')];
    }),
  );

test('the policy of the page allows what the page uses, and nothing else', () => {
  assert.deepEqual(directivesOf(policyOf(page)), DIRECTIVES);
});

test('the policy comes before everything that the page loads', () => {
  const at = page.indexOf('http-equiv="Content-Security-Policy"');
  assert.ok(at > 0 && at < page.search(/<(link|script|img|style)\b/));
});

test('the headers have the policy of the page, and forbid frames', () => {
  const { 'content-security-policy': policy = '', ...others } = siteHeaders(page);
  assert.deepEqual(directivesOf(policy), { ...DIRECTIVES, 'frame-ancestors': "'none'" });
  assert.equal(others['x-content-type-options'], 'nosniff');
  assert.equal(others['referrer-policy'], 'no-referrer');
  assert.match(page, /<meta name="referrer" content="no-referrer" \/>/);
});

test('the policy of a site with another Hub is the one of its page', () => {
  const mirrored = page.replace(/connect-src 'self'[^;]*/, "connect-src 'self' https://hub.example");
  assert.equal(directivesOf(policyOf(mirrored))['connect-src'], "'self' https://hub.example");
  assert.match(siteHeaders(mirrored)['content-security-policy'] ?? '', /'self' https:\/\/hub\.example;/);
  assert.throws(() => siteHeaders('<!doctype html>'), /no content security policy/);
});

test('a feature of the browser that the page uses is allowed, and no feature is named twice', () => {
  const features = (siteHeaders(page)['permissions-policy'] ?? '').split(', ').map((feature) => feature.split('='));
  const names = features.map(([name]) => name);
  assert.equal(new Set(names).size, names.length);
  const allowed = features.filter(([, value]) => value !== '()');
  assert.deepEqual(allowed, [
    ['clipboard-write', '(self)'],
    ['cross-origin-isolated', '(self)'],
  ]);
});

test('docs/operations.md has the headers that the server sends', () => {
  const listed = /```text\n(content-security-policy: [\s\S]*?)```/.exec(read('docs/operations.md'))?.[1] ?? '';
  // A header is one line; the document wraps it.
  const lines = listed.replace(/\n +/g, ' ').trim().split('\n');
  const sent = Object.entries(siteHeaders(page)).map(([name, value]) => `${name}: ${value}`);
  assert.deepEqual(lines, sent);
});

/** Ways to turn a text into elements, styles or code. The policy refuses them where the browser has Trusted Types. */
const SINKS = [
  /\b(inner|outer)HTML\b/,
  /\binsertAdjacentHTML\b/,
  /\bsetHTML(Unsafe)?\b/,
  /\bparseHTMLUnsafe\b/,
  /\bDOMParser\b/,
  /\bcreateContextualFragment\b/,
  /\bdocument\.write(ln)?\b/,
  /\bsrcdoc\b/,
  /\bexecCommand\b/,
  /\beval\s*\(/,
  /\bnew Function\b/,
  /\b(setTimeout|setInterval)\(\s*['"`]/,
  /\bimportScripts\b/,
  /\bcssText\b/,
  /setAttribute\(\s*['"](on|style\b|src\b)/,
  /\bcreateElement\(\s*['"](script|iframe|object|embed|base|style)\b/,
  /\bh\(\s*['"](script|iframe|object|embed|base|style)\b/,
];

test('no script of the page turns a text into elements, styles or code', () => {
  const demo = { path: 'export-demo/demo.js', text: read('www/export-demo/demo.js') };
  const used = [...filesOf('.js'), demo].flatMap(({ path, text }) => {
    const code = text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
    return SINKS.filter((sink) => sink.test(code)).map((sink) => `${path}: ${sink}`);
  });
  assert.deepEqual(used, []);
});

test('only the policy for scripts makes addresses of workers', () => {
  const starts = /new (Shared)?Worker\((?!scriptUrl\()|\.register\((?!scriptUrl\()|createPolicy\(/;
  const found = filesOf('.js').flatMap(({ path, text }) => (starts.test(text) ? [path] : []));
  assert.deepEqual(found, ['script-url.js']);
});

test('a link has no address that is code', () => {
  /** @type {string[]} */
  const given = [];
  const receive = (/** @type {string} */ _, /** @type {string} */ value) => given.push(value);
  const link = /** @type {any} */ ({ getAttribute: () => null, setAttribute: receive });
  const safe = [
    '#dataset',
    './LICENSE-MIT',
    '/page',
    'https://example.org',
    'http://127.0.0.1:1/?device=cpu',
    'blob:x',
  ];
  for (const address of safe) setAttribute(link, 'href', address);
  assert.deepEqual(given, safe);
  for (const address of [
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'JavaScript:x',
    'data:text/html,x',
    'vbscript:x',
  ])
    assert.throws(() => setAttribute(link, 'href', address), /cannot have the address/, address);
  // Elsewhere an address is set without this check.
  const assigned = filesOf('.js').flatMap(({ path, text }) => (/\.href = /.test(text) ? [path] : []));
  assert.deepEqual(assigned.sort(), ['panels/header.js', 'style-sheet.js']);
});

test('the page has no script, style or listener inside of it', () => {
  for (const pattern of [/<script(?![^>]* src=)/, /<style\b/, /\sstyle=/, /\son\w+=/, /javascript:/])
    assert.doesNotMatch(page, pattern);
});
