// The static file server of `cargo xtask serve`, of the browser tests and of the benchmark.
//
// By hand: `node xtask/server.js '{"port": 8080, "live": false, "mounts": [{"address": "", "source": "dist"}]}'`

import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */

/**
 * A path of the site, without a slash at either end, and the folder or file with its content.
 * The path `''` is the whole site.
 * @typedef {{address: string, source: string}} Mount
 */

/**
 * @typedef {object} Options
 * @property {boolean} [live]   reads the folders at each request, and sends no compressed and no cached files
 * @property {boolean} [isolated]   sends the headers that isolate the page, by default
 * @property {(path: string) => string} [cacheControl]   the header of a file
 * @property {(path: string, bytes: number) => void} [onFile]   is called for each file that is sent
 */

/**
 * Isolates the page from other origins, so that its threads may share memory
 * (https://developer.mozilla.org/docs/Web/API/Window/crossOriginIsolated). The page and its workers need them.
 */
export const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const YEAR = 'public, max-age=31536000, immutable';
const MINUTES = 'public, max-age=300, stale-while-revalidate=604800';
const NOT_FOUND =
  '<!doctype html><meta charset="utf-8"><title>404</title><h1>Not found</h1><p><a href="/">To the page</a></p>\n';

/**
 * Returns a request handler for mounts. The first mount that contains the path answers.
 * `next` answers for files that do not exist.
 * @param {Mount[]} mounts
 * @param {Options} [options]
 * @returns {(request: Request, response: Response, next: () => void) => void}
 */
export function staticFiles(mounts, options = {}) {
  const handlers = mounts.map((mount) => handlerOf(mount, options));
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end('only GET and HEAD\n');
    // A byte range refers to the file itself, not to its compressed form.
    if (request.headers.range) delete request.headers['accept-encoding'];
    const url = request.url ?? '/';
    const path = url.replace(/[?#].*$/, '').replace(/\/$/, '/index.html');
    for (const { pathInside, serve } of handlers) {
      const inside = pathInside(path);
      if (inside === null) continue;
      request.url = inside;
      return serve(request, response, () => {
        request.url = url;
        next();
      });
    }
    next();
  };
}

/**
 * @param {Mount} mount
 * @param {Options} options
 */
function handlerOf({ address, source }, options) {
  const { live = false, isolated = true, onFile } = options;
  const { cacheControl = live ? () => 'no-cache' : lasting } = options;
  const prefix = address && `/${address}`;
  const isFile = statSync(source).isFile();
  const serve = sirv(isFile ? dirname(source) : source, {
    // Otherwise sirv lists the whole folder beforehand, and a file's folder may be the repository.
    dev: live || isFile,
    etag: true,
    brotli: !live,
    gzip: !live,
    setHeaders: (response, path, stats) => {
      const whole = isFile ? prefix : prefix + path;
      onFile?.(whole, stats.size);
      response.setHeader('cache-control', cacheControl(whole));
      if (isolated) for (const [name, value] of Object.entries(ISOLATION)) response.setHeader(name, value);
      if (!/\.\w+$/.test(path)) response.setHeader('content-type', 'text/plain; charset=utf-8');
    },
  });
  /** @param {string} path */
  const pathInside = (path) => {
    if (isFile) return path === prefix ? `/${encodeURIComponent(basename(source))}` : null;
    return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : null;
  };
  return { pathInside, serve };
}

/**
 * Returns how long a browser may keep a file of the built site. Files below `v/<content hash>/` and
 * `models/<content hash>/` never change. A model without a hash in its address may be exchanged, and a part of an old
 * one must not be used with a part of the new one, so the browser asks each time whether a file has changed.
 * @param {string} path
 */
function lasting(path) {
  if (/\/(v|models\/[0-9a-f]{16})\//.test(path)) return YEAR;
  return path.includes('/models/') ? 'no-cache' : MINUTES;
}

/**
 * Listens on 127.0.0.1 and returns the origin. Port 0 is any free port.
 * @param {import('node:http').Server} server
 */
export async function listen(server, port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return originOf(server);
}

/** @param {import('node:http').Server} server */
export function originOf(server) {
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the server does not listen');
  return `http://127.0.0.1:${address.port}`;
}

/** @param {import('node:http').Server} server */
export async function close(server) {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

/** @param {{port: number, live: boolean, mounts: Mount[]}} site */
async function main({ port, live, mounts }) {
  const files = staticFiles(mounts, { live });
  const server = createServer((request, response) =>
    files(request, response, () => {
      console.log(`    404 ${request.url}`);
      response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end(NOT_FOUND);
    }),
  );
  console.log(`==> ${await listen(server, port)}/ (Ctrl+C ends it)`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2] ?? '{}'));
