// Traces the main thread of a page: the CPU time of each task.
//
// CPU time, not wall-clock time: while all cores train or compile, wall-clock time would include the time in which the
// main thread waits for a core.

/**
 * `ts`, `dur` and `tdur` are in microseconds.
 * @typedef {object} TraceEvent
 * @property {string} name
 * @property {number} pid
 * @property {number} tid
 * @property {number} ts
 * @property {number} [dur]
 * @property {number} [tdur]   CPU time
 * @property {{name?: string, data?: Record<string, any>}} [args]
 */
/**
 * One task of the main thread.
 * @typedef {object} Task
 * @property {TraceEvent} event
 * @property {number} milliseconds   CPU time
 */

const CATEGORIES = [
  'disabled-by-default-devtools.timeline',
  'devtools.timeline',
  // The marks of `performance.mark`.
  'blink.user_timing',
];

/**
 * Traces the browser during `work` and returns the events.
 * @param {import('@playwright/test').Page} page
 * @param {() => Promise<unknown>} work
 */
export async function trace(page, work) {
  const browser = page.context().browser();
  if (!browser) throw new Error('the page has no browser to trace');
  await browser.startTracing(page, { categories: CATEGORIES });
  await work();
  /** @type {TraceEvent[]} */
  const events = JSON.parse((await browser.stopTracing()).toString()).traceEvents;
  return events;
}

/**
 * The tasks of the main thread that start at the time `from` of the trace or later, longest first.
 * @param {TraceEvent[]} events
 * @returns {Task[]}
 */
export function tasks(events, from = -Infinity) {
  const threads = events
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid}/${tid}`);
  return events
    .filter(({ name, pid, tid, ts }) => name === 'RunTask' && ts >= from && threads.includes(`${pid}/${tid}`))
    .map((event) => ({ event, milliseconds: (event.tdur ?? 0) / 1000 }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

/**
 * The time at which an event of this name first occurs, or null. A mark of `performance.mark` is an event too.
 * @param {TraceEvent[]} events
 * @param {string} name
 */
export function timeOf(events, name) {
  const times = events.filter((event) => event.name === name).map(({ ts }) => ts);
  return times.length > 0 ? Math.min(...times) : null;
}

/**
 * What a task did: its longest parts, with the wall-clock milliseconds of each.
 * @param {TraceEvent[]} events
 * @param {Task} task
 */
export function contents(events, { event: task }) {
  const end = task.ts + (task.dur ?? 0);
  return events
    .filter(({ pid, tid, ts }) => pid === task.pid && tid === task.tid && ts >= task.ts && ts < end)
    .filter((event) => event !== task && event.dur)
    .sort((a, b) => (b.dur ?? 0) - (a.dur ?? 0))
    .slice(0, 4)
    .map(({ name, dur = 0, args }) => {
      const { functionName = '', url = '' } = args?.data ?? {};
      return [name, functionName, url.replace(/.*\//, ''), (dur / 1000).toFixed(1)].filter(Boolean).join(' ');
    })
    .join(' > ');
}

/**
 * Blocks the main thread, which a broken measurement would miss.
 * @param {import('@playwright/test').Page} page
 * @param {number} milliseconds
 */
export const block = (page, milliseconds) =>
  page.evaluate(
    (ms) =>
      new Promise((/** @type {(value: void) => void} */ done) => {
        setTimeout(() => {
          const end = performance.now() + ms;
          while (performance.now() < end);
          // In a task of its own: the trace has no duration of a task that has not ended.
          setTimeout(done);
        });
      }),
    milliseconds,
  );
