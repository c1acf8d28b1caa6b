// The static host of the benchmark: subjects, models and webtune's built site under one origin, compressed files where the browser takes
// them, and a record of what went over the wire.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  mjs: 'text/javascript',
  json: 'application/json',
  wasm: 'application/wasm',
};

export class BenchServer {
  /** Of each file that was asked for, the bytes that were sent. @type {{path: string, bytes: number}[]} */
  sent = [];
  #mounts;
  #server = createServer((request, response) => void this.#answer(request, response));

  /** @param {[address: string, folder: string][]} mounts  the longest address first */
  constructor(mounts) {
    this.#mounts = mounts;
  }

  /** @returns {Promise<string>} the origin */
  async start() {
    await new Promise((listening) => this.#server.listen(0, '127.0.0.1', () => listening(undefined)));
    const address = this.#server.address();
    if (typeof address !== 'object' || !address) throw new Error('the server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  /** What was sent since the last time, without the checkpoint and the rows, which are the same for all: files and bytes. */
  wire() {
    const code = this.sent.filter(({ path }) => !/^\/(models|work)\//.test(path));
    this.sent = [];
    return { bytes: code.reduce((sum, { bytes }) => sum + bytes, 0), files: code };
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async #answer(request, response) {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    const [address, folder] = this.#mounts.find(([start]) => path.startsWith(start)) ?? [];
    const inside = path.endsWith('/') ? `${path}index.html` : path;
    const file = address !== undefined && folder !== undefined ? join(folder, inside.slice(address.length)) : '';
    const packed = String(request.headers['accept-encoding'] ?? '').includes('br') ? await size(`${file}.br`) : null;
    const bytes = packed ?? (await size(file));
    if (!file || bytes === null) return void response.writeHead(404).end();
    this.sent.push({ path, bytes });
    const type = TYPES[/** @type {keyof typeof TYPES} */ (file.split('.').at(-1))] ?? 'application/octet-stream';
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes,
      ...(packed === null ? {} : { 'content-encoding': 'br' }),
    });
    createReadStream(packed === null ? file : `${file}.br`).pipe(response);
  }
}

/** @param {string} file */
async function size(file) {
  const found = await stat(file).catch(() => null);
  return found?.isFile() ? found.size : null;
}
