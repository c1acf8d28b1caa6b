// The workspace: the address names the view, each view keeps its state while another one is shown, a failure and a
// refusal lead to their view, and a depth folds elements without removing any.

import { expect, test } from './fixtures.js';
import { QUICK } from './webtune.js';
import { VIEWS } from '../../www/views.js';

/** @typedef {import('./webtune.js').Webtune} Webtune */

const CPU = { ...QUICK, device: 'cpu' };
/** Low enough that both panes of a view with settings overflow, and not so low that the window scrolls as a whole. */
const LOW = { width: 1280, height: 480 };
const DEPTHS = /** @type {const} */ (['teach', 'explore', 'expert']);

test.describe('the address', () => {
  test('it names the view, and Back and Forward follow the views', async ({ webtune }) => {
    const { page } = webtune;
    const fragment = () => new URL(page.url()).hash;
    await webtune.open(CPU, undefined, 'evaluation');
    await webtune.expectView('evaluation');
    await expect(page).toHaveTitle(/^Evaluation/);
    for (const view of VIEWS) {
      await webtune.show(view);
      await webtune.expectView(view);
      expect(fragment()).toBe(`#${view}`);
      await expect(page.locator(`#${view}-title`)).toBeVisible();
    }
    for (const view of VIEWS.slice(0, -1).reverse()) {
      await page.goBack();
      await webtune.expectView(view);
    }
    await page.goForward();
    await webtune.expectView('dataset');
    expect(fragment()).toBe('#dataset');
    expect(new URL(page.url()).searchParams.get('learning_rate'), 'settings stay').toBe(CPU.learning_rate);

    await page.reload();
    await webtune.opened();
    await webtune.expectView('dataset');
  });

  test('a fragment that names no view changes nothing', async ({ webtune }) => {
    const { page } = webtune;
    await webtune.open(CPU, undefined, 'nothing-of-this-name');
    await webtune.expectView('overview');
    await webtune.show('dataset');
    await webtune.show('split');
    await page.evaluate(() => {
      location.hash = 'nothing-of-this-name';
    });
    await expect(page).toHaveURL(/#nothing-of-this-name$/);
    await webtune.expectView('split');
    await page.goBack();
    await webtune.expectView('split');
    await page.goBack();
    await webtune.expectView('dataset');
  });
});

test.describe('a view that is shown again', () => {
  test('has its fields, rows, folds and both scroll positions', async ({ webtune }) => {
    const { page } = webtune;
    await page.setViewportSize(LOW);
    await webtune.open({ ...CPU, num_train_epochs: 1 });
    await webtune.press('run-all');
    await webtune.succeeded();
    await webtune.lastPage('dataset');
    await expect(page.locator('#dataset .where')).toHaveText('91–100 of 100');
    await webtune.fill('weight_decay', '0.03');
    const fold = page.locator('#training .panel-side details').last();
    await fold.locator('summary').click();
    await expect(fold).not.toHaveAttribute('open');

    const before = new Map();
    for (const view of VIEWS) {
      await webtune.show(view);
      before.set(view, await scrolled(webtune, view, 40));
    }
    expect(before.get('training'), 'both panes of the training scroll').toEqual([40, 40]);
    for (const view of VIEWS.toReversed()) {
      await webtune.show(view);
      expect(await scrolled(webtune, view), view).toEqual(before.get(view));
    }
    await webtune.show('training');
    await expect(webtune.field('weight_decay')).toHaveValue('0.03');
    await expect(fold).not.toHaveAttribute('open');
    await webtune.show('dataset');
    await expect(page.locator('#dataset .where')).toHaveText('91–100 of 100');
  });

  test('has the marks of its stage: done, out of date, failed', async ({ webtune }) => {
    const { page } = webtune;
    await webtune.open({ ...CPU, num_train_epochs: 1 });
    await webtune.press('run-all');
    await webtune.succeeded();
    await webtune.fill('max_length', '100');
    await webtune.show('export');
    for (const stage of /** @type {const} */ (['tokens', 'training'])) {
      await expect(webtune.stage(stage)).toHaveAttribute('data-stale', 'true');
      await expect(webtune.stage(stage)).toContainText('Settings have changed since this was made.');
    }
    await expect(webtune.stage('split')).not.toHaveAttribute('data-stale', 'true');
    await webtune.show('tokens');
    await expect(page.locator('#tokens .stage-run')).toContainText('Settings have changed');
    await expect(webtune.field('max_length')).toHaveValue('100');
    await expect(page.locator('#tokens .field.changed').filter({ has: webtune.field('max_length') })).toBeVisible();

    // More positions than the model has.
    await webtune.fill('max_length', '500');
    await webtune.press('run-tokens');
    await webtune.show('overview');
    await expect(webtune.stage('tokens')).toHaveAttribute('data-state', 'error');
    await expect(webtune.alert('overview')).toHaveCount(0);

    await test.step('the message of the dock leads to the error', async () => {
      const link = page.getByTestId('now').getByRole('link');
      await expect(link).toHaveText(/^Tokens failed/);
      await link.click();
      await webtune.expectView('tokens');
      await expect(webtune.alert('tokens')).toBeVisible();
      await expect(webtune.alert('tokens')).toContainText('128 tokens at most');
    });
  });
});

for (const { setting, view, value } of /** @type {const} */ ([
  { setting: 'learning_rate', view: 'training', value: 'NaN' },
  { setting: 'adam_beta1', view: 'training', value: '2' },
  { setting: 'test_size', view: 'split', value: 'half' },
])) {
  test(`a press that is refused for ${setting} shows its field with the focus`, async ({ webtune }) => {
    // At this depth the settings of an expert are folded.
    await webtune.open({ ...CPU, depth: 'explore', [setting]: value });
    await webtune.expectView('overview');
    await webtune.press('run-all');
    await expect(webtune.alert('dock')).toHaveAttribute('data-code', 'settings');
    await webtune.expectView(view);
    await expect(webtune.field(setting)).toBeFocused();
    await expect(webtune.field(setting)).toBeInViewport();

    await test.step('and again from another view', async () => {
      await webtune.show('export');
      await webtune.press('run-all');
      await webtune.expectView(view);
      await expect(webtune.field(setting)).toBeFocused();
    });
  });
}

test.describe('the depth', () => {
  test('it is in the address, and kept for the next visit', async ({ webtune }) => {
    const { page } = webtune;
    const shown = page.locator('html');
    await webtune.open({ ...CPU, depth: '' });
    await expect(shown).toHaveAttribute('data-depth', 'explore');
    await page.getByTestId('depth').selectOption('teach');
    await expect(shown).toHaveAttribute('data-depth', 'teach');
    expect(new URL(page.url()).searchParams.get('depth')).toBe('teach');

    await webtune.open({ ...CPU, depth: '' });
    await expect(shown).toHaveAttribute('data-depth', 'teach');
    await expect(page.getByTestId('depth')).toHaveValue('teach');
    // An address with a depth has priority, and changes the choice of the visitor for itself only.
    await webtune.open({ ...CPU, depth: 'expert' });
    await expect(shown).toHaveAttribute('data-depth', 'expert');
    await webtune.open({ ...CPU, depth: '' });
    await expect(shown).toHaveAttribute('data-depth', 'teach');
  });

  test('it folds and unfolds, and every depth has the same controls', async ({ webtune }) => {
    const { page } = webtune;
    /** @type {Map<string, string[]>} */
    const controls = new Map();
    for (const depth of DEPTHS) {
      await webtune.open({ ...CPU, depth });
      await webtune.complete();
      await expect(webtune.stage('split')).toHaveAttribute('data-state', 'done');
      await expect(page.locator('#training .plan-sentence')).toBeAttached();
      await webtune.idle();
      controls.set(depth, await names(webtune));
    }
    expect(controls.get('expert')?.length).toBeGreaterThan(60);
    for (const depth of DEPTHS) expect(controls.get(depth), depth).toEqual(controls.get('expert'));

    await webtune.show('training');
    const [advanced, plain] = [webtune.field('adam_beta1'), webtune.field('learning_rate')];
    const explanation = page.locator('#training .panel-head details[data-depth="teach-only"]');
    for (const depth of DEPTHS) {
      await page.getByTestId('depth').selectOption(depth);
      await expect(plain).toBeVisible();
      await expect(advanced).toBeVisible({ visible: depth === 'expert' });
      await expect(explanation).toHaveJSProperty('open', depth === 'teach');
      expect(await names(webtune), `after the change to ${depth}`).toEqual(controls.get('expert'));
    }

    await test.step('a fold opens by hand at every depth', async () => {
      await page.getByTestId('depth').selectOption('explore');
      await expect(advanced).toBeHidden();
      const fold = page.locator('#training details').filter({ has: advanced }).last();
      await fold.locator('> summary').click();
      await expect(advanced).toBeVisible();
    });
  });
});

/**
 * The scroll positions of the panes of a view; those that can scroll are first scrolled to `to`.
 * @param {Webtune} webtune
 * @param {import('../../www/views.js').View} view
 * @param {number} [to]
 */
const scrolled = ({ page }, view, to) =>
  page.locator(`#${view} > :is(.panel-side, .panel-main)`).evaluateAll(
    (panes, position) =>
      panes.map((pane) => {
        if (position !== undefined) pane.scrollTop = position;
        return pane.scrollTop;
      }),
    to,
  );

/** The test ids and the fields of the page, each once. @param {Webtune} webtune */
const names = ({ page }) =>
  page.evaluate(() => {
    const ids = [...document.querySelectorAll('[data-testid]')].map((element) => element.getAttribute('data-testid'));
    const fields = [...document.querySelectorAll('[id^="setting-"]')].map(({ id }) => id);
    return [...new Set([...ids, ...fields])].map(String).sort();
  });
