// The page of one subject: it starts the worker of the subject, requests the first step at once, and then forwards
// requests of the driver. The clock of the page starts with the navigation, so it measures the time until the first
// step is done.

/** @typedef {import('./serve.js').Answer} Answer */

const worker = new Worker('subject.js', { type: 'module' });
/** @type {Map<number, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
const pending = new Map();
let requests = 0;

worker.addEventListener('message', (/** @type {MessageEvent<Answer>} */ { data: { id, result, error } }) => {
  const { resolve, reject } = pending.get(id) ?? {};
  pending.delete(id);
  if (error) reject?.(new Error(error));
  else resolve?.(result);
});
worker.addEventListener('error', (event) => fail(new Error(event.message || 'the worker could not be loaded')));

/** Rejects all pending requests. @param {Error} error */
function fail(error) {
  for (const { reject } of pending.values()) reject(error);
  pending.clear();
}

/** @param {object} request */
function ask(request) {
  const id = (requests += 1);
  const answer = new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
  worker.postMessage({ id, ...request });
  return answer;
}

const given = Object.fromEntries(new URLSearchParams(location.search));
const opened = ask({ type: 'open', given }).then((result) => ({ ...result, openToFirst: performance.now() }));
// Prevents an unhandled rejection before the driver reads the result.
opened.catch(() => {});

Object.assign(globalThis, {
  bench: { opened: () => opened, repeat: (/** @type {number} */ count) => ask({ type: 'repeat', count }) },
});
