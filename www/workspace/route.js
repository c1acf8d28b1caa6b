// Shows the view that the address names, so that Back and a copied address work. Each view keeps its scroll positions.

import { byId, setAttribute } from '../dom.js';
import { VIEWS, viewOfHash } from '../views.js';

/** @typedef {import('../views.js').View} View */
/** @typedef {import('../state.js').Store<import('../state.js').AppState>} AppStore */

/** The elements of a view that scroll: by themselves on a wide screen, together on a phone. */
const SCROLLED = '.panel-side, .panel-main';

/** @param {AppStore} store */
export function followAddress(store) {
  /** @type {Map<View, number[]>} */
  const positions = new Map();
  const scrolled = (/** @type {View} */ view) => [byId(view), ...byId(view).querySelectorAll(SCROLLED)];

  const show = () => {
    // Another fragment, e.g. that of a skip link, leaves the view.
    const view = viewOfHash(location.hash) ?? (location.hash ? store.state.view : 'overview');
    const before = store.state.view;
    if (view !== before) positions.set(before, measured(scrolled(before)));
    for (const each of VIEWS) {
      const hidden = each !== view;
      if (byId(each).hidden !== hidden) byId(each).hidden = hidden;
    }
    setAttribute(byId('skip'), 'href', `#${view}`);
    for (const link of byId('rail').querySelectorAll('a[href^="#"]'))
      setAttribute(link, 'aria-current', link.getAttribute('href') === `#${view}` ? 'page' : null);
    if (view === before) return;
    store.update({ view });
    // A hidden element has no scroll position, and the browser scrolls to the target of a fragment.
    const at = positions.get(view) ?? [];
    for (const [index, element] of scrolled(view).entries()) element.scrollTop = at[index] ?? 0;
    document.documentElement.scrollTop = 0;
    // The focus must not stay in a hidden view. A link of the rail keeps it.
    const { activeElement } = document;
    if (!activeElement || activeElement === document.body || byId(before).contains(activeElement))
      byId(`${view}-title`).focus({ preventScroll: true });
  };
  window.addEventListener('hashchange', show);
  show();
}

/** @param {Element[]} elements */
const measured = (elements) => elements.map(({ scrollTop }) => scrollTop);

/**
 * Shows a view, as a link to it would.
 * @param {View} view
 */
export function go(view) {
  if (location.hash !== `#${view}`) location.hash = view;
}

/**
 * Shows a view and focuses a control of it, which may not be made yet.
 * @param {View} view
 * @param {string} id  of the control
 */
export function goToControl(view, id) {
  const section = byId(view);
  const focus = () => {
    const control = document.getElementById(id);
    if (section.hidden || !control) return;
    observer.disconnect();
    control.focus();
  };
  // The view is shown after the address has changed.
  const observer = new MutationObserver(focus);
  observer.observe(section, { childList: true, subtree: true, attributeFilter: ['hidden'] });
  go(view);
  focus();
}

/**
 * Replaces the parameters of the address, without an entry in the history.
 * @param {URLSearchParams} query
 */
export function replaceQuery(query) {
  const next = `${location.pathname}${query.size > 0 ? `?${query}` : ''}${location.hash}`;
  // Every change of a setting comes here, and most keep the address. To set it, the browser asks another process.
  if (next !== `${location.pathname}${location.search}${location.hash}`) history.replaceState(null, '', next);
}
