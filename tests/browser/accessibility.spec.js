// Accessibility: no violation of WCAG 2 A and AA in either colour scheme, full keyboard operation, phone and desktop
// widths, and the Korean page. Screenshots of the finished page are written to test-results/screenshots/.

import { overflow, screenshots, violations } from './checks.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

const CPU = { ...QUICK, device: 'cpu' };
const SCHEMES = /** @type {const} */ (['light', 'dark']);
const SCREENS = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/**
 * Opens or closes every `details` element of the panels.
 * @param {import('@playwright/test').Page} page
 * @param {boolean} open
 */
const setDetailsOpen = (page, open) =>
  page.locator('main details').evaluateAll((all, wanted) => {
    for (const details of all) details.toggleAttribute('open', wanted);
  }, open);

/**
 * Presses Tab until the selected control has the focus.
 * @param {import('@playwright/test').Page} page
 * @param {string} selector
 */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  throw new Error(`120 presses of Tab do not reach ${selector}`);
}

for (const [name, viewport] of Object.entries(SCREENS)) {
  test(`the finished page has no violation and no overflow on a ${name}, light and dark`, async ({ webtune }) => {
    const { page } = webtune;
    await page.setViewportSize(viewport);
    await webtune.open(CPU);
    expect(await overflow(page), 'before the run').toBeLessThanOrEqual(0);
    await webtune.press('run-all');
    await webtune.succeeded();
    await setDetailsOpen(page, true);
    expect(await overflow(page), 'after the run').toBeLessThanOrEqual(0);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await violations(page), colorScheme).toEqual([]);
    }
    await setDetailsOpen(page, false);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: `${screenshots}${name}-${colorScheme}.png`, fullPage: true });
    }
  });
}

test('a paused run and a refused run have no violation', async ({ webtune }) => {
  const { page } = webtune;
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await webtune.open({ ...CPU, num_train_epochs: 1000, warmup_steps: 100000 });
  await webtune.button('run-all').click();
  await webtune.stepped(2);
  await webtune.button('pause').click();
  await expect(webtune.button('resume')).toBeVisible();
  expect(await violations(page), 'paused').toEqual([]);
  await webtune.button('stop').click();
  await webtune.idle();
  await webtune.field('learning_rate').fill('NaN');
  await webtune.press('run-all');
  await expect(webtune.alert('progress')).toBeVisible();
  expect(await violations(page), 'refused').toEqual([]);
});

test('the keyboard alone runs, pauses, resumes, stops, edits and classifies', async ({ webtune }) => {
  const { page } = webtune;
  const { keyboard } = page;
  await webtune.open({ ...CPU, num_train_epochs: 1000 });
  await keyboard.press('Tab');
  await expect(page.locator('a.skip')).toBeFocused();
  await tabTo(page, '[data-testid="preset-recommended"]');
  await tabTo(page, '[data-testid="run-all"]');
  await keyboard.press('Enter');
  await webtune.stepped(2);
  await tabTo(page, '[data-testid="pause"]');
  await keyboard.press('Enter');
  // Resume replaces Pause and keeps the focus.
  await expect(webtune.button('resume')).toBeFocused();
  await expect(page.locator('#progress [aria-live]')).toHaveText('Paused.');
  await keyboard.press('Enter');
  await expect(webtune.button('pause')).toBeFocused();
  await tabTo(page, '[data-testid="stop"]');
  await keyboard.press('Space');
  await webtune.idle();
  await expect(page.locator('#progress [aria-live]')).toContainText('Stopped at step');

  await tabTo(page, '#setting-num_train_epochs');
  await keyboard.press('ControlOrMeta+a');
  await keyboard.type('1');
  await keyboard.press('ArrowUp');
  await expect(webtune.field('num_train_epochs')).toHaveValue('2');
  await tabTo(page, '[data-testid="run-training"]');
  await keyboard.press('Enter');
  await webtune.idle();
  expect(await webtune.result()).toMatchObject({ global_step: 20, stopped: false });
  await tabTo(page, '[data-testid="try-input"]');
  await keyboard.press('ControlOrMeta+a');
  await keyboard.type('Typed by keyboard.');
  await keyboard.press('Enter');
  await expect(page.locator('#try .quote')).toHaveText('Typed by keyboard.');
  await expect(page.getByTestId('try-after')).toHaveAttribute('data-probabilities', /^\[/);
});

test('every text is translated on the Korean page, and switching to English keeps the state', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_train_epochs: 1, lang: 'ko' });
  await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  await webtune.press('run-all');
  await webtune.succeeded();
  // A missing translation shows as an empty text or as its key.
  const untranslated = await page.evaluate(() =>
    [...document.querySelectorAll('[data-i18n]:not([lang=en])')]
      .map((element) => element.textContent ?? '')
      .filter((text) => text.trim() === '' || /^[a-z_]+\.[a-z0-9_.]+$/.test(text)),
  );
  expect(untranslated).toEqual([]);
  for (const title of await page.locator('main h2').allTextContents()) expect(title).toMatch(/[가-힣]/);
  await expect(webtune.button('run-all')).toHaveText(/[가-힣]/);
  await expect(page.getByTestId('now')).toHaveText(/[가-힣]/);
  await page.setViewportSize(SCREENS.phone);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  expect(await violations(page)).toEqual([]);
  await page.screenshot({ path: `${screenshots}phone-korean.png`, fullPage: true });

  await page.getByTestId('language').selectOption('en');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await expect(page.getByTestId('now')).toContainText('Done');
  await expect(page.locator('#dataset-title')).toContainText('Dataset');
});
