// The page of the components, for developers: every component in each of its states, in both colour schemes and in high
// contrast. `?components` in the address opens it.
//
// Its headings are English only. The components have the texts of the visitor's language, and Korean examples.

import { h, replace } from '../dom.js';
import { basics } from './gallery/basics.js';
import { controls } from './gallery/controls.js';
import { data } from './gallery/data.js';
import { notices } from './gallery/notices.js';
import { styleSheet } from '../style-sheet.js';

/**
 * A component in one of its states.
 * @typedef {{state: string, element: HTMLElement}} Example
 */
/**
 * Components of one kind. `make` makes them again for each scheme; `scheme` makes their ids unique.
 * @typedef {{title: string, about?: string, make: (scheme: string) => Example[]}} Group
 */

/** The sheets of the views, and that of this page. */
const SHEETS = [
  'data',
  'settings',
  'split',
  'tokens-view',
  'training',
  'evaluation',
  'try',
  'export',
  'model',
  'gallery',
];
const SCHEMES = [
  { id: 'light', title: 'Light', theme: 'light', contrast: 'normal' },
  { id: 'dark', title: 'Dark', theme: 'dark', contrast: 'normal' },
  { id: 'light-more', title: 'Light, high contrast', theme: 'light', contrast: 'more' },
  { id: 'dark-more', title: 'Dark, high contrast', theme: 'dark', contrast: 'more' },
];

/**
 * Replaces the content of the page with the components.
 * @param {Element|null} main
 */
export async function showComponents(main) {
  if (!main) throw new Error('the page has no element for the components');
  await Promise.all(SHEETS.map((name) => styleSheet(`./style/${name}.css`)));
  // Without the frame of the page.
  document.body.replaceChildren(main);
  replace(
    main,
    h(
      'div',
      { class: 'components', lang: 'en', 'data-testid': 'components' },
      h('h1', {}, 'Components'),
      h(
        'p',
        { class: 'note' },
        'Every component in its states. Hover: point at a control. Focus: press Tab. ',
        'Add lang=ko to the address for the Korean texts.',
      ),
      ...[...basics, ...controls, ...notices, ...data].map(groupSection),
    ),
  );
}

/** @param {Group} group */
function groupSection({ title, about, make }) {
  const id = `components-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return h(
    'section',
    { class: 'components-group', 'aria-labelledby': id },
    h('h2', { id }, title),
    about && h('p', { class: 'note' }, about),
    h('div', { class: 'components-schemes' }, ...SCHEMES.map((scheme) => schemeBox(scheme, make(scheme.id)))),
  );
}

/**
 * @param {typeof SCHEMES[number]} scheme
 * @param {Example[]} examples
 */
function schemeBox({ id, title, theme, contrast }, examples) {
  return h(
    'div',
    { class: 'components-scheme', 'data-scheme': id, 'data-theme': theme, 'data-contrast': contrast },
    h('h3', {}, title),
    ...examples.map(({ state, element }) =>
      h('div', { class: 'components-example' }, h('p', { class: 'note' }, state), element),
    ),
  );
}
