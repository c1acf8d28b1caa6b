// The static file server of `cargo xtask serve`, of the browser tests and of the benchmark. It is for this machine
// only: it listens on the loopback address and answers no request for another host, which a page of that host could
// send after its name has been pointed here (DNS rebinding).
//
// By hand: `node xtask/server.js '{"port": 8080, "live": false, "mounts": [{"address": "", "source": "dist"}]}'`

import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { ISOLATION, siteHeaders } from './headers.js';

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
 * @property {() => import('./headers.js').Headers} [headers]   of every response; by default those that isolate a page
 * @property {(path: string) => string} [cacheControl]   the header of a file
 * @property {(path: string, bytes: number) => void} [onFile]   is called for each file that is sent
 */

/** The names of this machine, with or without a port: that of a tunnel may be another one. */
const OWN_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
const YEAR = 'public, max-age=31536000, immutable';
const MINUTES = 'public, max-age=300, stale-while-revalidate=604800';
const NOT_FOUND =
  '<!doctype html><meta charset="utf-8"><title>404</title><h1>Not found</h1><p><a href="/">To the page</a></p>\n';

/**
 * Returns a request handler for mounts. The first mount that contains the path answers.
 * `next` answers for files that do not exist; its response has the headers, too.
 * @param {Mount[]} mounts
 * @param {Options} [options]
 * @returns {(request: Request, response: Response, next: () => void) => void}
 */
export function staticFiles(mounts, options = {}) {
  const { headers = () => ISOLATION } = options;
  const handlers = mounts.map((mount) => handlerOf(mount, options));
  return (request, response, next) => {
    for (const [name, value] of Object.entries(headers())) response.setHeader(name, value);
    const { host = '' } = request.headers;
    if (!OWN_HOST.test(host)) return refuse(response, 403, `This server is for this machine only, not for "${host}".`);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end('Only GET and HEAD are answered.\n');
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
  const { live = false, onFile } = options;
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
 * @param {Response} response
 * @param {number} status
 * @param {string} reason
 */
export function refuse(response, status, reason) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${reason}\n`);
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

/** The file with the page of a site. @param {Mount[]} mounts */
function pageOf(mounts) {
  const page = mounts.find(({ address }) => address === 'index.html')?.source;
  const whole = mounts.find(({ address }) => address === '')?.source;
  const file = page ?? (whole && join(whole, 'index.html'));
  if (!file) throw new Error('no mount has the page, index.html');
  return file;
}

/**
 * The headers that a page asks for, where it is live as it is now.
 * @param {string} file
 * @param {boolean} live
 */
function headersOf(file, live) {
  const read = () => siteHeaders(readFileSync(file, 'utf8'));
  let latest = read();
  return () => {
    try {
      if (live) latest = read();
    } catch (error) {
      // An editor may be writing it.
      console.log(`    ${file}: ${error instanceof Error ? error.message : error}`);
    }
    return latest;
  };
}

/** @param {{port: number, live: boolean, mounts: Mount[]}} site */
async function main({ port, live, mounts }) {
  const files = staticFiles(mounts, { live, headers: headersOf(pageOf(mounts), live) });
  const server = createServer((request, response) =>
    files(request, response, () => {
      console.log(`    404 ${request.url}`);
      response.writeHead(404, { 'content-type': 'text/html; charset=utf-8' }).end(NOT_FOUND);
    }),
  );
  console.log(`==> ${await listen(server, port)}/ (Ctrl+C ends it)`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2] ?? '{}'));
