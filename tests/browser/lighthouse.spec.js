// Lighthouse on the phone profile: the scores of the three categories, and the layout shift.
//
// The report of the median run is in test-results/lighthouse/.

import { expect, test } from './fixtures.js';
import { CATEGORIES, audit, layoutShift, lostPoints, score } from './lighthouse.js';
import { median } from './median.js';

const RUNS = 3;
const LOWEST_SCORE = 0.95;
const LARGEST_SHIFT = 0.02;

test('Lighthouse scores at least 95 in every category on a phone, and the page does not shift', async ({
  server,
  launchOptions,
}) => {
  const reports = await audit(server.site(), RUNS, launchOptions);
  for (const category of CATEGORIES) {
    const scores = reports.map((report) => score(report, category));
    const message = [`${category} of ${RUNS} runs: ${scores.join(', ')}`, ...lostPoints(reports, category)];
    expect.soft(median(scores), message.join('\n  ')).toBeGreaterThanOrEqual(LOWEST_SCORE);
  }
  const shifts = reports.map(layoutShift);
  const message = `layout shift of ${RUNS} runs: ${shifts.join(', ')}`;
  expect.soft(median(shifts), message).toBeLessThanOrEqual(LARGEST_SHIFT);
});
