// What the page does for visitors who listen, who prefer less motion, or whose system forces its colours.

import { VIEWS } from '../../www/views.js';
import { contrastViolations, screenshots } from './checks.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

/** @typedef {import('@playwright/test').Page} Page */

const CPU = { ...QUICK, device: 'cpu' };

/** Records every change in a live region that is shown. @param {Page} page */
const listen = (page) =>
  page.evaluate(() => {
    /** @type {string[]} */
    const spoken = [];
    Object.assign(window, { spoken });
    const live = '[aria-live]:not([aria-live="off"]), [role="status"], [role="alert"], [role="log"]';
    new MutationObserver((mutations) => {
      for (const { target } of mutations) {
        const element = target instanceof Element ? target : target.parentElement;
        const region = element?.closest(live) ?? (element?.querySelector(live) || null);
        if (region?.checkVisibility()) spoken.push(region.textContent ?? '');
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });

/** @param {Page} page @returns {Promise<string[]>} */
const spoken = (page) => page.evaluate(() => /** @type {any} */ (window).spoken);

/** The position that the overview shows. @param {Page} page */
const position = (page) => page.locator('.overview-figures dd').first().textContent();

test('the recording announces nothing, and a run only when it starts, pauses, resumes and ends', async ({
  webtune,
}) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_train_epochs: 100 });
  // Every panel is made.
  await expect(webtune.button('compare')).toBeAttached();
  await listen(page);
  const seen = new Set();
  await expect.poll(async () => seen.add(await position(page)).size).toBeGreaterThan(4);
  expect(await spoken(page)).toEqual([]);

  await webtune.show('training');
  await webtune.button('run-all').click();
  await webtune.stepped(5);
  const started = (await spoken(page)).length;
  // One sentence for each stage that starts. Short stages can pass between two frames.
  expect(started).toBeGreaterThan(0);
  expect(started).toBeLessThanOrEqual(7);
  for (const view of /** @type {const} */ (['evaluation', 'overview', 'training'])) {
    await webtune.show(view);
    const before = await webtune.step();
    await webtune.stepped(before + 15);
  }
  expect((await spoken(page)).slice(started)).toEqual([]);
  await webtune.button('pause').click();
  await expect(webtune.button('resume')).toBeVisible();
  await webtune.button('resume').click();
  await webtune.idle();
  const rest = (await spoken(page)).slice(started);
  expect(rest.slice(0, 2)).toEqual(['Paused.', 'Training: running']);
  expect(rest.at(-1)).toContain('Done: 1,000 steps');
  // After the training: the sentence is classified, and the end.
  expect(rest.length).toBeLessThanOrEqual(5);
});

test('with reduced motion nothing moves, and the recording shows its end', async ({ webtune }) => {
  const { page } = webtune;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await webtune.open({ ...CPU, num_train_epochs: 1000 });
  await expect(page.locator('[data-source="recording"]')).toBeVisible();
  const shown = await position(page);
  const [step, steps] = (shown ?? '').match(/\d+/g) ?? [];
  expect(step).toBe(steps);
  // There is nothing to hold.
  await expect(page.getByTestId('recording-pause')).toBeHidden();
  await page.evaluate(() => {
    const seen = { frames: 0, moved: /** @type {string[]} */ ([]), texts: new Set() };
    Object.assign(window, { seen });
    const watch = () => {
      seen.frames += 1;
      seen.texts.add(document.querySelector('.overview-figures dd')?.textContent);
      for (const animation of document.getAnimations())
        if (Number(animation.effect?.getComputedTiming().activeDuration) > 10) seen.moved.push(String(animation.id));
      requestAnimationFrame(watch);
    };
    watch();
  });
  const seen = () =>
    page.evaluate(() => {
      const { frames, moved, texts } = /** @type {any} */ (window).seen;
      return { frames, moved, texts: [...texts] };
    });
  // A frame of the recording follows the other after 67 ms.
  await expect.poll(async () => (await seen()).frames).toBeGreaterThan(30);
  expect(await seen()).toMatchObject({ moved: [], texts: [shown] });

  await webtune.button('run-all').click();
  await webtune.stepped(3);
  for (const view of VIEWS) {
    await webtune.show(view);
    expect(await page.evaluate(slowest), view).toBeLessThanOrEqual(10);
  }
  expect((await seen()).moved).toEqual([]);
  // The check can fail: without the preference the mark of the running stage turns.
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await page.evaluate(slowest)).toBeGreaterThan(10);
});

/** The longest animation or transition of what is shown, in milliseconds. */
function slowest() {
  const times = [...document.querySelectorAll('body, body *')]
    .filter((element) => element.checkVisibility())
    .flatMap((element) => [null, '::before', '::after'].map((part) => getComputedStyle(element, part)))
    .flatMap(({ animationName, animationDuration, transitionDuration }) => [
      ...(animationName === 'none' ? [] : animationDuration.split(',')),
      ...transitionDuration.split(','),
    ]);
  return Math.max(...times.map((time) => parseFloat(time) * (time.trim().endsWith('ms') ? 1 : 1000)));
}

test('forced colours: bars, marks, pressed segments and the focus stay distinguishable', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_train_epochs: 1 });
  await webtune.press('run-all');
  await webtune.succeeded();
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ forcedColors: 'active', colorScheme, reducedMotion: 'reduce' });
    for (const view of VIEWS) {
      await webtune.show(view);
      await page.screenshot({ path: `${screenshots}forced-${colorScheme}-${view}.png` });
      expect.soft(await page.evaluate(indistinct), view).toEqual([]);
      expect.soft(await contrastViolations(page), view).toEqual([]);
    }
    await webtune.show('training');
    await webtune.button('preset-article').click();
    expect(await look(webtune.button('preset-article'))).not.toEqual(await look(webtune.button('preset-recommended')));
    await page.keyboard.press('Tab');
    const focused = await look(page.locator(':focus'));
    expect(focused.outlineWidth).toBeGreaterThanOrEqual(2);
    expect(focused.outlineColor).not.toBe((await look(page.locator('body'))).backgroundColor);
  }
});

/** @param {import('@playwright/test').Locator} locator */
const look = (locator) =>
  locator.evaluate((element) => {
    const { backgroundColor, color, outlineColor, outlineWidth } = getComputedStyle(element);
    return { backgroundColor, color, outlineColor, outlineWidth: parseFloat(outlineWidth) };
  });

/** Bars, marks and swatches that have neither a border nor another ground than the page. */
function indistinct() {
  const canvas = getComputedStyle(document.body).backgroundColor;
  const marks =
    '.bar, .bar-fill, .swatch, .mark, .squares i, .segments-bar > span, .memory-bar > span, .spark-head, .spark-mark';
  return [...document.querySelectorAll(marks)]
    .filter((element) => element.checkVisibility() && element.getBoundingClientRect().width > 0)
    .filter((element) => {
      const { backgroundColor, borderTopWidth, borderTopColor } = getComputedStyle(element);
      const bordered = parseFloat(borderTopWidth) >= 1 && borderTopColor !== canvas;
      return !bordered && (backgroundColor === canvas || backgroundColor === 'rgba(0, 0, 0, 0)');
    })
    .map((element) => element.outerHTML.slice(0, 100));
}
