// The buttons of the top bar: the shortcuts, and on a narrow screen a menu with everything else.

import { byId, h, setAttribute } from '../dom.js';
import { t } from '../i18n.js';

/** @param {() => void} showHelp */
export function topbarButtons(showHelp) {
  const items = byId('topbar-items');
  const menu = h('button', {
    type: 'button',
    class: 'quiet menu-button',
    'aria-expanded': 'false',
    'aria-controls': items.id,
    'data-testid': 'menu',
    i18n: 'page.menu',
    on: { click: () => toggle(!items.classList.contains('open')) },
  });
  const help = h('button', {
    type: 'button',
    class: 'quiet',
    'data-i18n-label': 'help.title',
    'aria-label': t('help.title'),
    'aria-keyshortcuts': '?',
    'data-testid': 'help',
    on: { click: showHelp },
  });
  help.append('?');
  const toggle = (/** @type {boolean} */ open) => {
    items.classList.toggle('open', open);
    setAttribute(menu, 'aria-expanded', String(open));
    // The items are before the button in the document.
    if (open) /** @type {HTMLElement|null} */ (items.querySelector('summary, a, button, select'))?.focus();
  };
  const inside = (/** @type {EventTarget|null} */ target) =>
    target instanceof Node && (items.contains(target) || menu.contains(target));
  document.addEventListener('pointerdown', ({ target }) => inside(target) || toggle(false));
  items.addEventListener('focusout', ({ relatedTarget }) => relatedTarget && !inside(relatedTarget) && toggle(false));
  items.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !items.classList.contains('open')) return;
    toggle(false);
    menu.focus();
  });
  byId('topbar-buttons').append(menu, help);
}
