// The overview: a recorded run plays until the visitor's own run begins, and the facts beside the button say what a run
// takes. The page's clock is the test's where a test checks that nothing moves.

import { expect, test } from './fixtures.js';
import { tasks, trace } from './tracing.js';
import { QUICK } from './webtune.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

const CPU = { ...QUICK, device: 'cpu' };
/** The recorded run has 32 steps and plays for nine seconds; then its end stays for four. */
const STEPS = 32;
const LONGEST_WAIT_MS = 1000;
/** It shows 15 frames a second. The display has 60. */
const MOST_LAYOUTS = 20;

/** @param {Webtune} webtune */
const card = ({ page }) => page.locator('#overview [data-card="training"]');

/** The step that the card shows. @param {Webtune} webtune */
async function shownStep(webtune) {
  const text = await card(webtune).locator('.figures dd').first().textContent();
  return Number(/^\d+/.exec(text ?? '')?.[0] ?? NaN);
}

test('a recorded run plays within a second after the scripts have loaded, and is marked', async ({ webtune }) => {
  const { page } = webtune;
  await page.addInitScript(() => {
    new MutationObserver(() => {
      const shown = document.querySelector('#overview [data-source="recording"]');
      if (!shown) return;
      const name = /^[1-9]/.test(shown.querySelector('.figures dd')?.textContent ?? '') ? 'moved' : 'drawn';
      if (performance.getEntriesByName(`recording-${name}`).length === 0) performance.mark(`recording-${name}`);
    }).observe(document, { subtree: true, childList: true, attributes: true });
  });
  await webtune.open(CPU);
  await expect(card(webtune).getByText('Recorded run', { exact: true })).toBeVisible();
  await expect(card(webtune)).toContainText('This is a recording of the default job on ');
  await expect.poll(() => shownStep(webtune)).toBeGreaterThan(0);
  const waited = await page.evaluate(() => {
    const at = (/** @type {string} */ name) => performance.getEntriesByName(name)[0]?.startTime ?? NaN;
    const drawn = at('recording-drawn');
    // Scripts of other views load later.
    const scripts = performance
      .getEntriesByType('resource')
      .map((entry) => /** @type {PerformanceResourceTiming} */ (entry))
      .filter(({ name, responseEnd }) => /\.js$/.test(name) && responseEnd < at('webtune-shell'));
    const loaded = Math.max(...scripts.map(({ responseEnd }) => responseEnd));
    return { scripts: scripts.length, drawn: drawn - loaded, moved: at('recording-moved') - loaded };
  });
  console.log(`  after the scripts: drawn in ${waited.drawn.toFixed()} ms, first step in ${waited.moved.toFixed()} ms`);
  expect(waited.scripts).toBeGreaterThan(10);
  expect(waited.drawn).toBeLessThan(LONGEST_WAIT_MS);
  expect(waited.moved).toBeGreaterThan(waited.drawn);
});

test('the page is laid out once for each frame of the recording, not for each of the display', async ({ webtune }) => {
  await webtune.open(CPU);
  await expect(webtune.page.locator('.panel > .panel-main:empty')).toHaveCount(0);
  await expect.poll(() => shownStep(webtune)).toBeLessThan(STEPS / 2);
  const first = await shownStep(webtune);
  const events = await trace(webtune.page, () =>
    expect.poll(() => shownStep(webtune)).toBeGreaterThanOrEqual(first + STEPS / 4),
  );
  const times = tasks(events).map(({ event }) => event.ts);
  const seconds = (Math.max(...times) - Math.min(...times)) / 1e6;
  const layouts = events.filter(({ name }) => name === 'Layout').length;
  console.log(`  ${layouts} layouts in ${seconds.toFixed(1)} s`);
  expect(layouts, 'number of recorded layouts').toBeGreaterThan(5);
  expect(layouts / seconds, 'layouts a second').toBeLessThan(MOST_LAYOUTS);
});

test('its button holds the recording, and another view does', async ({ webtune }) => {
  const { page } = webtune;
  await page.clock.install();
  await webtune.open(CPU);
  const button = webtune.button('recording-pause');
  await expect(button).toHaveAccessibleName('Hold the recording');
  await button.click();
  await expect(button).toHaveAccessibleName('Play the recording');
  const held = await shownStep(webtune);
  await page.clock.runFor(6000);
  expect(await shownStep(webtune), 'held').toBe(held);
  // Leaving the overview and coming back does not start it again.
  await webtune.show('split');
  await webtune.show('overview');
  await page.clock.runFor(6000);
  expect(await shownStep(webtune), 'held, after another view').toBe(held);

  await button.click();
  await expect(button).toHaveAccessibleName('Hold the recording');
  await page.clock.runFor(1500);
  await expect.poll(() => shownStep(webtune)).not.toBe(held);

  await webtune.show('split');
  const left = await shownStep(webtune);
  await page.clock.runFor(6000);
  expect(await shownStep(webtune), 'while another view is shown').toBe(left);
});

test('with reduced motion the recorded run is finished at once and does not move', async ({ webtune }) => {
  const { page } = webtune;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.addInitScript(() => {
    /** @type {Set<string>} */
    const seen = new Set();
    Object.assign(window, { __steps: seen });
    new MutationObserver(() => {
      const shown = document.querySelector('#overview [data-source="recording"] .figures dd');
      if (shown) seen.add(String(shown.textContent));
    }).observe(document, { subtree: true, childList: true });
  });
  await page.clock.install();
  await webtune.open(CPU);
  await expect(card(webtune).getByText('Recorded run', { exact: true })).toBeVisible();
  await expect(webtune.button('recording-pause')).toBeHidden();
  expect(await shownStep(webtune)).toBe(STEPS);
  // Longer than a round of the recording.
  await page.clock.runFor(15_000);
  expect(await shownStep(webtune)).toBe(STEPS);
  const seen = await page.evaluate(() => [.../** @type {any} */ (window).__steps]);
  expect(seen.length, `the steps that were shown: ${seen}`).toBe(1);
});

test("the visitor's own run replaces the recorded one", async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, max_steps: 4 });
  await expect(card(webtune)).toHaveAttribute('data-source', 'recording');
  await webtune.press('run-all');
  await webtune.succeeded();
  const replaced = async () => {
    await expect(card(webtune)).toHaveAttribute('data-source', 'run');
    await expect(card(webtune).getByText('Recorded run', { exact: true })).toBeHidden();
    await expect(webtune.button('recording-pause')).toBeHidden();
    await expect(card(webtune)).not.toContainText('This is a recording');
    expect(await shownStep(webtune)).toBe(4);
  };
  await replaced();
  await expect(page.locator('#overview [data-card="try"] .quote')).toHaveText(await webtune.read('sentence'));
  await webtune.show('training');
  await webtune.show('overview');
  await replaced();
});

test('the facts beside the button name the device, the time and the download', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.openBare({ device: 'cpu' });
  const facts = page.getByTestId('facts');
  const device = (await webtune.read('opened'))?.device.name ?? '';
  const parts = async () => ((await facts.textContent()) ?? '').split(' · ');
  await expect(facts).toBeVisible();
  await expect(facts).toContainText('by the self-test');
  expect(await parts()).toEqual([
    device,
    expect.stringMatching(/^roughly \d+.* \(by the self-test\)$/),
    expect.stringMatching(/^\d+(\.\d+)? MB to download, once$/),
  ]);
  await expect(webtune.button('run-all')).toHaveAccessibleDescription((await facts.textContent()) ?? '');
  // The time follows the settings.
  const before = (await parts())[1];
  await webtune.fill('num_train_epochs', '300');
  await expect.poll(async () => (await parts())[1]).not.toBe(before);
});

test('after a run the facts are those of this run', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, max_steps: 4 });
  const facts = page.getByTestId('facts');
  await expect(facts).toContainText('size of the download not known yet');
  await webtune.press('run-all');
  await webtune.succeeded();
  await expect(facts).toContainText(/about \d+.* \(by your last run here\) · nothing to download$/);
});
