// The page of one subject: it starts the subject's worker, lets it do its first step at once, as a visitor's page would, and passes on
// what the driver asks after that. The page's own clock begins with the navigation, so it knows how long the first step was in coming.

/** @typedef {import('./serve.js').Answer} Answer */

const worker = new Worker('subject.js', { type: 'module' });
/** @type {Map<number, {resolve: (value: any) => void, reject: (reason: Error) => void}>} */
const waiting = new Map();
let asked = 0;

worker.addEventListener('message', (/** @type {MessageEvent<Answer>} */ { data: { id, result, error } }) => {
  const { resolve, reject } = waiting.get(id) ?? {};
  waiting.delete(id);
  if (error) reject?.(new Error(error));
  else resolve?.(result);
});
worker.addEventListener('error', (event) => fail(new Error(event.message || 'the worker could not be loaded')));

/** Whatever is waited for will not come. @param {Error} error */
function fail(error) {
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}

/** @param {object} question */
function ask(question) {
  const id = (asked += 1);
  const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  worker.postMessage({ id, ...question });
  return answer;
}

const given = Object.fromEntries(new URLSearchParams(location.search));
const opened = ask({ type: 'open', given }).then((result) => ({ ...result, openToFirst: performance.now() }));
// The driver asks for it when it is ready to; until then it is no unhandled rejection.
opened.catch(() => {});

Object.assign(globalThis, {
  bench: { opened: () => opened, repeat: (/** @type {number} */ count) => ask({ type: 'repeat', count }) },
});
