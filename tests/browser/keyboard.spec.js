// The page by keyboard alone: every view and control is reached and operated, and the focus is visible and never lost.

import { VIEWS } from '../../www/views.js';
import { expect, test } from './fixtures.js';
import { controls, expectFocus, focus, tabTo, walk } from './keyboard.js';
import { QUICK } from './webtune.js';

const CPU = { ...QUICK, device: 'cpu' };

for (const [name, viewport] of Object.entries({
  desktop: { width: 1280, height: 720 },
  phone: { width: 390, height: 844 },
})) {
  test(`Tab reaches every control in the order in which it is drawn, on a ${name}`, async ({ webtune }) => {
    const { page } = webtune;
    await page.setViewportSize(viewport);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await webtune.open({ ...CPU, num_train_epochs: 1 });
    await webtune.press('run-all');
    await webtune.succeeded();
    await page.evaluate(() => document.querySelector('a')?.focus());
    for (const part of ['.topbar', '#rail']) {
      const { count, wrong } = await controls(page, part);
      expect(wrong, part).toEqual([]);
      expect(await walk(page, part, count), part).toEqual([]);
      // The press that left the part has reached the first control of the next one.
      await page.keyboard.press('Shift+Tab');
    }
    for (const view of VIEWS) {
      await webtune.show(view);
      // The list of its parts is drawn again when the sizes are known.
      if (view === 'export') await expect(page.locator('#export-reason')).toContainText('The model after');
      const { count, wrong } = await controls(page, `#${view}`);
      expect.soft(wrong, view).toEqual([]);
      await page.locator('#skip').focus();
      await page.keyboard.press('Enter');
      await expectFocus(page.locator(`#${view}`));
      expect.soft(await walk(page, `#${view}`, count), view).toEqual([]);
      // The dock is last.
      await expectFocus(webtune.button('run-all'));
    }
  });
}

test('the keyboard alone runs, pauses, steps, stops, edits, folds, changes the depth and classifies', async ({
  webtune,
}) => {
  const { page } = webtune;
  const { keyboard } = page;
  await webtune.open({ ...CPU, num_train_epochs: 1000 });
  await keyboard.press('Tab');
  await expectFocus(page.locator('#skip'));
  await tabTo(page, '[data-testid="depth"]');
  await keyboard.press('ArrowUp');
  await expect(page.locator('html')).toHaveAttribute('data-depth', 'explore');
  await expectFocus(page.getByTestId('depth'));

  await tabTo(page, '[data-testid="run-all"]');
  await keyboard.press('Enter');
  await webtune.stepped(2);
  // The controls take the place of the button.
  await expectFocus(webtune.button('pause'));
  await keyboard.press('Enter');
  await expectFocus(webtune.button('resume'));
  await expect(page.locator('#dock [aria-live]')).toHaveText('Paused.');
  await keyboard.press('Tab');
  await expectFocus(webtune.button('step'));
  const before = await webtune.step();
  await keyboard.press('Space');
  await webtune.stepped(before + 1);
  await keyboard.press('Shift+Tab');
  await keyboard.press('Enter');
  await expectFocus(webtune.button('pause'));
  await tabTo(page, '[data-testid="stop"]');
  await keyboard.press('Space');
  await webtune.idle();
  await expect(page.locator('#dock [aria-live]')).toContainText('Stopped at step');
  await expectFocus(webtune.button('run-all'));

  await tabTo(page, '#rail a[href="#training"]');
  await keyboard.press('Enter');
  await expect(page.locator('#training')).toBeVisible();
  await tabTo(page, '#setting-num_train_epochs');
  await keyboard.press('ControlOrMeta+a');
  await keyboard.type('1');
  await keyboard.press('ArrowUp');
  await expect(webtune.field('num_train_epochs')).toHaveValue('2');
  await expect(webtune.field('weight_decay')).toBeHidden();
  await tabTo(page, '#training .settings .fold > summary');
  await keyboard.press('Enter');
  await expect(webtune.field('weight_decay')).toBeVisible();
  await tabTo(page, '[data-testid="run-training"]');
  await keyboard.press('Enter');
  await webtune.idle();
  await expectFocus(webtune.button('run-training'));
  expect(await webtune.result()).toMatchObject({ global_step: 20, stopped: false });

  await keyboard.press('7');
  // The view changed from inside of another one.
  await expectFocus(page.locator('#try-title'));
  await tabTo(page, '[data-testid="try-input"]');
  await keyboard.press('ControlOrMeta+a');
  await keyboard.type('Typed by keyboard.');
  await keyboard.press('Enter');
  await expect(page.locator('#try .quote')).toHaveText('Typed by keyboard.');
  await expectFocus(page.getByTestId('try-input'));
  await expect(page.getByTestId('try-after')).toHaveAttribute('data-probabilities', /^\[/);
});

test('a button keeps the focus through what its press does', async ({ webtune }) => {
  const { page } = webtune;
  const { keyboard } = page;
  await webtune.open({ ...CPU, num_train_epochs: 1, padding: 'max_length', max_length: 24, num_rows: 200 });
  for (const stage of /** @type {const} */ (['dataset', 'split', 'model', 'tokens', 'training', 'evaluation'])) {
    await webtune.show(stage);
    await webtune.button(`run-${stage}`).focus();
    await keyboard.press('Enter');
    await webtune.idle();
    await expect(webtune.stage(stage)).toHaveAttribute('data-state', 'done');
    await expectFocus(webtune.button(`run-${stage}`));
  }
  const evaluated = page.getByTestId('evaluations').getByRole('button').first();
  await evaluated.focus();
  await keyboard.press('Enter');
  await expect(evaluated).toHaveAttribute('aria-pressed', 'true');
  await expectFocus(evaluated);

  await webtune.show('tokens');
  await page
    .getByRole('button', { name: /more \[PAD\]/ })
    .first()
    .focus();
  await keyboard.press('Enter');
  await expectFocus(page.locator('#tokens .column:focus'));
  await page.locator('#tokens').getByRole('button', { name: 'Last page' }).focus();
  await keyboard.press('Enter');
  await expect(page.locator('#tokens .where')).toContainText('of 200');
  await expectFocus(page.locator('#tokens').getByRole('button', { name: 'Last page' }));

  await webtune.show('try');
  for (const button of [page.getByTestId('try-button'), page.locator('.example').first()]) {
    await button.focus();
    await keyboard.press('Enter');
    await webtune.idle();
    await expectFocus(button);
  }
  await webtune.show('export');
  // The sizes of the parts are known.
  await expect(webtune.button('export')).toBeEnabled();
  await webtune.button('export').focus();
  await keyboard.press('Enter');
  await expect(page.getByTestId('export-again')).toBeVisible();
  await expectFocus(webtune.button('export'));

  await webtune.show('training');
  await page.locator('.memory-less > summary').focus();
  await keyboard.press('Enter');
  await keyboard.press('Tab');
  expect((await focus(page)).name).toContain('suggestion-');
  await keyboard.press('Enter');
  await expect(webtune.stage('training')).toHaveAttribute('data-stale', 'true');
  await expect.poll(async () => (await focus(page)).problems).toEqual([]);
  expect((await focus(page)).view).toBe('training');
});

test('what closes returns the focus to what opened it', async ({ webtune }) => {
  const { page } = webtune;
  const { keyboard } = page;
  await webtune.open(CPU);
  await webtune.button('help').focus();
  await keyboard.press('Enter');
  await expect(page.getByTestId('help-dialog')).toBeVisible();
  expect(await page.evaluate(() => document.activeElement?.closest('dialog') !== null)).toBe(true);
  await keyboard.press('Escape');
  await expect(page.getByTestId('help-dialog')).toBeHidden();
  await expectFocus(webtune.button('help'));

  const test = page.getByTestId('self-test');
  await expect(webtune.button('compare')).toBeAttached();
  await test.locator('summary').focus();
  await keyboard.press('Enter');
  await tabTo(page, '[data-testid="compare"]');
  await expectFocus(webtune.button('compare'));
  await keyboard.press('Escape');
  await expect(webtune.button('compare')).toBeHidden();
  await expectFocus(test.locator('summary'));

  // A fold that the depth closes.
  await webtune.show('model');
  await page.locator('#model [data-repo="site"]').focus();
  await keyboard.press('d');
  await expect(page.locator('html')).toHaveAttribute('data-depth', 'teach');
  await expectFocus(page.locator('#model .panel-side summary').first());

  await page.setViewportSize({ width: 390, height: 844 });
  await webtune.button('menu').focus();
  await keyboard.press('Enter');
  await expectFocus(test.locator('summary'));
  await tabTo(page, '[data-testid="theme"]');
  await expectFocus(page.getByTestId('theme'));
  await keyboard.press('Escape');
  await expect(page.getByTestId('theme')).toBeHidden();
  await expectFocus(webtune.button('menu'));
});

test('the field of a refused run has the focus, also in another view', async ({ webtune }) => {
  const { page } = webtune;
  await webtune.open({ ...CPU, learning_rate: 'NaN' });
  await webtune.button('run-all').focus();
  await page.keyboard.press('Enter');
  await expectFocus(webtune.field('learning_rate'));
  await expect(page.locator('#training')).toBeVisible();
});
