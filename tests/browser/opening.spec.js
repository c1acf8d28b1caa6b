// Opening the page: once its frame is drawn, no task of the main thread takes more than 50 ms, and nothing that is
// drawn moves, neither while the page opens nor during a run.

import { expect, test } from './fixtures.js';
import { median } from './median.js';
import { contents, tasks, timeOf, trace } from './tracing.js';
import { QUICK, Webtune } from './webtune.js';

const OPENINGS = 3;
const LONGEST_MS = 50;
const LARGEST_SHIFT = 0.02;
const SCREENS = { desktop: { width: 1280, height: 720 }, phone: { width: 390, height: 844 } };
/** The mark that the page sets when its frame is drawn. */
const FRAME = 'webtune-shell';

/** Waits for the device, the first preview and the controls of every view. @param {Webtune} webtune */
async function previewed(webtune) {
  await webtune.opened();
  await expect.poll(async () => (await webtune.read('stages')).split.state).toBe('done');
  await webtune.idle();
  // The controls of a view that is not shown are made while the browser is idle.
  await expect(webtune.page.locator('.panel > .panel-main:empty')).toHaveCount(0);
}

/**
 * @param {import('./tracing.js').TraceEvent[]} events
 * @param {import('./tracing.js').Task} task
 */
const describe = (events, task) => `${task.milliseconds.toFixed(1)} ms CPU time: ${contents(events, task)}`;

/**
 * Opens the page in a profile without any stored file, and traces it.
 * @param {import('@playwright/test').Browser} browser
 * @param {import('./server.js').TestServer} server
 */
async function traceOpening(browser, server) {
  const context = await browser.newContext();
  const webtune = new Webtune(await context.newPage(), server);
  const events = await trace(webtune.page, async () => {
    await webtune.openBare({ device: 'cpu', depth: 'explore' });
    await previewed(webtune);
    // The trace has no duration of a task that has not ended: one more frame, and a task after it.
    await webtune.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  });
  expect(await webtune.problems(), 'errors in the console').toEqual([]);
  await context.close();
  return events;
}

test(`no task exceeds ${LONGEST_MS} ms while the page opens, after its frame is drawn`, async ({ browser, server }) => {
  /** @type {number[]} */
  const longest = [];
  const report = [`the longest tasks of ${OPENINGS} openings`];
  for (let opening = 1; opening <= OPENINGS; opening += 1) {
    const events = await traceOpening(browser, server);
    const from = timeOf(events, FRAME) ?? NaN;
    expect(from, `the mark ${FRAME}`).not.toBeNaN();
    const found = tasks(events, from);
    expect(found.length, 'number of recorded tasks').toBeGreaterThan(20);
    longest.push(found[0]?.milliseconds ?? NaN);
    for (const task of found.slice(0, 5)) {
      const after = ((task.event.ts - from) / 1000).toFixed();
      report.push(`opening ${opening}, ${after} ms after the frame: ${describe(events, task)}`);
    }
  }
  expect(median(longest), report.join('\n  ')).toBeLessThanOrEqual(LONGEST_MS);
});

test('the measurement of tasks finds a long task', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'cpu' });
  const events = await trace(page, () =>
    page.evaluate(
      (milliseconds) =>
        new Promise((/** @type {(value: void) => void} */ done) => {
          setTimeout(() => {
            performance.mark('webtune-long');
            const end = performance.now() + milliseconds;
            while (performance.now() < end);
            // In a task of its own: the trace has no duration of a task that has not ended.
            setTimeout(done);
          });
        }),
      10 * LONGEST_MS,
    ),
  );
  expect(timeOf(events, 'webtune-long'), 'the mark').not.toBeNull();
  expect(tasks(events)[0]?.milliseconds).toBeGreaterThan(LONGEST_MS);
});

for (const [name, viewport] of Object.entries(SCREENS)) {
  test(`nothing moves on a ${name} while the page opens and during a run`, async ({ webtune }) => {
    const { page } = webtune;
    await page.setViewportSize(viewport);
    await page.addInitScript(recordShifts);
    await webtune.open({ ...QUICK, device: 'cpu', depth: 'explore' });
    await previewed(webtune);
    const opening = await shifts(page);
    expect.soft(total(opening), `while the page opens: ${listed(opening)}`).toBeLessThanOrEqual(LARGEST_SHIFT);
    await webtune.press('run-all');
    await webtune.succeeded();
    const run = (await shifts(page)).slice(opening.length);
    expect.soft(total(run), `during a run: ${listed(run)}`).toBeLessThanOrEqual(LARGEST_SHIFT);
  });
}

test('the measurement of shifts finds an element that moves the others', async ({ webtune }) => {
  const { page } = webtune;
  await page.addInitScript(recordShifts);
  await webtune.open({ ...QUICK, device: 'cpu' });
  await previewed(webtune);
  const before = await shifts(page);
  await page.evaluate(() =>
    document
      .querySelector('#overview > .panel-main')
      ?.prepend(Object.assign(document.createElement('p'), { textContent: 'A late notice.', style: 'height: 9rem' })),
  );
  await expect.poll(async () => total((await shifts(page)).slice(before.length))).toBeGreaterThan(LARGEST_SHIFT);
});

/** @typedef {{value: number, moved: string[]}} Shift */

/** Records the shifts that no input of the visitor causes. Runs in the page, before its scripts. */
function recordShifts() {
  /** @type {Shift[]} */
  const recorded = [];
  Object.assign(window, { __shifts: recorded });
  /** @param {Node|null} node */
  const nameOf = (node) => {
    if (!(node instanceof Element)) return node?.nodeName ?? 'a removed element';
    const { id, tagName, classList } = node;
    return `${tagName.toLowerCase()}${id && `#${id}`}${[...classList].map((part) => `.${part}`).join('')}`;
  };
  /** @param {DOMRectReadOnly} rect */
  const place = ({ x, y, width, height }) => `${[x, y].map(Math.round)} ${[width, height].map(Math.round).join('×')}`;
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of /** @type {any[]} */ (list.getEntries())) {
      if (hadRecentInput) continue;
      const moved = sources.map(
        (/** @type {{node: Node|null, previousRect: DOMRectReadOnly, currentRect: DOMRectReadOnly}} */ source) =>
          `${nameOf(source.node)} from ${place(source.previousRect)} to ${place(source.currentRect)}`,
      );
      recorded.push({ value, moved });
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** @param {import('@playwright/test').Page} page */
const shifts = (page) => page.evaluate(() => /** @type {Shift[]} */ (/** @type {any} */ (window).__shifts));

/** The sum of all shifts, which is at least the cumulative layout shift. @param {Shift[]} all */
const total = (all) => all.reduce((sum, { value }) => sum + value, 0);

/** @param {Shift[]} all */
const listed = (all) => all.map(({ value, moved }) => `\n  ${value.toFixed(4)}: ${moved.join('; ')}`).join('');
