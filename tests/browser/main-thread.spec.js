// The page stays alive: while the worker loads and trains, no task of the main thread works longer than 200 ms.
//
// Measured as the processor time of each task, from the browser's own trace: on a machine whose cores are all busy training, the
// clock on the wall also counts the time in which the main thread was not given a core.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const LONGEST_MS = 200;
const MINUTE = 60_000;

/** @typedef {{name: string, pid: number, tid: number, tdur?: number, args?: {name?: string}}} TraceEvent  `tdur` in microseconds */

/**
 * Does something and returns the tasks of the page's main thread meanwhile, in milliseconds, the longest first.
 * @param {import('@playwright/test').Page} page
 * @param {() => Promise<unknown>} work
 */
async function tasksDuring(page, work) {
  const browser = page.context().browser();
  if (!browser) throw new Error('the page has no browser to trace');
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] });
  await work();
  /** @type {TraceEvent[]} */
  const events = JSON.parse((await browser.stopTracing()).toString()).traceEvents;
  const threads = events
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid}/${tid}`);
  const tasks = events.filter(({ name, pid, tid }) => name === 'RunTask' && threads.includes(`${pid}/${tid}`));
  return tasks.map(({ tdur = 0 }) => tdur / 1000).sort((a, b) => b - a);
}

/** @param {number[]} tasks */
const tooLong = (tasks) => tasks.filter((milliseconds) => milliseconds > LONGEST_MS);

/**
 * Runs everything, and at the end one task that is too long: a measurement that measured nothing would not see it.
 * @param {import('./webtune.js').Webtune} webtune
 */
async function tasksOfTheJob(webtune) {
  const tasks = await tasksDuring(webtune.page, async () => {
    await webtune.press('run-all', 8 * MINUTE);
    await webtune.succeeded();
    await webtune.page.evaluate(
      (ms) =>
        new Promise((done) => {
          setTimeout(() => {
            const end = performance.now() + ms;
            while (performance.now() < end);
            done(undefined);
          });
        }),
      20 * LONGEST_MS,
    );
  });
  const [deliberate = 0, ...others] = tasks;
  expect(deliberate, 'the task that was made too long').toBeGreaterThan(LONGEST_MS);
  expect(others.length, 'tasks that were seen').toBeGreaterThan(100);
  return others;
}

for (const [device, epochs] of /** @type {const} */ ([
  ['cpu', 10],
  ['webgpu', 2],
])) {
  test(`with the tiny BERT on ${device}`, async ({ webtune }) => {
    await webtune.open({ ...QUICK, device, num_train_epochs: epochs });
    expect(tooLong(await tasksOfTheJob(webtune))).toEqual([]);
  });
}

test('while the real checkpoint is loaded and trains', async ({ webtune }) => {
  await webtune.open({ device: 'cpu', max_steps: 2, num_rows: 40 });
  expect(tooLong(await tasksOfTheJob(webtune))).toEqual([]);
});
