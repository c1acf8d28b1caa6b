// What the tests of the keyboard measure: the focused element, its indicator, and the order of the Tab key.

import { expect } from '@playwright/test';

/** @typedef {import('@playwright/test').Page} Page */

/**
 * The focused element: its name for a failure message, and what is wrong with its focus.
 * @param {Page} page
 */
export const focus = (page) =>
  page.evaluate(() => {
    const element = document.activeElement ?? document.body;
    const known = element.id || element.getAttribute('data-testid') || (element.textContent ?? '').trim().slice(0, 40);
    const name = `${element.tagName.toLowerCase()} ${known}`;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const problems = [];
    if (element === document.body) problems.push('the focus is lost');
    if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) problems.push('no outline of 2 pixels');
    // A part of it is in view, and not below another element.
    const { left, top, width, height } = element.getBoundingClientRect();
    const shares = [0.1, 0.5, 0.9];
    const seen = shares.some((across) =>
      shares.some((down) => {
        const hit = document.elementFromPoint(left + across * width, top + down * height);
        return hit !== null && (element.contains(hit) || hit.contains(element));
      }),
    );
    if (!seen) problems.push('it is not in view');
    return { name, problems, view: element.closest('.panel')?.id ?? null, inDock: element.closest('#dock') !== null };
  });

/**
 * Expects the focus on an element, with a visible indicator.
 * @param {import('@playwright/test').Locator} locator
 */
export async function expectFocus(locator) {
  await expect(locator).toBeFocused();
  const { name, problems } = await focus(locator.page());
  expect(problems, name).toEqual([]);
}

/**
 * Presses Tab until the selected control has the focus.
 * @param {Page} page
 * @param {string} selector
 */
export async function tabTo(page, selector) {
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  throw new Error(`150 presses of Tab do not reach ${selector}`);
}

/**
 * The controls of a part of the page in the order of the document, and each that is drawn before its predecessor.
 * Scrolled panes are measured at their end, where nothing is below the foot of the controls.
 * @param {Page} page
 * @param {string} selector
 */
export const controls = (page, selector) =>
  page.evaluate((root) => {
    const part = /** @type {HTMLElement} */ (document.querySelector(root));
    const panes = [part, .../** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll('.panel-side, .panel-main'))];
    for (const pane of panes) pane.scrollTop = pane.scrollHeight;
    const stops =
      'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), summary, [tabindex="0"]';
    const found = [...part.querySelectorAll(stops)].filter((element) => element.checkVisibility());
    const boxes = found.map((element) => {
      const { left, right, top, bottom, height } = element.getBoundingClientRect();
      const scrolled = panes.reduce((sum, pane) => sum + (pane.contains(element) ? pane.scrollTop : 0), 0);
      return { left, right, top: top + scrolled, bottom: bottom + scrolled, height };
    });
    const wrong = found.flatMap((element, at) => {
      const [before, box] = [boxes[at - 1], boxes[at]];
      if (!before || !box) return [];
      const shared = Math.min(before.bottom, box.bottom) - Math.max(before.top, box.top);
      const isSameRow = shared > Math.min(before.height, box.height) / 2;
      // Another column begins at the top again.
      const follows = isSameRow ? box.left >= before.left : box.top >= before.top || box.left >= before.right - 8;
      return follows ? [] : [element.outerHTML.slice(0, 120)];
    });
    for (const pane of panes) pane.scrollTop = 0;
    found.forEach((element, at) => element.setAttribute('data-stop', String(at)));
    return { count: found.length, wrong };
  }, selector);

/**
 * Presses Tab from the focused element to the first one outside of a part of the page, and returns what is wrong: a
 * stop without a visible indicator, and a control that `controls` has counted and that is missed or out of order.
 * @param {Page} page
 * @param {string} selector
 * @param {number} count
 */
export async function walk(page, selector, count) {
  const problems = [];
  let expected = 0;
  for (let presses = 0; presses < count + 20; presses += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(
      (root) => document.activeElement?.closest(root) && (document.activeElement.getAttribute('data-stop') ?? 'pane'),
      selector,
    );
    if (!stop) return expected === count ? problems : [...problems, `${count - expected} controls are not reached`];
    const { name, problems: found } = await focus(page);
    for (const problem of found) problems.push(`${name}: ${problem}`);
    // The browser itself stops at what scrolls and has no control.
    if (stop === 'pane') continue;
    if (Number(stop) !== expected) problems.push(`${name} is stop ${stop}, not ${expected}`);
    expected = Number(stop) + 1;
  }
  return [...problems, 'Tab does not leave'];
}
