// What the visitor chooses once: language, depth, colours. Each is kept in this browser, and the depth in the address.

import { DEPTHS, depthOf } from '../depth.js';
import { byId, h } from '../dom.js';
import { LANGUAGES, currentLanguage, recall, remember, rememberLanguage, t, useLanguage } from '../i18n.js';
import { replaceQuery } from './route.js';

/** @typedef {import('../depth.js').Depth} Depth */
/** @typedef {import('../state.js').Store<import('../state.js').AppState>} AppStore */

const THEMES = /** @type {const} */ (['auto', 'light', 'dark', 'contrast']);
/** A choice beside the themes, which the address keeps and the browser does not. */
const PROJECTOR = 'projector';
const STORED_AS = { theme: 'webtune.theme', depth: 'webtune.depth' };
const LANGUAGE_NAMES = { en: 'English', ko: '한국어' };

/**
 * The depth of the address, else the one that was chosen last.
 * @param {URLSearchParams} query
 * @returns {Depth}
 */
export const preferredDepth = (query) => depthOf(query.get('depth')) ?? depthOf(recall(STORED_AS.depth)) ?? 'explore';

/**
 * @param {AppStore} store
 * @param {Depth} depth
 */
export function chooseDepth(store, depth) {
  remember(STORED_AS.depth, depth);
  const query = new URLSearchParams(location.search);
  query.set('depth', depth);
  replaceQuery(query);
  store.update({ depth });
}

/** Sets colours and sizes before anything is drawn. @param {AppStore} store */
export function applyAppearance(store) {
  const root = document.documentElement;
  const prefersContrast = matchMedia('(prefers-contrast: more)');
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    root.toggleAttribute('data-projector', store.state.projector);
    const theme = storedTheme();
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    else delete root.dataset.theme;
    const contrast = theme === 'contrast' || store.state.projector || prefersContrast.matches;
    if (contrast) root.dataset.contrast = 'more';
    else delete root.dataset.contrast;
  };
  const changed = () => {
    apply();
    store.update({ theme: store.state.theme + 1 });
  };
  apply();
  prefersContrast.addEventListener('change', changed);
  prefersDark.addEventListener('change', changed);
  store.watch(['depth'], ({ depth }) => {
    root.dataset.depth = depth;
  });
  return changed;
}

const storedTheme = () => THEMES.find((name) => name === recall(STORED_AS.theme)) ?? 'auto';

/**
 * The three selections of the top bar.
 * @param {AppStore} store
 * @param {() => void} appearanceChanged
 */
export function preferences(store, appearanceChanged) {
  const depth = select('depth', 'page.depth', async (value) => chooseDepth(store, depthOf(value) ?? 'explore'));
  depth.append(...DEPTHS.map((name) => h('option', { value: name, i18n: `page.depth_${name}` })));
  const language = select('language', 'page.language', async (value) => {
    const wanted = LANGUAGES.find((candidate) => candidate === value) ?? 'en';
    await useLanguage(wanted);
    rememberLanguage(wanted);
    store.update({ language: wanted });
  });
  language.append(...LANGUAGES.map((code) => h('option', { value: code, lang: code }, LANGUAGE_NAMES[code])));
  language.value = currentLanguage();
  const theme = select('theme', 'page.theme', async (value) => {
    const projector = value === PROJECTOR;
    if (!projector) remember(STORED_AS.theme, value);
    const query = new URLSearchParams(location.search);
    if (projector) query.set('view', PROJECTOR);
    else query.delete('view');
    replaceQuery(query);
    store.update({ projector });
    appearanceChanged();
  });
  theme.append(...[...THEMES, PROJECTOR].map((name) => h('option', { value: name, i18n: `page.theme_${name}` })));
  theme.value = store.state.projector ? PROJECTOR : storedTheme();
  store.watch(['depth'], (state) => {
    depth.value = state.depth;
  });
  byId('preferences').append(depth, language, theme);
}

/**
 * @param {string} id
 * @param {string} label  i18n key
 * @param {(value: string) => Promise<void>} choose
 */
const select = (id, label, choose) =>
  h('select', {
    'data-i18n-label': label,
    'aria-label': t(label),
    'data-testid': id,
    on: { change: ({ target }) => void choose(target.value) },
  });
