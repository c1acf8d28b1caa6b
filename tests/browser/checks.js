// Checks of a whole page: the violations of WCAG that axe finds, and the overflow. Screenshots have one folder.

import { AxeBuilder } from '@axe-core/playwright';
import { fileURLToPath } from 'node:url';

/** @typedef {import('@playwright/test').Page} Page */

const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
export const screenshots = fileURLToPath(new URL('../../test-results/screenshots/', import.meta.url));

// `preload` is off because axe resolves the style sheet's imports against the wrong address.
const axe = (/** @type {Page} */ page) => new AxeBuilder({ page }).options({ preload: false });

/** @param {Awaited<ReturnType<AxeBuilder['analyze']>>} found */
const shortened = ({ violations: all }) =>
  all.map(
    ({ id, help, nodes }) =>
      `${id}: ${help} (${nodes.length}): ${nodes
        .slice(0, 3)
        .map(({ html }) => html.slice(0, 160))
        .join(' | ')}`,
  );

/**
 * The violations that axe finds, shortened for a failure message.
 * @param {Page} page
 * @param {string} [selector]  of the part to check
 */
export const violations = async (page, selector = ':root') =>
  shortened(await axe(page).include(selector).withTags(STANDARDS).analyze());

/**
 * The texts with less contrast than 7:1, which WCAG asks for in level AAA.
 * @param {Page} page
 * @param {string} selector  of the parts to check
 */
export const lowContrast = async (page, selector) =>
  shortened(await axe(page).include(selector).withRules(['color-contrast-enhanced']).analyze());

/** Width of the document beyond the window, in CSS pixels. @param {Page} page */
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
