// The static file server: types, compressed forms, byte ranges, caching, headers, foreign hosts, and paths that leave
// the site.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { ISOLATION } from '../../xtask/headers.js';
import { close, listen, staticFiles } from '../../xtask/server.js';

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
 * @param {(ask: typeof request, origin: string) => Promise<void>} check
 * @typedef {{status: number|undefined, headers: import('node:http').IncomingHttpHeaders, body: string}} Answer
 */
async function serving(mounts, options, check) {
  const files = staticFiles(mounts, options);
  const server = createServer((asked, response) =>
    files(asked, response, () => void response.writeHead(404).end(asked.url)),
  );
  const origin = await listen(server);
  try {
    await check((path, headers, method) => request(origin + path, headers, method), origin);
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

/**
 * Sends a request line and headers as they are, and resolves with the whole answer.
 * @param {string} origin
 * @param {string} head
 * @returns {Promise<string>}
 */
async function raw(origin, head) {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.write(`${head}\r\nconnection: close\r\n\r\n`);
  return (await socket.setEncoding('latin1').toArray()).join('');
}

const WHOLE = [{ address: '', source: site }];

test('files have the type that a browser needs', () =>
  serving(WHOLE, {}, async (ask) => {
    assert.match((await ask('/')).headers['content-type'] ?? '', /^text\/html/);
    assert.match((await ask(MAIN)).headers['content-type'] ?? '', /^text\/javascript/);
    assert.equal((await ask('/v/12ab/www/x.wasm')).headers['content-type'], 'application/wasm');
    assert.match((await ask('/LICENSE')).headers['content-type'] ?? '', /^text\/plain/);
  }));

test('every response has the headers of the site, by default those that isolate it', async () => {
  const ranges = { range: `bytes=${SCRIPT.length}-` };
  const given = { 'x-of-the-site': 'yes' };
  for (const [options, expected] of /** @type {const} */ ([
    [{}, ISOLATION],
    [{ headers: () => given }, given],
  ]))
    await serving(WHOLE, options, async (ask) => {
      const answers = [ask('/'), ask(MAIN), ask('/missing.js'), ask('/', {}, 'POST'), ask(MAIN, ranges)];
      for (const { status, headers } of await Promise.all(answers))
        for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value, `${status}: ${name}`);
    });
  await serving(WHOLE, { headers: () => ({}) }, async (ask) => {
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
  const up = [
    '../',
    '%2e%2e/',
    '..%2f',
    '%2e%2e%2f',
    '%2E%2E%2F',
    '.%2e/',
    '..\\',
    '..%5c',
    '%2e%2e%5c',
    '%252e%252e%252f',
  ];
  const other = ['..%c0%af', '%c0%ae%c0%ae/', '..;/', '..%00/', '%00../', '....//'];
  const attempts = [...up, ...other].flatMap((out) => [`/${out}secret.txt`, `/v/${out}${out}secret.txt`]);
  const absolute = ['//etc/passwd', join(folder, 'secret.txt'), `/${join(folder, 'secret.txt')}`, '/index.html%00.js'];
  for (const live of [false, true]) {
    await serving(WHOLE, { live }, async (ask) => {
      for (const attempt of [...attempts, ...absolute, '/%', '/%zz', '/%ff', '/missing.js']) {
        const { status, body } = await ask(attempt);
        assert.equal(status, 404, attempt);
        assert.notEqual(body, 'secret', attempt);
      }
      // The server still answers.
      assert.equal((await ask(MAIN)).body, SCRIPT);
    });
  }
});

test('a request target that is no path is answered with an error', () =>
  serving(WHOLE, {}, async (_, origin) => {
    for (const target of ['../secret.txt', 'http://elsewhere.example/index.html', '*', '\\secret.txt'])
      assert.match(await raw(origin, `GET ${target} HTTP/1.1\r\nhost: localhost`), /^HTTP\/1\.1 40[04] /, target);
  }));

test('a request for another host is refused with a reason, because its name may have been pointed here', () =>
  serving(WHOLE, {}, async (ask, origin) => {
    const { port } = new URL(origin);
    for (const host of ['localhost', '127.0.0.1', '[::1]', `localhost:${port}`, `127.0.0.1:${port}`, 'LOCALHOST:1'])
      assert.equal((await ask('/', { host })).status, 200, host);
    const others = [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '0.0.0.0',
    ];
    for (const host of [...others, 'localhost@evil.example', 'evil.example/localhost', 'localhost:x']) {
      const { status, headers, body } = await ask('/', { host });
      assert.equal(status, 403, host);
      assert.match(headers['content-type'] ?? '', /^text\/plain/);
      assert.equal(body, `This server is for this machine only, not for "${host}".\n`);
    }
    assert.match(await raw(origin, 'GET / HTTP/1.0'), /^HTTP\/1\.1 403 /);
    assert.match(await raw(origin, 'GET / HTTP/1.0\r\nhost: localhost'), /^HTTP\/1\.1 200 /);
  }));

test('the server listens on the loopback address only', async () => {
  const server = createServer();
  await listen(server);
  const { address } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await close(server);
  assert.equal(address, '127.0.0.1');
});

test('the command sends the headers that its page asks for', async () => {
  const policy = "default-src 'none'; connect-src 'self'";
  const page = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const index = join(folder, 'served.html');
  writeFileSync(index, page);
  const program = fileURLToPath(new URL('../../xtask/server.js', import.meta.url));
  const site = { port: 0, live: true, mounts: [{ address: 'index.html', source: index }] };
  const child = spawn(process.execPath, [program, JSON.stringify(site)]);
  try {
    const [line] = /** @type {[Buffer]} */ (await once(child.stdout, 'data'));
    const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(String(line))?.[0] ?? '';
    for (const path of ['/', '/missing']) {
      const { headers } = await request(origin + path);
      assert.equal(headers['content-security-policy'], `${policy}; frame-ancestors 'none'`);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    writeFileSync(index, page.replace("'self'", "'self' https://hub.example"));
    assert.match(String((await request(`${origin}/`)).headers['content-security-policy']), /https:\/\/hub\.example/);
  } finally {
    child.kill();
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
