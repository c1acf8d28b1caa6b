// The static file server: types, compressed forms, byte ranges, caching, and paths that leave the site.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { ISOLATION, close, listen, staticFiles } from '../../xtask/server.js';

const SCRIPT = 'export const answer = 42;\n';
const folder = mkdtempSync(join(tmpdir(), 'webtune-server-'));
after(() => rmSync(folder, { recursive: true }));

const site = join(folder, 'site');
mkdirSync(join(site, 'v/12ab/www'), { recursive: true });
writeFileSync(join(folder, 'secret.txt'), 'secret');
writeFileSync(join(site, 'index.html'), '<!doctype html>');
writeFileSync(join(site, 'LICENSE'), 'MIT');
writeFileSync(join(site, 'v/12ab/www/main.js'), SCRIPT);
writeFileSync(join(site, 'v/12ab/www/main.js.br'), brotliCompressSync(SCRIPT));
writeFileSync(join(site, 'v/12ab/www/main.js.gz'), gzipSync(SCRIPT));
writeFileSync(join(site, 'v/12ab/www/x.wasm'), 'wasm');
mkdirSync(join(site, 'models/0123456789abcdef/tiny'), { recursive: true });
mkdirSync(join(site, 'models/tiny'), { recursive: true });
for (const folder of ['models/0123456789abcdef/tiny', 'models/tiny'])
  writeFileSync(join(site, folder, 'config.json'), '{}');
const MAIN = '/v/12ab/www/main.js';

/**
 * Runs a server for a callback, which gets a function that requests a path exactly as it is written.
 * @param {import('../../xtask/server.js').Mount[]} mounts
 * @param {import('../../xtask/server.js').Options} options
 * @param {(ask: typeof request) => Promise<void>} check
 * @typedef {{status: number|undefined, headers: import('node:http').IncomingHttpHeaders, body: string}} Answer
 */
async function serving(mounts, options, check) {
  const files = staticFiles(mounts, options);
  const server = createServer((asked, response) =>
    files(asked, response, () => void response.writeHead(404).end(asked.url)),
  );
  const origin = await listen(server);
  try {
    await check((path, headers, method) => request(origin + path, headers, method));
  } finally {
    await close(server);
  }
}

/**
 * @param {string} url
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Answer>}
 */
function request(url, headers = {}, method = 'GET') {
  const [, host = '', port, path] = /^http:\/\/(.*?):(\d+)(.*)$/.exec(url) ?? [];
  return new Promise((resolve, reject) => {
    get({ host, port, path, headers, method }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (text) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    }).on('error', reject);
  });
}

const WHOLE = [{ address: '', source: site }];

test('files have the type that a browser needs', () =>
  serving(WHOLE, {}, async (ask) => {
    assert.match((await ask('/')).headers['content-type'] ?? '', /^text\/html/);
    assert.match((await ask(MAIN)).headers['content-type'] ?? '', /^text\/javascript/);
    assert.equal((await ask('/v/12ab/www/x.wasm')).headers['content-type'], 'application/wasm');
    assert.match((await ask('/LICENSE')).headers['content-type'] ?? '', /^text\/plain/);
  }));

test('the page and its workers are isolated, unless the server is asked for a host that sends no headers', async () => {
  const { 'cross-origin-embedder-policy': policy, 'cross-origin-opener-policy': opener } = ISOLATION;
  await serving(WHOLE, {}, async (ask) => {
    for (const path of ['/', MAIN]) {
      const { headers } = await ask(path);
      assert.equal(headers['cross-origin-embedder-policy'], policy);
      assert.equal(headers['cross-origin-opener-policy'], opener);
    }
  });
  await serving(WHOLE, { isolated: false }, async (ask) => {
    assert.equal((await ask('/')).headers['cross-origin-embedder-policy'], undefined);
  });
});

test('the best compressed form that the browser accepts is sent', () =>
  serving(WHOLE, {}, async (ask) => {
    const encodings = ['gzip, deflate, br', 'gzip', 'identity'].map(async (accepted) => {
      const { headers } = await ask(MAIN, { 'accept-encoding': accepted });
      assert.match(headers['content-type'] ?? '', /^text\/javascript/);
      assert.equal(headers.vary, 'Accept-Encoding');
      return headers['content-encoding'];
    });
    assert.deepEqual(await Promise.all(encodings), ['br', 'gzip', undefined]);
  }));

test('a byte range is a part of the file itself', () =>
  serving(WHOLE, {}, async (ask) => {
    const rest = await ask(MAIN, { range: 'bytes=7-', 'accept-encoding': 'br' });
    assert.equal(rest.status, 206);
    assert.equal(rest.body, SCRIPT.slice(7));
    assert.equal(rest.headers['content-range'], `bytes 7-${SCRIPT.length - 1}/${SCRIPT.length}`);
    assert.equal((await ask(MAIN, { range: 'bytes=1-3' })).body, SCRIPT.slice(1, 4));
    assert.equal((await ask(MAIN, { range: `bytes=${SCRIPT.length}-` })).status, 416);
  }));

test('versioned paths are cached for good, and the page is revalidated by its etag', () =>
  serving(WHOLE, {}, async (ask) => {
    assert.match((await ask(MAIN)).headers['cache-control'] ?? '', /immutable/);
    const page = await ask('/');
    assert.doesNotMatch(page.headers['cache-control'] ?? '', /immutable/);
    const again = await ask('/', { 'if-none-match': String(page.headers.etag) });
    assert.equal(again.status, 304);
    assert.equal((await ask('/', { 'if-none-match': '"other"' })).status, 200);
  }));

test('a model is cached for good only where its address has a hash', () =>
  serving(WHOLE, {}, async (ask) => {
    assert.match((await ask('/models/0123456789abcdef/tiny/config.json')).headers['cache-control'] ?? '', /immutable/);
    const model = await ask('/models/tiny/config.json');
    assert.equal(model.headers['cache-control'], 'no-cache');
    const again = await ask('/models/tiny/config.json', { 'if-none-match': String(model.headers.etag) });
    assert.equal(again.status, 304);
  }));

test('no path leaves the site', async () => {
  const attempts = ['/../secret.txt', '/v/../../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '//etc/passwd'];
  for (const live of [false, true]) {
    await serving(WHOLE, { live }, async (ask) => {
      for (const attempt of [...attempts, '/%', '/%zz', '/missing.js'])
        assert.equal((await ask(attempt)).status, 404, attempt);
    });
  }
});

test('a mount answers only for what it contains', async () => {
  const mounts = [
    { address: 'www', source: join(site, 'v/12ab/www') },
    { address: 'index.html', source: join(site, 'index.html') },
    { address: 'models/m/weights.bin', source: join(folder, 'secret.txt') },
  ];
  await serving(mounts, { live: true }, async (ask) => {
    assert.equal((await ask('/www/main.js?x=1')).body, SCRIPT);
    assert.equal((await ask('/www/main.js', { 'accept-encoding': 'br' })).headers['content-encoding'], undefined);
    assert.equal((await ask('/?lang=ko')).body, '<!doctype html>');
    assert.equal((await ask('/models/m/weights.bin')).body, 'secret');
    for (const path of ['/wwwroot/main.js', '/models/m/secret.txt', '/models/m/']) {
      const answer = await ask(path);
      assert.deepEqual([answer.status, answer.body], [404, path]);
    }
  });
});

test('a live server sends what is on the disk at the time of the request', () =>
  serving(WHOLE, { live: true }, async (ask) => {
    // Without a body, which the server might still be reading from the file while it changes.
    const first = await ask('/index.html', {}, 'HEAD');
    assert.equal(first.headers['cache-control'], 'no-cache');
    writeFileSync(join(site, 'index.html'), '<!doctype html><p>changed');
    const second = await ask('/index.html', { 'if-none-match': String(first.headers.etag) });
    assert.equal(second.body, '<!doctype html><p>changed');
  }));

test('only GET and HEAD are answered', () =>
  serving(WHOLE, {}, async (ask) => {
    assert.equal((await ask('/', {}, 'POST')).status, 405);
    const head = await ask('/', {}, 'HEAD');
    assert.deepEqual([head.status, head.body], [200, '']);
  }));
