// The dialog that lists the shortcuts, turns single keys off, and names what the page is made of.

import { dialog } from '../components/dialog.js';
import { h } from '../dom.js';

/** @typedef {import('./shortcuts.js').Shortcut} Shortcut */

/**
 * @param {Shortcut[]} shortcuts
 * @param {boolean} enabled            whether single keys act
 * @param {(on: boolean) => void} enable
 */
export function helpDialog(shortcuts, enabled, enable) {
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
  return dialog({
    title: 'help.title',
    testId: 'help-dialog',
    children: [
      h('table', { class: 'shortcuts' }, h('tbody', {}, ...rows)),
      h('label', { class: 'check' }, toggle, h('span', { i18n: 'help.single_keys' })),
      h('p', { class: 'note', i18n: 'page.credit' }),
    ],
  });
}
