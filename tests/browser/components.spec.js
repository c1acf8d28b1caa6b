// The page of the components: every state in both schemes and contrasts, and what the segments, folds and dialogs do.
// Screenshots are written to test-results/screenshots/components-*.png.

import { lowContrast, overflow, screenshots, violations } from './checks.js';
import { expect, test } from './fixtures.js';

const SCHEMES = ['light', 'dark', 'light-more', 'dark-more'];
const WIDTHS = [390, 1280];

/**
 * @param {import('./webtune.js').Webtune} webtune
 * @param {string} [more]  of the query
 */
async function open({ page, server }, more = '') {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(`${server.site()}?components${more}`);
  await expect(page.getByTestId('components')).toBeVisible();
  // The last rows have arrived.
  await expect(page.locator('.components-scheme .pages .placeholder')).toHaveCount(SCHEMES.length);
}

for (const width of WIDTHS) {
  test(`the components have no violation and no overflow at a width of ${width}`, async ({ webtune }) => {
    const { page } = webtune;
    await page.setViewportSize({ width, height: 800 });
    for (const language of ['en', 'ko']) {
      await open(webtune, `&lang=${language}`);
      expect(await overflow(page), language).toBeLessThanOrEqual(0);
      const wider = await page
        .locator('.components-example')
        .evaluateAll((all) =>
          all.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ textContent }) => textContent),
        );
      expect(wider, `${language}: wider than its box`).toEqual([]);
      await page.screenshot({ path: `${screenshots}components-${width}-${language}.png`, fullPage: true });
    }
    expect(await violations(page)).toEqual([]);
  });
}

test('text in high contrast has 7:1', async ({ webtune }) => {
  await open(webtune);
  expect(await lowContrast(webtune.page, '[data-contrast="more"]')).toEqual([]);
});

test('no text is smaller than the root size on a projector', async ({ webtune }) => {
  const { page } = webtune;
  await page.setViewportSize({ width: 1920, height: 1080 });
  await open(webtune);
  const smaller = (/** @type {number} */ size) =>
    page.evaluate((least) => {
      const texts = [...document.querySelectorAll('[data-testid="components"] :not(option)')].filter((element) =>
        [...element.childNodes].some((node) => node instanceof Text && node.data.trim() !== ''),
      );
      return texts
        .filter((element) => parseFloat(getComputedStyle(element).fontSize) < least)
        .map(({ outerHTML }) => outerHTML);
    }, size);
  expect((await smaller(24)).length, 'before').toBeGreaterThan(0);
  await page.evaluate(() => (document.documentElement.dataset.projector = 'true'));
  expect(await smaller(24)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  await page.screenshot({ path: `${screenshots}components-projector.png`, fullPage: true });
});

test('each scheme has its own colours, whatever the scheme of the system is', async ({ webtune }) => {
  const { page } = webtune;
  /** @type {string[][]} */
  const seen = [];
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    await open(webtune);
    seen.push(
      await Promise.all(
        SCHEMES.map((scheme) =>
          page
            .locator(`[data-scheme="${scheme}"]`)
            .first()
            .evaluate((box) => `${getComputedStyle(box).backgroundColor} ${getComputedStyle(box).color}`),
        ),
      ),
    );
  }
  expect(seen[1]).toEqual(seen[0]);
  expect(new Set(seen[0]).size).toBe(SCHEMES.length);
});

test('a field with an error has another border than a field without', async ({ webtune }) => {
  const { page } = webtune;
  await open(webtune);
  const box = page.locator('[data-scheme="light"]');
  await expect(box.locator('input[aria-invalid]')).toHaveCSS('border-top-width', '2px');
  await expect(box.locator('.field-number input:not([aria-invalid])').first()).toHaveCSS('border-top-width', '1px');
});

test('the pressed segment is the chosen one, and folds follow the depth and the hand', async ({ webtune }) => {
  const { page } = webtune;
  await open(webtune);
  const box = page.locator('[data-scheme="light"]');
  const folds = box.locator('.fold');
  const areOpen = () =>
    folds.evaluateAll((all) =>
      Object.fromEntries(all.map((fold) => [fold.getAttribute('data-depth'), fold.hasAttribute('open')])),
    );
  const depth = (/** @type {string} */ name) => page.getByTestId(`depth-${name}-light`);
  expect(await areOpen()).toEqual({ 'teach-only': false, explore: true, expert: false });
  await depth('expert').click();
  await expect(depth('expert')).toHaveAttribute('aria-pressed', 'true');
  await expect(depth('explore')).toHaveAttribute('aria-pressed', 'false');
  await expect.poll(areOpen).toEqual({ 'teach-only': false, explore: true, expert: true });
  await folds.nth(1).locator('summary').click();
  await depth('expert').click();
  // The store tells the folds in the next frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  expect(await areOpen(), 'an equal depth keeps what was closed').toMatchObject({ explore: false });
  await depth('teach').click();
  await expect.poll(areOpen).toEqual({ 'teach-only': true, explore: false, expert: false });
});

test('a dialog takes the focus, and Escape, its button and a click beside it close it', async ({ webtune }) => {
  const { page } = webtune;
  await open(webtune);
  for (const scheme of SCHEMES) {
    const opener = page.getByTestId(`open-dialog-${scheme}`);
    const dialog = page.getByTestId(`dialog-${scheme}`);
    await opener.focus();
    await page.keyboard.press('Enter');
    await expect(dialog).toBeVisible();
    await expect(dialog).toHaveAccessibleName('Dataset');
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
    expect(await violations(page, `[data-testid="dialog-${scheme}"]`), scheme).toEqual([]);
    await page.screenshot({ path: `${screenshots}components-dialog-${scheme}.png` });
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(opener).toBeFocused();
  }
  const dialog = page.getByTestId('dialog-light');
  await page.getByTestId('open-dialog-light').click();
  await dialog.getByTestId('dialog-close').click();
  await expect(dialog).toBeHidden();
  await page.getByTestId('open-dialog-light').click();
  await dialog.locator('p').click();
  await expect(dialog, 'a click inside').toBeVisible();
  await page.mouse.click(5, 5);
  await expect(dialog, 'a click beside').toBeHidden();
});
