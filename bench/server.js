// The static host of the benchmark: subjects, models and webtune's built site under one origin, compressed where the
// browser accepts it, and a record of what went over the wire.

import { createServer } from 'node:http';
import { close, listen, staticFiles } from '../xtask/server.js';

export class BenchServer {
  /** The files that were requested, with the bytes that were sent. @type {{path: string, bytes: number}[]} */
  sent = [];
  #server;

  /** @param {import('../xtask/server.js').Mount[]} mounts */
  constructor(mounts) {
    const files = staticFiles(mounts, {
      // Each subject is measured as on a first visit.
      cacheControl: () => 'no-store',
      onFile: (path, bytes) => this.sent.push({ path, bytes }),
    });
    this.#server = createServer((request, response) => {
      // A page has shared memory, and with it threads, only if it is isolated from other origins.
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
      files(request, response, () => void response.writeHead(404).end());
    });
  }

  /** @returns {Promise<string>} the origin */
  start() {
    return listen(this.#server);
  }

  close() {
    return close(this.#server);
  }

  /** The files that were sent since the last call, without the checkpoint and the rows, which are the same for all. */
  wire() {
    const code = this.sent.filter(({ path }) => !/^\/(models|work)\//.test(path));
    this.sent = [];
    return { bytes: code.reduce((sum, { bytes }) => sum + bytes, 0), files: code };
  }
}
