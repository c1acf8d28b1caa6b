// The dialog that lists the shortcuts, turns single keys off, and leads to the one about the page.

import { dialog } from '../components/dialog.js';
import { h } from '../dom.js';

/** @typedef {import('./shortcuts.js').Shortcut} Shortcut */

/**
 * @param {Shortcut[]} shortcuts
 * @param {boolean} enabled            whether single keys act
 * @param {(on: boolean) => void} enable
 * @param {() => void} showAbout
 */
export function helpDialog(shortcuts, enabled, enable, showAbout) {
  const rows = shortcuts.map(({ keys, about }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, ...keys.map((key) => (key === '…' ? ' … ' : h('kbd', {}, key)))),
      h('td', { i18n: about }),
    ),
  );
  const toggle = h('input', { type: 'checkbox', on: { change: ({ target }) => enable(target.checked) } });
  toggle.checked = enabled;
  const about = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'help-about',
    i18n: 'about.title',
    on: {
      click: () => {
        // The focus returns to what has opened the list, and from the next dialog again.
        help.close();
        showAbout();
      },
    },
  });
  const help = dialog({
    title: 'help.title',
    testId: 'help-dialog',
    children: [
      h('table', { class: 'shortcuts' }, h('tbody', {}, ...rows)),
      h('label', { class: 'check' }, toggle, h('span', { i18n: 'help.single_keys' })),
      h('div', { class: 'actions' }, about),
    ],
  });
  return help;
}
