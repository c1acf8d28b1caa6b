// A modal dialog with a title. Escape, its button and a click beside it close it. The browser returns the focus to the
// control that opened it.

import { h } from '../dom.js';
import { t } from '../i18n.js';

let lastId = 0;

/**
 * @param {object} options
 * @param {string} options.title                     i18n key
 * @param {import('../dom.js').Child[]} options.children
 * @param {string} [options.testId]
 * @param {() => void} [options.closed]
 */
export function dialog({ title, children, testId, closed }) {
  const id = `dialog-${++lastId}`;
  const close = h(
    'button',
    {
      type: 'button',
      class: 'quiet dialog-close',
      'data-i18n-label': 'dialog.close',
      'aria-label': t('dialog.close'),
      'data-testid': 'dialog-close',
      on: { click: () => element.close() },
    },
    '×',
  );
  // The tabindex makes a long text scroll by keyboard.
  const body = h('div', { class: 'dialog-body', tabindex: '0', role: 'group', 'aria-labelledby': id }, ...children);
  const element = h(
    'dialog',
    {
      class: 'dialog',
      'aria-labelledby': id,
      'data-testid': testId,
      on: {
        close: () => closed?.(),
        // The head and the body cover the dialog, so only a click on the backdrop has the dialog as its target.
        click: ({ target }) => {
          if (target === element) element.close();
        },
      },
    },
    h('div', { class: 'dialog-head' }, h('h2', { id, i18n: title }), close),
    body,
  );
  return {
    element,
    /** Shows it, and adds it to the document where it is in no document yet. */
    open() {
      if (!element.isConnected) document.body.append(element);
      if (!element.open) element.showModal();
    },
    close: () => element.close(),
  };
}
