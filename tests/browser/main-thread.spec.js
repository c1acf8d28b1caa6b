// The page stays responsive: while the worker loads and trains, no task of the main thread takes more than 200 ms.
//
// opening.spec.js checks the opening of the page, with a smaller limit.

import { expect, test } from './fixtures.js';
import { block, tasks, trace } from './tracing.js';
import { QUICK } from './webtune.js';

const LONGEST_MS = 200;
const MINUTE = 60_000;

/** @param {number[]} times */
const tooLong = (times) => times.filter((milliseconds) => milliseconds > LONGEST_MS);

/**
 * Task times of the whole job. It ends with a deliberate long task, which a broken measurement would miss.
 * @param {import('./webtune.js').Webtune} webtune
 */
async function tasksOfTheJob(webtune) {
  const events = await trace(webtune.page, async () => {
    await webtune.press('run-all', 8 * MINUTE);
    await webtune.succeeded();
    await block(webtune.page, 20 * LONGEST_MS);
  });
  const [deliberate = 0, ...others] = tasks(events).map(({ milliseconds }) => milliseconds);
  expect(deliberate, 'the deliberate long task').toBeGreaterThan(LONGEST_MS);
  expect(others.length, 'number of recorded tasks').toBeGreaterThan(100);
  return others;
}

for (const [device, epochs] of /** @type {const} */ ([
  ['cpu', 10],
  ['webgpu', 2],
])) {
  test(`no task exceeds ${LONGEST_MS} ms with the tiny BERT on ${device}`, async ({ webtune }) => {
    await webtune.open({ ...QUICK, device, num_train_epochs: epochs });
    expect(tooLong(await tasksOfTheJob(webtune))).toEqual([]);
  });
}

test(`no task exceeds ${LONGEST_MS} ms while the real checkpoint loads and trains`, async ({ webtune }) => {
  await webtune.open({ device: 'cpu', max_steps: 2, num_rows: 40 });
  expect(tooLong(await tasksOfTheJob(webtune))).toEqual([]);
});
