// The page's connection to the worker: a request returns a promise, and its progress events call a callback.
//
// Every request has a new id, which its replies repeat. When the worker fails, all open and later requests are rejected
// with the same `fatal` error, until the worker is replaced.

/** @typedef {import('./protocol.js').RequestBody} RequestBody */
/** @typedef {import('./protocol.js').Results} Results */
/** @typedef {import('./protocol.js').Reply} Reply */
/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./protocol.js').SessionState} SessionState */
/** @typedef {import('./protocol.js').WorkerError} WorkerError */
/** @typedef {Extract<Reply, {type: 'log'}>} LogReply */

/**
 * The part of a Worker that a session uses, so that tests can replace it.
 * @typedef {object} WorkerLike
 * @property {(message: any) => void} postMessage
 * @property {(type: string, listener: (event: any) => void) => void} addEventListener
 * @property {() => void} terminate
 */

/**
 * An error, with the folders of the models among which the visitor has to choose.
 * @typedef {WorkerError & {folders?: string[]}} ShownError
 */

/** The worker's error for a request. */
export class RequestError extends Error {
  /** @param {ShownError} error */
  constructor({ code, message, field, folders }) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.field = field;
    this.folders = folders;
  }
}

/**
 * Converts any thrown value to the error that a panel shows.
 * @param {unknown} error
 * @returns {ShownError}
 */
export function asShown(error) {
  if (error instanceof RequestError) {
    const { code, message, field, folders } = error;
    return folders ? { code, message, field, folders } : { code, message, field };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error), field: null };
}

/**
 * @typedef {object} OpenRequest
 * @property {(result: any) => void} resolve
 * @property {(error: RequestError) => void} reject
 * @property {(event: ProgressEvent) => void} onEvent
 */

/**
 * @typedef {object} Hooks
 * @property {(state: SessionState) => void} onState  what the worker holds, before the promise of its request settles
 * @property {(error: WorkerError) => void} onFatal
 * @property {(log: LogReply) => void} onLog
 */

export class Session {
  #worker;
  #lastId = 0;
  /** The open requests by their id. @type {Map<number, OpenRequest>} */
  #open = new Map();
  /** @type {WorkerError|null} */
  #fatal = null;
  #onState;
  #onFatal;
  #onLog;

  /**
   * @param {WorkerLike} worker
   * @param {Partial<Hooks>} [hooks]
   */
  constructor(worker, { onState = () => {}, onFatal = () => {}, onLog = () => {} } = {}) {
    this.#worker = this.#listenTo(worker);
    this.#onState = onState;
    this.#onFatal = onFatal;
    this.#onLog = onLog;
  }

  /**
   * Fails because a worker has ended without a message, unless it was replaced.
   * @param {WorkerLike} worker
   */
  ended(worker) {
    if (worker === this.#worker)
      this.#fail({ code: 'fatal', message: 'The browser has ended the worker that trains.', field: null });
  }

  /**
   * Ends the worker and takes another one, which holds nothing yet.
   * @param {WorkerLike} worker
   */
  restart(worker) {
    this.#fail({ code: 'fatal', message: 'The worker was replaced.', field: null });
    this.#fatal = null;
    this.#worker = this.#listenTo(worker);
  }

  /**
   * @param {WorkerLike} worker
   * @returns {WorkerLike}
   */
  #listenTo(worker) {
    worker.addEventListener('message', ({ data }) => this.#receive(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault?.();
      const detail = event.message ? ` (${event.message})` : '';
      this.#fail({
        code: 'fatal',
        message: `The worker that trains could not be started or has crashed${detail}.`,
        field: null,
      });
    });
    worker.addEventListener('messageerror', () =>
      this.#fail({ code: 'fatal', message: 'A message of the worker could not be read.', field: null }),
    );
    return worker;
  }

  /** The error that ended the worker, or null while it works. */
  get fatal() {
    return this.#fatal;
  }

  /**
   * Sends a request. `onEvent` gets the progress of this request only.
   * @template {RequestBody['type']} T
   * @param {Extract<RequestBody, {type: T}>} body
   * @param {(event: ProgressEvent) => void} [onEvent]
   * @returns {Promise<Results[T]>}
   */
  request(body, onEvent = () => {}) {
    if (this.#fatal) return Promise.reject(new RequestError(this.#fatal));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject, onEvent });
      this.#worker.postMessage({ ...body, id });
    });
  }

  /** @param {Reply} reply */
  #receive(reply) {
    if (reply.type === 'log') return this.#onLog(reply);
    if (reply.type === 'fatal') return this.#fail(reply.error);
    const request = this.#open.get(reply.id);
    if (!request) return; // an event that arrived after the end of its request
    if (reply.type === 'event') return request.onEvent(reply.event);
    this.#open.delete(reply.id);
    if (reply.state) this.#onState(reply.state);
    if (reply.type === 'result') request.resolve(reply.result);
    else request.reject(new RequestError(reply.error));
  }

  /** @param {WorkerError} error */
  #fail(error) {
    if (this.#fatal) return;
    this.#fatal = error;
    this.#worker.terminate();
    for (const { reject } of this.#open.values()) reject(new RequestError(error));
    this.#open.clear();
    this.#onFatal(error);
  }
}
