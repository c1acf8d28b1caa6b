// Asks before rows that exist only in this tab are replaced, and offers to download them first.

import { downloadRows } from './download.js';
import { h, setText } from '../../dom.js';
import { t } from '../../i18n.js';
import { isUnsaved } from '../../data/unsaved.js';

/** @typedef {ReturnType<typeof replacing>} Replacing */

/** @param {import('../../app.js').App} app */
export function replacing(app) {
  const { store } = app;
  /** @type {(() => void)|null} */
  let waiting = null;
  /** @type {Element|null} */
  let opener = null;
  const question = h('p', { id: 'replacing-question' });
  const button = (/** @type {string} */ key, /** @type {string} */ testId, /** @type {() => void} */ click) =>
    h('button', { type: 'button', class: 'secondary', i18n: key, 'data-testid': testId, on: { click } });
  const download = button('replacing.download', 'replacing-download', () => void downloadRows(app, 'csv'));
  const replace = button('replacing.replace', 'replacing-replace', () => close(waiting));
  const keep = button('replacing.keep', 'replacing-keep', () => close(null));
  const element = h(
    'div',
    {
      class: 'notice',
      role: 'group',
      'aria-labelledby': 'replacing-question',
      'data-testid': 'replacing',
      hidden: true,
    },
    question,
    h('div', { class: 'actions' }, download, replace, keep),
  );
  element.addEventListener('keydown', ({ key }) => key === 'Escape' && close(null));

  function show() {
    setText(question, t('replacing.question', { rows: store.state.dataset?.num_rows ?? 0 }));
  }
  store.watch(['dataset', 'language'], show);

  /** @param {(() => void)|null} act */
  function close(act) {
    element.hidden = true;
    waiting = null;
    if (opener instanceof HTMLElement) opener.focus();
    act?.();
  }

  return {
    element,
    /** Replaces at once where nothing is lost. @param {() => void} act */
    ask(act) {
      if (!isUnsaved(store.state)) return act();
      waiting = act;
      opener = document.activeElement;
      element.hidden = false;
      download.focus();
    },
  };
}
