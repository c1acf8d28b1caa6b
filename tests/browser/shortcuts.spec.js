// The shortcuts: each one of the list acts, single keys never where text is typed, and the browser keeps its own.

import { VIEWS } from '../../www/views.js';
import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

/** Enough steps that the run never ends by itself during a test. */
const ENDLESS = { ...QUICK, device: 'cpu', num_train_epochs: 1000 };

/**
 * What each shortcut of the list does, in the order in which they can be tried: from the overview, without a run.
 * @type {Record<string, (webtune: Webtune) => Promise<void>>}
 */
const EFFECTS = {
  '0 … 8': async ({ page }) => {
    for (const [at, view] of [...VIEWS.entries()].reverse()) {
      await page.keyboard.press(String(at));
      await expect(page.locator(`#${view}`)).toBeVisible();
      await expect(page.locator('main > .panel:visible')).toHaveCount(1);
    }
  },
  ']': async ({ page }) => {
    for (const view of VIEWS.slice(1)) {
      await page.keyboard.press(']');
      await expect(page.locator(`#${view}`)).toBeVisible();
    }
  },
  '[': async ({ page }) => {
    for (const view of VIEWS.slice(0, -1).reverse()) {
      await page.keyboard.press('[');
      await expect(page.locator(`#${view}`)).toBeVisible();
    }
  },
  'Ctrl Enter': async (webtune) => {
    await webtune.page.keyboard.press('Control+Enter');
    await webtune.stepped(2);
  },
  p: async ({ page }) => {
    await page.keyboard.press('p');
    await expect(page.getByTestId('resume')).toBeVisible();
    await page.keyboard.press('p');
    await expect(page.getByTestId('pause')).toBeVisible();
  },
  n: async (webtune) => {
    await webtune.page.keyboard.press('p');
    await expect(webtune.button('resume')).toBeVisible();
    // A step that had begun is done before this answer.
    await webtune.classify('Is it paused?');
    const before = await webtune.step();
    await webtune.page.locator('#try-title').click();
    await webtune.page.keyboard.press('n');
    await webtune.stepped(before + 1);
  },
  d: async ({ page }) => {
    for (const depth of ['teach', 'explore', 'expert']) {
      await page.keyboard.press('d');
      await expect(page.locator('html')).toHaveAttribute('data-depth', depth);
    }
  },
  t: async ({ page }) => {
    await page.keyboard.press('1');
    await expect(page.locator('#dataset')).toBeVisible();
    await page.keyboard.press('t');
    await expect(page.locator('#try-sentence')).toBeFocused();
    await expect(page.locator('#try')).toBeVisible();
    await page.locator('#try-title').click();
  },
  '?': async ({ page }) => {
    await page.keyboard.press('?');
    await expect(page.getByTestId('help-dialog')).toBeVisible();
    await page.keyboard.press('Escape');
  },
};

/** The keys of the list as they are shown. @param {Webtune} webtune */
async function listed(webtune) {
  await webtune.button('help').click();
  const rows = await webtune.page.getByTestId('help-dialog').locator('tr th').all();
  const keys = await Promise.all(
    rows.map(async (row) => {
      const parts = await row.evaluate((cell) => [...cell.childNodes].map((node) => node.textContent?.trim()));
      return parts.join(' ');
    }),
  );
  await webtune.page.keyboard.press('Escape');
  await expect(webtune.page.getByTestId('help-dialog')).toBeHidden();
  return keys;
}

test('every shortcut of the list acts', async ({ webtune }) => {
  await webtune.open(ENDLESS);
  expect((await listed(webtune)).toSorted()).toEqual(Object.keys(EFFECTS).toSorted());
  for (const [keys, effect] of Object.entries(EFFECTS)) await test.step(keys, () => effect(webtune));
  // A Korean keyboard types Hangul with the same keys. Playwright has no such keyboard.
  await webtune.page.evaluate(() =>
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ㅅ', code: 'KeyT', bubbles: true })),
  );
  await expect(webtune.page.locator('#try-sentence')).toBeFocused();
});

test('single keys are text in a field, Ctrl+Enter is not, and single keys can be turned off for good', async ({
  webtune,
}) => {
  const { page } = webtune;
  const { keyboard } = page;
  await webtune.open(ENDLESS);
  const keys = (await listed(webtune)).filter((name) => name.length === 1);
  const typed = `${keys.join('')}0123`;
  await webtune.show('try');
  const field = page.getByTestId('try-input');
  await field.fill('');
  await keyboard.type(typed);
  await expect(field).toHaveValue(typed);
  await expect(field).toBeFocused();
  await expect(page.locator('html')).toHaveAttribute('data-depth', 'expert');
  await keyboard.press('Control+Enter');
  await webtune.stepped(1);
  await expect(field).toBeFocused();
  await webtune.button('stop').click();
  await webtune.idle();

  const single = page.getByTestId('help-dialog').getByRole('checkbox');
  for (const [on, depth] of /** @type {const} */ ([
    [false, 'expert'],
    [true, 'teach'],
  ])) {
    await webtune.button('help').click();
    await single.setChecked(on);
    await keyboard.press('Escape');
    await page.reload();
    await webtune.opened();
    await keyboard.press('0');
    await keyboard.press('d');
    // The shortcut that is no single key, and the button, stay.
    await webtune.button('help').click();
    await expect(single).toBeChecked({ checked: on });
    await keyboard.press('Escape');
    await expect(page.locator(on ? '#overview' : '#try')).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('data-depth', depth);
  }
});

test('commands of the browser are left to it', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open(ENDLESS);
  const singles = (await listed(webtune)).flatMap((name) => (name.length === 1 ? [name] : []));
  await webtune.show('training');
  await page.evaluate(() => {
    const scope = /** @type {any} */ (window);
    scope.seen = { left: 0, taken: [] };
    window.addEventListener('keydown', ({ key, defaultPrevented }) => {
      if (['Control', 'Alt', 'Meta', 'Shift'].includes(key)) return;
      if (defaultPrevented) scope.seen.taken.push(key);
      else scope.seen.left += 1;
    });
  });
  const pressed = ['Control', 'Alt', 'Meta'].flatMap((modifier) =>
    [...singles, '1', 'ArrowLeft', 'ArrowRight'].map((key) => `${modifier}+${key}`),
  );
  for (const keys of pressed) await page.keyboard.press(keys);
  const { left, taken } = await page.evaluate(() => /** @type {any} */ (window).seen);
  expect(taken).toEqual([]);
  expect(left).toBe(pressed.length);
  await expect(page.locator('#training')).toBeVisible();
  await expect(page.getByTestId('help-dialog')).toBeHidden();
  await expect(page.locator('html')).toHaveAttribute('data-depth', 'expert');
});
