// A Hub on two origins, as the real one: repositories answer with their commit and redirect. Large files are redirected
// to a storage on the other origin, with an etag that is not the SHA-256, and small ones within the Hub.
// A test can ask for each failure of a network.
//
//   /api/models/{owner}/{name}/revision/{revision}?blobs=true   commit, sizes, hashes
//   /{owner}/{name}/resolve/{revision}/{file}                   302 or 307
//   /storage/{owner}/{name}/{commit}/{file}                     the bytes, whole or from a place on

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { close, listen, originOf } from '../../xtask/server.js';
import { HeldBodies, firstByte } from './bodies.js';

/**
 * A failure of one request for the bytes of a file.
 * @typedef {object} Trouble
 * @property {number} [status]        another status, and no bytes
 * @property {boolean} [ignoreRange]
 * @property {Buffer} [body]          other bytes
 * @property {string} [etag]          another etag
 * @property {boolean} [held]         the second half waits until the test sends it or breaks the connection
 */

/**
 * @typedef {object} Repository
 * @property {Record<string, string>} revisions   commits by branch or tag
 * @property {Record<string, Buffer>} files
 * @property {boolean} [unlisted]     a mirror without a list of files
 * @property {string} [license]
 * @property {Record<string, string>} [hashes]    what the list says instead of a file's own hash
 * @property {Record<string, Trouble[]>} [troubles]  by file: one for each request, in order; later requests succeed
 */

/** @typedef {import('node:http').IncomingHttpHeaders} Headers */
/** @typedef {{path: string, range: string|null, headers: Headers, method: string}} Asked */

const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,' +
  'X-Linked-Size,X-Linked-ETag,X-Xet-Hash';
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED };

export const COMMIT = 'c0ffee0123456789abcdef0123456789abcdef01';

/** @param {Buffer} bytes */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

export class HubServer {
  /** Every request, in order. @type {Asked[]} */
  asked = [];
  /** @type {Map<string, Repository>} */
  #repositories = new Map();
  #held = new HeldBodies();
  #server = createServer((request, response) => this.#answer(request, response));

  static async start() {
    const made = new HubServer();
    await listen(made.#server);
    return made;
  }

  get endpoint() {
    return originOf(this.#server);
  }

  /** Where large files are: another origin on the same server. */
  get storage() {
    return this.endpoint.replace('127.0.0.1', 'localhost');
  }

  /**
   * @param {string} id       `owner/name`
   * @param {Record<string, Buffer>} files
   * @param {Partial<Repository>} [more]
   */
  offer(id, files, more = {}) {
    const repository = { revisions: { main: COMMIT }, files, ...more };
    this.#repositories.set(id, repository);
    return repository;
  }

  /** The requests for the bytes of one file. @param {string} file */
  bytesOf(file) {
    return this.asked.filter(({ path }) => path.startsWith('/storage/') && path.endsWith(`/${file}`));
  }

  /** Sends the second half of the held files. */
  release() {
    this.#held.release();
  }

  /** Breaks the connections of the held files. */
  cut() {
    this.#held.cut();
  }

  async close() {
    this.release();
    await close(this.#server);
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  #answer(request, response) {
    const { pathname } = new URL(request.url ?? '/', this.endpoint);
    const range = request.headers.range ?? null;
    this.asked.push({ path: pathname, range, headers: request.headers, method: request.method ?? '' });
    // The storage of the real Hub refuses preflight requests.
    if (request.method !== 'GET') return void response.writeHead(403).end();
    const parts = pathname.split('/').slice(1).map(decodeURIComponent);
    const refuse = (/** @type {number} */ status) => void response.writeHead(status, CORS).end('Entry not found');
    if (parts[0] === 'api') {
      const repository = this.#repositories.get(`${parts[2]}/${parts[3]}`);
      const commit = repository && commitOf(repository, parts[5] ?? '');
      if (!repository || !commit || repository.unlisted) return refuse(404);
      return void response
        .writeHead(200, { ...CORS, 'content-type': 'application/json' })
        .end(JSON.stringify(listing(commit, repository)));
    }
    const storage = parts[0] === 'storage';
    const [owner = '', name = '', ...rest] = storage ? parts.slice(1) : parts;
    const id = `${owner}/${name}`;
    const repository = this.#repositories.get(id);
    if (!repository) return refuse(401);
    const [revision = '', file = ''] = storage ? rest : rest.slice(1);
    const commit = commitOf(repository, revision);
    const bytes = repository.files[file];
    if (!commit || !bytes) return refuse(404);
    if (storage) return this.#bytes(repository, file, bytes, range, response);
    const large = isLarge(file);
    const place = `/storage/${id}/${commit}/${encodeURIComponent(file)}`;
    response.writeHead(large ? 302 : 307, {
      ...CORS,
      'x-repo-commit': commit,
      ...(large ? { 'x-linked-size': bytes.length, 'x-linked-etag': `"${sha256(bytes)}"` } : {}),
      location: large ? this.storage + place : place,
    });
    response.end();
  }

  /**
   * @param {Repository} repository
   * @param {string} file
   * @param {Buffer} own
   * @param {string|null} range
   * @param {import('node:http').ServerResponse} response
   */
  #bytes(repository, file, own, range, response) {
    const trouble = repository.troubles?.[file]?.shift() ?? {};
    if (trouble.status) return void response.writeHead(trouble.status, CORS).end();
    const whole = trouble.body ?? own;
    const from = trouble.ignoreRange ? 0 : firstByte(range);
    if (from >= whole.length) {
      return void response.writeHead(416, { ...CORS, 'content-range': `bytes */${whole.length}` }).end();
    }
    const body = whole.subarray(from);
    // The etag of a large file looks like a SHA-256 of the content but is another hash.
    const etag =
      trouble.etag ??
      (isLarge(file) ? sha256(Buffer.from(`xet ${sha256(own)}`)) : createHash('sha1').update(own).digest('hex'));
    response.writeHead(from > 0 ? 206 : 200, {
      ...CORS,
      etag: `"${etag}"`,
      'content-length': body.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
      ...(isLarge(file) ? {} : { 'x-repo-commit': Object.values(repository.revisions)[0] }),
    });
    if (!trouble.held) return void response.end(body);
    this.#held.hold(response, body);
  }
}

/** Whether the Hub keeps a file in its storage. @param {string} file */
const isLarge = (file) => /\.(safetensors|bin)$/.test(file);

/**
 * @param {Repository} repository
 * @param {string} revision
 */
const commitOf = ({ revisions }, revision) =>
  revisions[revision] ?? Object.values(revisions).find((commit) => commit === revision);

/**
 * @param {string} commit
 * @param {Repository} repository
 */
function listing(commit, { files, hashes = {}, license = 'mit' }) {
  const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
    rfilename,
    size: bytes.length,
    blobId: createHash('sha1').update(bytes).digest('hex'),
    ...(isLarge(rfilename)
      ? { lfs: { sha256: hashes[rfilename] ?? sha256(bytes), size: bytes.length, pointerSize: 134 } }
      : {}),
  }));
  const tags = ['bert', `license:${license}`];
  return { sha: commit, tags, siblings: [{ rfilename: 'README.md', size: 1 }, ...siblings] };
}
