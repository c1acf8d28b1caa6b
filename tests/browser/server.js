// The built site below a sub-path, as a static host serves it, and the models that the tests need.
//
//   /classroom/webtune/        the site of WEBTUNE_DIST (default dist/), compressed where the browser accepts it
//   /classroom/<prelude>/      the same site, its worker with a prelude (preludes.js)
//   /classroom/static-host/    the same site without the headers of its policy and of its isolation
//   /classroom/models-test/    the folders of models.js, and those that a test offers
//
// By hand: `node tests/browser/server.js` prints the address.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { siteHeaders } from '../../xtask/headers.js';
import { close, listen, originOf, refuse, staticFiles } from '../../xtask/server.js';
import { HeldBodies, firstByte } from './bodies.js';
import { modelFolders } from './models.js';
import { SITES, prelude } from './preludes.js';

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {import('./models.js').Answer} Answer */

export const HOME = '/classroom/';
export const SITE = 'webtune';
export const STATIC_HOST = 'static-host';
const MODELS = 'models-test';
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

export class TestServer {
  /** The path of each request, in order. @type {string[]} */
  requests = [];
  /**
   * The `Range` header of each request for a file of a model, in order.
   * @type {{file: string, range: string|null}[]}
   */
  ranges = [];
  /** Scripts that are sent instead of files of the site, by the end of their path; null is a missing file. */
  replaced = /** @type {Map<string, string|null>} */ (new Map());
  /** The requests outside of the sub-path. @type {string[]} */
  strays = [];
  #dist;
  /** The built page. */
  #page;
  /** Where models and datasets of the current test are, beside the site itself. @type {string[]} */
  #hosts = [];
  #files;
  #filesOfStaticHost;
  #models = modelFolders();
  /** The models of the current test. @type {Map<string, import('./models.js').Folder>} */
  #offered = new Map();
  /** The number of requests for each file of the models. @type {Map<string, number>} */
  #visits = new Map();
  #cut = false;
  #held = new HeldBodies();
  #server = createServer((request, response) => void this.#answer(request, response));

  /**
   * @param {string} dist
   * @param {string} page  the text of its index.html
   */
  constructor(dist, page) {
    this.#dist = dist;
    this.#page = page;
    this.#files = staticFiles([{ address: '', source: dist }], { headers: () => siteHeaders(this.#configuredPage()) });
    this.#filesOfStaticHost = staticFiles([{ address: '', source: dist }], { headers: () => ({}) });
    this.#server.on('connection', (socket) => {
      if (this.#cut) socket.destroy();
    });
  }

  /** Serves `dist`, which must have been built. @param {string} [dist] */
  static async start(dist = process.env.WEBTUNE_DIST ?? join(REPOSITORY, 'dist')) {
    const folder = resolve(REPOSITORY, dist);
    const page = await readFile(join(folder, 'index.html'), 'utf8').catch(() => {
      throw new Error(
        `${folder} has no index.html: run \`cargo xtask build\` first, or set WEBTUNE_DIST to the built site.`,
      );
    });
    const made = new TestServer(folder, page);
    await listen(made.#server);
    return made;
  }

  get origin() {
    return originOf(this.#server);
  }

  /** The page of a site. @param {string} [name] */
  site(name = SITE) {
    return `${this.origin}${HOME}${name}/`;
  }

  /** The built module: its bytes, and where the page loads it from. */
  async module() {
    const main = /src="\.\/(.*?)www\/main\.js"/.exec(this.#page);
    if (!main) throw new Error('the built page does not load www/main.js');
    const module = `${main[1]}pkg/webtune_bg.wasm`;
    return {
      bytes: await readFile(join(this.#dist, module)),
      script: `${this.site()}${main[1]}pkg/webtune.js`,
      wasm: this.site() + module,
    };
  }

  /** Breaks every connection and accepts no new one, as without a network. */
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

  /**
   * Configures the site for other hosts than those of the Hub, until the test ends.
   * @param {...string} hosts
   */
  allowHosts(...hosts) {
    this.#hosts = hosts;
  }

  /** The page with the hosts of the test in its policy, as docs/operations.md describes it for a mirror. */
  #configuredPage() {
    if (this.#hosts.length === 0) return this.#page;
    const configured = this.#page.replace(/connect-src 'self'[^;]*/, `connect-src 'self' ${this.#hosts.join(' ')}`);
    if (configured === this.#page) throw new Error("the page's policy has no connect-src");
    return configured;
  }

  /** Resets the state for the next test. */
  reset() {
    this.#offered.clear();
    this.#hosts = [];
    this.replaced.clear();
    this.#cut = false;
    this.requests = [];
    this.ranges = [];
    this.strays = [];
    this.#visits.clear();
    this.release();
  }

  /** Sends the second half of the held files. */
  release() {
    this.#held.release();
  }

  /** Breaks the connections of the held files. */
  breakOff() {
    this.#held.cut();
  }

  close() {
    return close(this.#server);
  }

  /**
   * @param {Request} request
   * @param {Response} response
   */
  #answer(request, response) {
    const path = pathOf(request.url);
    if (path === null) return refuse(response, 400, `"${request.url}" is no path.`);
    this.requests.push(path);
    const [site = '', ...rest] = path.startsWith(HOME) ? path.slice(HOME.length).split('/') : [];
    if (site === MODELS) return this.#model(rest, request.headers.range ?? null, response);
    const isSite = site === SITE || site === STATIC_HOST || SITES.includes(site);
    if (!isSite) this.strays.push(`${request.method} ${path}`);
    const notFound = () =>
      void response
        .writeHead(404, { 'content-type': 'text/html' })
        .end('<!doctype html><title>404</title><p>Not found.</p>');
    if (!isSite) return notFound();
    const replaced = [...this.replaced].find(([end]) => path.endsWith(end));
    if (replaced) return replaced[1] === null ? notFound() : this.#sendScript(response, replaced[1]);
    const files = site === STATIC_HOST ? this.#filesOfStaticHost : this.#files;
    request.url = `/${rest.join('/')}`;
    if (path.endsWith('/www/worker.js') && prelude(site)) return void this.#worker(site, rest.join('/'), response);
    if (this.#hosts.length > 0 && request.url === '/') return this.#sendPage(site, response);
    files(request, response, notFound);
  }

  /**
   * Sends the worker with the prelude of a site.
   * @param {string} site
   * @param {string} inside
   * @param {Response} response
   */
  async #worker(site, inside, response) {
    const script = await readFile(join(this.#dist, inside), 'utf8');
    this.#sendScript(response, prelude(site) + script);
  }

  /**
   * @param {Response} response
   * @param {string} script
   */
  #sendScript(response, script) {
    const headers = { ...siteHeaders(this.#configuredPage()), 'cache-control': 'no-store' };
    response.writeHead(200, { 'content-type': 'text/javascript', ...headers }).end(script);
  }

  /**
   * Sends the page as it is configured for the test.
   * @param {string} site
   * @param {Response} response
   */
  #sendPage(site, response) {
    const page = this.#configuredPage();
    const headers = site === STATIC_HOST ? {} : siteHeaders(page);
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(page);
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

/** The path of a request, or null where it has none that can be read. @param {string} [url] */
function pathOf(url = '/') {
  try {
    return decodeURIComponent(new URL(url, 'http://127.0.0.1').pathname);
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await TestServer.start();
  console.log(server.site());
}
