// The built site below a sub-path, as a plain static host serves it, and beside it the models that the tests need.
//
//   /classroom/webtune/        the site of WEBTUNE_DIST (default dist/), compressed files where the browser takes them
//   /classroom/<prelude>/      the same site, its worker with a prelude (preludes.js)
//   /classroom/models-test/    the folders of models.js, and those that a test offers
//
// By hand: `node tests/browser/server.js` prints the address.

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeldBodies, firstByte } from './bodies.js';
import { modelFolders } from './models.js';
import { SITES, prelude } from './preludes.js';

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {import('./models.js').Answer} Answer */

export const HOME = '/classroom/';
export const SITE = 'webtune';
const MODELS = 'models-test';
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  json: 'application/json',
  wasm: 'application/wasm',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};
const ENCODINGS = /** @type {const} */ ([
  ['br', '.br'],
  ['gzip', '.gz'],
]);

export class TestServer {
  /** Every address that was asked for, in order. @type {string[]} */
  requests = [];
  /** The `Range` header of every file of the models that was asked for, in order. @type {{file: string, range: string|null}[]} */
  ranges = [];
  /** Those outside of what a site in a sub-path may know of. @type {string[]} */
  strays = [];
  #dist;
  #models = modelFolders();
  /** Those of the test that runs. @type {Map<string, import('./models.js').Folder>} */
  #offered = new Map();
  /** How often each file of the models was asked for. @type {Map<string, number>} */
  #visits = new Map();
  #cut = false;
  #held = new HeldBodies();
  #server = createServer((request, response) => void this.#answer(request, response));

  /** @param {string} dist */
  constructor(dist) {
    this.#dist = dist;
    this.#server.on('connection', (socket) => {
      if (this.#cut) socket.destroy();
    });
  }

  /** Serves `dist`, which must have been built. @param {string} [dist] */
  static async start(dist = process.env.WEBTUNE_DIST ?? join(REPOSITORY, 'dist')) {
    const folder = resolve(REPOSITORY, dist);
    await stat(join(folder, 'index.html')).catch(() => {
      throw new Error(
        `${folder} has no index.html: run \`cargo xtask build\` first, or set WEBTUNE_DIST to the built site.`,
      );
    });
    const made = new TestServer(folder);
    await new Promise((listening) => made.#server.listen(0, '127.0.0.1', () => listening(undefined)));
    return made;
  }

  get origin() {
    const address = this.#server.address();
    if (typeof address !== 'object' || !address) throw new Error('the server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** The page of a site. @param {string} [name] */
  site(name = SITE) {
    return `${this.origin}${HOME}${name}/`;
  }

  /** The built module: its bytes, and where the page loads it from. */
  async module() {
    const page = await readFile(join(this.#dist, 'index.html'), 'utf8');
    const main = /src="\.\/(.*?)www\/main\.js"/.exec(page);
    if (!main) throw new Error('the built page does not load www/main.js');
    const module = `${main[1]}pkg/webtune_bg.wasm`;
    return {
      bytes: await readFile(join(this.#dist, module)),
      script: `${this.site()}${main[1]}pkg/webtune.js`,
      wasm: this.site() + module,
    };
  }

  /** Breaks every connection and takes no new one, as a network that is gone. */
  cut() {
    this.#cut = true;
    this.#server.closeAllConnections();
  }

  /**
   * Serves one more model folder until the test ends.
   * @param {string} name
   * @param {import('./models.js').Folder} folder
   */
  offer(name, folder) {
    this.#offered.set(name, folder);
  }

  /** Starts over for the next test. */
  reset() {
    this.#offered.clear();
    this.#cut = false;
    this.requests = [];
    this.ranges = [];
    this.strays = [];
    this.#visits.clear();
    this.release();
  }

  /** Sends the other half of the files that are held. */
  release() {
    this.#held.release();
  }

  /** Breaks the connections of the files that are held. */
  breakOff() {
    this.#held.cut();
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  /**
   * @param {Request} request
   * @param {Response} response
   */
  async #answer(request, response) {
    const path = decodeURIComponent(new URL(request.url ?? '/', this.origin).pathname);
    this.requests.push(path);
    const [site = '', ...rest] = path.startsWith(HOME) ? path.slice(HOME.length).split('/') : [];
    const inside = rest.join('/');
    if (site === MODELS) return this.#model(rest, request.headers.range ?? null, response);
    if ((site === SITE || SITES.includes(site)) && !rest.includes('..')) {
      const found = await this.#file(site, inside || 'index.html', request, response);
      if (found) return;
    } else {
      this.strays.push(`${request.method} ${path}`);
    }
    response
      .writeHead(404, { 'content-type': 'text/html' })
      .end('<!doctype html><title>404</title><p>Nothing is here.</p>');
  }

  /**
   * @param {string} site
   * @param {string} inside
   * @param {Request} request
   * @param {Response} response
   */
  async #file(site, inside, request, response) {
    const path = join(this.#dist, inside);
    const type = TYPES[/** @type {keyof typeof TYPES} */ (path.split('.').at(-1))] ?? 'application/octet-stream';
    // What changes with a build lies under v/; the models never change. Everything else is asked for again soon.
    const lasting = inside.startsWith('v/') || inside.startsWith('models/');
    const headers = {
      'content-type': type,
      'cache-control': lasting ? 'public, max-age=31536000, immutable' : 'public, max-age=600',
      vary: 'accept-encoding',
    };
    const before = inside.endsWith('/www/worker.js') ? prelude(site) : '';
    if (before) {
      response.writeHead(200, headers).end(before + (await readFile(path, 'utf8')));
      return true;
    }
    const accepted = String(request.headers['accept-encoding'] ?? '');
    const forms = [...ENCODINGS.filter(([name]) => accepted.includes(name)), /** @type {const} */ (['', ''])];
    for (const [name, suffix] of forms) {
      const found = await stat(path + suffix).catch(() => null);
      if (!found?.isFile()) continue;
      response.writeHead(200, {
        ...headers,
        'content-length': found.size,
        ...(name ? { 'content-encoding': name } : {}),
      });
      createReadStream(path + suffix).pipe(response);
      return true;
    }
    return false;
  }

  /**
   * @param {string[]} path
   * @param {string|null} range
   * @param {Response} response
   */
  #model([folder = '', file = ''], range, response) {
    this.ranges.push({ file, range });
    const answers = (this.#offered.get(folder) ?? this.#models.get(folder))?.[file];
    const visit = this.#visits.get(`${folder}/${file}`) ?? 0;
    this.#visits.set(`${folder}/${file}`, visit + 1);
    const answer = Array.isArray(answers) ? (answers[visit] ?? answers.at(-1)) : answers;
    if (!answer) return void response.writeHead(404).end();
    const { type = 'application/octet-stream', cutAt, held, ranged } = answer;
    const from = ranged ? firstByte(range) : 0;
    const { length } = answer.body;
    const body = answer.body.subarray(from);
    const part = from > 0 ? { 'content-range': `bytes ${from}-${length - 1}/${length}` } : {};
    const status = answer.status ?? (from > 0 ? 206 : 200);
    response.writeHead(status, {
      'content-type': type,
      'content-length': body.length,
      'cache-control': 'no-store',
      ...part,
    });
    if (cutAt !== undefined) return void response.write(body.subarray(0, cutAt), () => response.destroy());
    if (!held) return void response.end(body);
    this.#held.hold(response, body);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await TestServer.start();
  console.log(server.site());
}
