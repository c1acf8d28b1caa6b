// The worker, which owns the wasm module.
//
// A call borrows the module until its promise settles, so calls must not overlap: requests wait in one queue. `control`
// requests are answered at once. Requests that only read (READS) and arrive during a training run are answered between
// its steps (run.js), so that a visitor can watch a sentence and turn pages of rows during training.

import init, { Webtune, describe } from '../pkg/webtune.js';
import { acceptSharedMemory, cpuKernels, moduleAndMemory } from './cpu-threads.js';
import { TrainingRun } from './run.js';
import { holdLife } from './worker-life.js';

/** @typedef {import('./protocol.js').Request} Request */
/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./protocol.js').Reply} Reply */
/** @typedef {import('./protocol.js').WorkerError} WorkerError */
/** @typedef {Extract<Request, {type: 'predict'}>} PredictRequest */

/** Requests that change nothing. @type {Request['type'][]} */
const READS = ['predict', 'dataset_rows', 'tokens'];
/** A module that has panicked repeats its messages. */
const MAX_LOG_LINES_AFTER_FATAL = 5;

/** @type {Request[]} */
const queue = [];
let busy = false;
let failed = false;
let linesAfterFatal = 0;
/** The last text of `console.error`: a wasm panic writes its message there and throws only "unreachable". */
let lastError = '';

/** @type {Webtune|null} */
let app = null;
/** @type {TrainingRun|null} */
let run = null;
/** Stops the download or the evaluation of the current request. @type {AbortController|null} */
let loading = null;

/**
 * @param {Reply} message
 * @param {Transferable[]} [transfer]
 */
const post = (message, transfer = []) => self.postMessage(message, { transfer });

forwardConsole();
holdLife(self.name);
self.addEventListener('error', (event) => {
  event.preventDefault();
  fatal(event.error ?? event.message);
});
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  fatal(event.reason);
});

acceptSharedMemory();
// Started here, so that the module compiles while the page is drawn.
const ready = init(moduleAndMemory());
ready.catch(() => {}); // the first request awaits it and reports the error

self.addEventListener('message', (/** @type {MessageEvent<Request>} */ { data: request }) => {
  if (request.type === 'control') {
    if (request.action === 'stop') loading?.abort();
    const result = { state: run ? run.control(request.action) : 'stopped' };
    // A call borrows the session now, so that its state cannot be read.
    post({ type: 'result', id: request.id, result, state: null });
  } else if (run && READS.includes(request.type)) {
    run.predict(/** @type {PredictRequest} */ (request));
  } else {
    queue.push(request);
    void pump();
  }
});

/** Answers the requests of the queue in their order. */
async function pump() {
  if (busy) return;
  busy = true;
  for (let request = queue.shift(); request && !failed; request = queue.shift()) await answer(request);
  busy = false;
}

/** @param {Request} request */
async function answer(request) {
  try {
    try {
      await ready;
    } catch (error) {
      throw asFatal(
        error,
        'The program could not be loaded. Reload the page; if it happens again, use a current browser.',
      );
    }
    const result = await perform(request);
    post({ type: 'result', id: request.id, result, state: app?.state() ?? null });
  } catch (error) {
    if (isFatal(error)) fatal(error);
    else post({ type: 'error', id: request.id, error: asWorkerError(error), state: app?.state() ?? null });
  }
}

/**
 * @param {Request} request
 * @returns {Promise<unknown>}
 */
async function perform(request) {
  const onEvent = (/** @type {ProgressEvent} */ event) => post({ type: 'event', id: request.id, event });
  switch (request.type) {
    case 'describe':
      return describe();
    case 'open': {
      app?.free();
      app = null;
      app = await Webtune.open(request.device, cpuKernels(request.threads));
      return { device: app.device(), self_test: await app.self_test() };
    }
    case 'load_files':
      return opened().load_files(request.name, request.files, request.folder, onEvent);
    case 'export': {
      const onPiece = (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => postPiece(request.id, bytes);
      return stoppable((signal) => opened().export(request.parts, request.library, onEvent, onPiece, signal));
    }
    case 'train':
      return train(request.paused, onEvent, (current) => current.drive(request.values));
    case 'resume':
      return train(request.paused, onEvent, (current) => current.resume(request.run));
    case 'control':
      throw new Error('control requests are answered when they arrive');
    case 'import_files':
      return stoppable((signal) =>
        opened().import_files(request.name, request.files, request.options, onEvent, signal),
      );
    default:
      return ask(request, onEvent);
  }
}

/**
 * Asks the session, with a signal that stops long work.
 * @param {import('./protocol.js').SessionRequest & {id: number}} request
 * @param {(event: ProgressEvent) => void} onEvent
 */
function ask(request, onEvent) {
  const onPiece = (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => postPiece(request.id, bytes);
  return stoppable((signal) => opened().request(request, onEvent, onPiece, signal));
}

/**
 * Does work with the signal that `control stop` gives.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} work
 */
async function stoppable(work) {
  const controller = new AbortController();
  loading = controller;
  try {
    return await work(controller.signal);
  } finally {
    loading = null;
  }
}

/**
 * Transfers a piece of the exported archive. A view of the module's memory is copied, because it cannot be transferred.
 * @param {number} id
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function postPiece(id, bytes) {
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
  post({ type: 'event', id, event: { kind: 'piece', bytes: own } }, [own.buffer]);
}

/**
 * @param {boolean} paused
 * @param {(event: ProgressEvent) => void} onEvent
 * @param {(run: TrainingRun) => Promise<import('./protocol.js').TrainResult>} drive
 */
async function train(paused, onEvent, drive) {
  const current = new TrainingRun(opened(), paused, onEvent, answer);
  run = current;
  try {
    return await drive(current);
  } finally {
    run = null;
    // Sentences that arrived after the last step are answered like other requests.
    queue.unshift(...current.takePredictions());
  }
}

/** @returns {Webtune} */
function opened() {
  if (app) return app;
  throw /** @type {WorkerError} */ ({ code: 'not_ready', message: 'The device has not been opened yet.', field: null });
}

/**
 * Reports once that this worker has failed and answers no more requests.
 * @param {unknown} error
 */
function fatal(error) {
  if (failed) return;
  failed = true;
  run = null;
  const given = asWorkerError(error);
  const panic = lastError.includes('panicked') ? lastError.split('\n').slice(0, 2).join(' ').slice(0, 600) : '';
  const message = panic && !given.message.includes(panic) ? `${given.message} (${panic})` : given.message;
  post({ type: 'fatal', error: { ...given, code: 'fatal', message } });
}

/** @param {unknown} error */
const isFatal = (error) =>
  error instanceof WebAssembly.RuntimeError || (error instanceof Error && 'fatal' in error && error.fatal === true);

/**
 * @param {unknown} cause
 * @param {string} message
 */
function asFatal(cause, message) {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(`${message} (${detail})`), { fatal: true });
}

/**
 * Converts a thrown value. The module throws `WorkerError` objects; anything else is an error of the program.
 * @param {unknown} error
 * @returns {import('./session.js').ShownError}
 */
function asWorkerError(error) {
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
    const { code, message } = error;
    const field = 'field' in error && typeof error.field === 'string' ? error.field : null;
    const given = { code: String(code), message: String(message), field };
    return 'folders' in error && Array.isArray(error.folders) ? { ...given, folders: error.folders } : given;
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error), field: null };
}

/** Copies this worker's console to the page, because not every tool shows the console of a worker. */
function forwardConsole() {
  for (const level of /** @type {const} */ (['log', 'info', 'warn', 'error'])) {
    const write = console[level].bind(console);
    console[level] = (...parts) => {
      if (failed && ++linesAfterFatal > MAX_LOG_LINES_AFTER_FATAL) return;
      write(...parts);
      const text = parts.map((part) => (typeof part === 'string' ? part : String(part))).join(' ');
      if (level === 'error' && !failed) lastError = text;
      post({ type: 'log', level, text });
    };
  }
}
