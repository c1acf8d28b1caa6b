// Accessibility of every view in every state: no violation of WCAG 2 A and AA, landmarks and headings that tell the
// layout, and the Korean page. Screenshots of the finished run are written to test-results/screenshots/.
//
// Each state is checked in every view. The schemes and screens alternate, so that every view meets each of them.

import { VIEWS } from '../../www/views.js';
import { layoutViolations, screenshots } from './checks.js';
import { expect, test } from './fixtures.js';
import { QUICK, madeModel } from './webtune.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */
/** @typedef {import('../../www/views.js').View} View */

const CPU = { ...QUICK, device: 'cpu' };
/** `contrast` is a choice of the page; the others follow the system. */
const SCHEMES = /** @type {const} */ (['light', 'dark', 'contrast']);
/** The narrowest phone that WCAG asks for. */
const SCREENS = { desktop: { width: 1280, height: 720 }, phone: { width: 320, height: 640 } };

/**
 * The scheme and the screen in which a view of a state is checked. Six states in a row have all pairs of both.
 * @param {number} state
 * @param {number} view
 */
const appearance = (state, view) => ({
  scheme: SCHEMES[(state + view) % SCHEMES.length] ?? 'light',
  screen: /** @type {const} */ (['desktop', 'phone'])[(state + view) % 2] ?? 'desktop',
});

const STATES = /** @type {const} */ ([
  'before',
  'help',
  'menu',
  'paused',
  'done',
  'refused',
  'failed',
  'no device',
  'fatal',
]);

/**
 * Shows a view also where no panel is made.
 * @param {Webtune} webtune
 * @param {View} view
 */
async function show({ page }, view) {
  await page.locator(`#rail a[href="#${view}"]`).click();
  await expect(page.locator(`#${view}`)).toBeVisible();
}

/**
 * Chooses a value of a list of the top bar, which is in a closed menu on a phone.
 * @param {Webtune} webtune
 * @param {'language'|'theme'} list
 * @param {string} value
 */
async function choose({ page }, list, value) {
  await page.getByTestId(list).evaluate((element, wanted) => {
    /** @type {HTMLSelectElement} */ (element).value = wanted;
    element.dispatchEvent(new Event('change'));
  }, value);
}

/**
 * Expects no violation in any view of a state.
 * @param {Webtune} webtune
 * @param {typeof STATES[number]} state
 * @param {{enter?: () => Promise<void>, leave?: () => Promise<void>, screen?: keyof typeof SCREENS}} [options]
 *   what to do in each view before and after the check
 */
async function expectNoViolations(webtune, state, { enter, leave, screen } = {}) {
  const { page } = webtune;
  for (const [at, view] of VIEWS.entries()) {
    const { scheme, screen: usual } = appearance(STATES.indexOf(state), at);
    const where = `${state}, ${view}, ${scheme}, ${screen ?? usual}`;
    await page.setViewportSize(SCREENS[screen ?? usual]);
    await page.emulateMedia({ colorScheme: scheme === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' });
    await choose(webtune, 'theme', scheme === 'contrast' ? 'contrast' : 'auto');
    await show(webtune, view);
    await enter?.();
    expect.soft(await settledViolations(page), where).toEqual([]);
    expect.soft(await page.evaluate(clipped), where).toEqual([]);
    await leave?.();
  }
}

/**
 * The violations of the layout. A pane that scrolls becomes a stop of the Tab key in the frame after its content.
 * @param {import('@playwright/test').Page} page
 */
async function settledViolations(page) {
  const found = await layoutViolations(page);
  if (found.length === 0) return found;
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return layoutViolations(page);
}

/** What is wider than its place, and neither scrolls nor wraps. */
function clipped() {
  const places = document.querySelectorAll('html, .topbar, .dock, .panel, .panel-head, .panel-side, .panel-main');
  return [...places]
    .filter((place) => place.checkVisibility() && place.scrollWidth > place.clientWidth)
    .map((place) => `${place.tagName} ${place.className}: ${place.scrollWidth} in ${place.clientWidth}`);
}

test('every view meets each pair of scheme and screen', () => {
  for (const view of VIEWS.keys()) {
    const pairs = new Set([...STATES.keys()].map((state) => JSON.stringify(appearance(state, view))));
    expect(pairs.size).toBe(SCHEMES.length * Object.keys(SCREENS).length);
  }
});

test('no violation before a run, with the help open, and with the menu open', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, depth: 'teach' });
  for (const view of VIEWS) await webtune.show(view);
  await expectNoViolations(webtune, 'before');
  await choose(webtune, 'language', 'ko');
  await expectNoViolations(webtune, 'help', {
    enter: () => page.keyboard.press('?'),
    leave: async () => {
      await expect(page.getByTestId('help-dialog')).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.getByTestId('help-dialog')).toBeHidden();
    },
  });
  await expectNoViolations(webtune, 'menu', {
    screen: 'phone',
    enter: () => page.getByTestId('menu').click(),
    leave: async () => {
      await expect(page.getByTestId('depth')).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(page.getByTestId('depth')).toBeHidden();
    },
  });
});

test('no violation of a paused, a finished and a refused run', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_train_epochs: 1, lang: 'ko' });
  await webtune.click('train-paused');
  await expect(webtune.button('resume')).toBeVisible();
  await webtune.button('step').click();
  await webtune.stepped(1);
  await expectNoViolations(webtune, 'paused');
  await webtune.button('resume').click();
  await webtune.idle();
  expect(await webtune.result()).toMatchObject({ global_step: 10, stopped: false });
  await choose(webtune, 'language', 'en');
  await expectNoViolations(webtune, 'done');
  await webtune.fill('learning_rate', 'NaN');
  await webtune.press('run-all');
  await expect(webtune.alert('dock')).toBeVisible();
  await expectNoViolations(webtune, 'refused');
  await expect(page.locator('#setting-learning_rate')).toHaveAttribute('aria-invalid', 'true');
});

test('no violation of a failed run', async ({ webtune }) => {
  await webtune.open({ ...CPU, model: madeModel('wrong-shape') });
  await webtune.press('run-all');
  await expect(webtune.stage('model')).toHaveAttribute('data-state', 'error');
  await expectNoViolations(webtune, 'failed');
});

test('no violation without a device and without the module', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...QUICK, device: 'webgpu', lang: 'ko' }, 'adapter-refused');
  await expect(webtune.alert('notices')).toHaveAttribute('data-code', 'device');
  await expectNoViolations(webtune, 'no device');
  webtune.allow(/wasm|WebAssembly/i);
  await page.goto(`${webtune.server.site('no-module')}?device=cpu&lang=ko`);
  await expect(webtune.alert('notices')).toHaveAttribute('data-code', 'fatal');
  await expectNoViolations(webtune, 'fatal');
});

/** The visible headings, with their levels. @param {Webtune} webtune */
const headings = ({ page }) =>
  page.evaluate(() =>
    [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
      .filter((heading) => heading.checkVisibility() && heading.textContent)
      .map((heading) => ({ level: Number(heading.tagName[1]), id: heading.id })),
  );

test('landmarks are named, each view is headed by its title, and the Korean page is in Korean', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, num_train_epochs: 1, lang: 'ko' });
  await webtune.press('run-all');
  await webtune.succeeded();
  for (const lang of /** @type {const} */ (['ko', 'en'])) {
    await page.getByTestId('language').selectOption(lang);
    await expect(page.locator('html')).toHaveAttribute('lang', lang);
    const name = lang === 'ko' ? /[가-힣]/ : /^[A-Z][^가-힣]+$/;
    for (const place of [webtune.button('run-all'), page.getByTestId('now'), page.getByTestId('facts')])
      await expect(place).toHaveText(lang === 'ko' ? name : /[a-z]/);
    await expect(page.getByRole('banner', { name })).toHaveCount(1);
    await expect(page.getByRole('main', { name })).toHaveCount(1);
    await expect(page.locator('#rail').and(page.getByRole('navigation', { name }))).toHaveCount(1);
    await expect(page.locator('#dock').and(page.getByRole('region', { name }))).toHaveCount(1);
    for (const view of VIEWS) {
      await webtune.show(view);
      await expect(page.locator(`#${view}`).and(page.getByRole('region', { name }))).toHaveCount(1);
      const [first, ...others] = await headings(webtune);
      expect(first, view).toEqual({ level: 1, id: `${view}-title` });
      expect(others.filter(({ level }) => level === 1)).toEqual([]);
      await expect(page.locator('#rail [aria-current]')).toHaveAttribute('href', `#${view}`);
      if (lang === 'ko') expect(await page.evaluate(untranslated), view).toEqual([]);
    }
  }
  // The state is kept when the language changes.
  await expect(page.getByTestId('now')).toContainText('Done');
});

/**
 * What a Korean reader or screen reader would not understand in what is shown: a text that is empty or a key, an
 * English sentence that is not marked as English, and a button with a sign and no Korean name.
 */
function untranslated() {
  const shown = (/** @type {string} */ selector) =>
    [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const keys = shown('[data-i18n]')
    .map((element) => element.textContent ?? '')
    .filter((text) => text.trim() === '' || /^[a-z_]+\.[a-z0-9_.]+$/.test(text));
  const english = shown('body *:not(script, style)')
    .filter((element) => element.closest('[lang]')?.getAttribute('lang') === 'ko')
    .flatMap((element) => [...element.childNodes])
    .filter((node) => node instanceof Text && /[a-z]{2,} [a-z]{2,} [a-z]{2,}/i.test(node.data))
    .map((node) => node.textContent ?? '')
    .filter((text) => !/[가-힣]/.test(text));
  const signs = shown('button, summary, a')
    .filter((element) => !/\p{Letter}/u.test(element.textContent ?? ''))
    .filter((element) => !/[가-힣]/.test(element.getAttribute('aria-label') ?? ''))
    .map((element) => element.outerHTML.slice(0, 120));
  return [...keys, ...english, ...signs];
}

test('screenshots of the finished run', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, depth: 'explore' });
  await webtune.press('run-all');
  await webtune.succeeded();
  for (const [name, viewport] of Object.entries({ desktop: SCREENS.desktop, phone: { width: 390, height: 844 } })) {
    await page.setViewportSize(viewport);
    for (const view of VIEWS) {
      await webtune.show(view);
      for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.screenshot({ path: `${screenshots}${name}-${colorScheme}-${view}.png` });
      }
    }
  }
});
