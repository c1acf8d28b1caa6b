// A proxy through which a browser sends everything: requests of the page, of workers and of service workers, beacons,
// preconnections and sockets. It records them, and passes on only those to one host.

import { createServer, request as ask } from 'node:http';
import { close, listen, originOf } from '../../xtask/server.js';

/** @typedef {{method: string, url: string, body: boolean, referer: string|undefined, cookie: string|undefined}} Sent */

export class RecordingProxy {
  /** Every request, in order. @type {Sent[]} */
  sent = [];
  #host;
  #server = createServer((request, response) => this.#pass(request, response));

  /** @param {string} host  that requests are passed on to, with its port */
  constructor(host) {
    this.#host = host;
    // A browser asks for a connection before it sends anything encrypted, or opens a socket.
    this.#server.on('connect', (request, socket) => {
      this.#record(request, `connect://${request.url}`);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
  }

  /** @param {string} host */
  static async start(host) {
    const made = new RecordingProxy(host);
    await listen(made.#server);
    return made;
  }

  get address() {
    return originOf(this.#server);
  }

  close() {
    return close(this.#server);
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {string} url
   */
  #record({ method = '', headers }, url) {
    const body = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
    this.sent.push({ method, url, body, referer: headers.referer, cookie: headers.cookie });
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  #pass(request, response) {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    this.#record(request, url.href);
    if (url.host !== this.#host) return void response.writeHead(403).end();
    const { method, headers } = request;
    const passed = ask(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  }
}
