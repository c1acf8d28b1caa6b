// Code to copy: a title, what it needs, a button that copies it, and the lines.

import { h, setAttribute, setText } from '../dom.js';
import { t } from '../i18n.js';

/**
 * @param {{title: string, about: string, testId: string}} texts  i18n keys
 */
export function codeBlock({ title, about, testId }) {
  const code = h('code', {});
  const status = h('span', { class: 'note', role: 'status' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent ?? '');
      setText(status, t('export.copied'));
    } catch {
      // Without access to the clipboard the text is selected, so that the keyboard can copy it.
      getSelection()?.selectAllChildren(code);
      setText(status, t('export.select'));
    }
  };
  const note = h('p', { class: 'note', i18n: about });
  const element = h(
    'div',
    { class: 'code-block' },
    h(
      'div',
      { class: 'code-head' },
      h('h2', { i18n: title }),
      h('button', {
        type: 'button',
        class: 'quiet',
        'data-testid': `copy-${testId}`,
        i18n: 'export.copy',
        on: { click: () => void copy() },
      }),
    ),
    note,
    // Focusable, so that a keyboard can scroll it on a narrow screen.
    h(
      'pre',
      {
        class: 'code',
        tabindex: '0',
        role: 'region',
        'data-testid': testId,
        'data-i18n-label': title,
        'aria-label': t(title),
        lang: 'en',
      },
      code,
    ),
    status,
  );
  return {
    element,
    note,
    /**
     * @param {string[]} lines
     * @param {string|null} [folder]  that the code opens
     */
    show(lines, folder = null) {
      const text = lines.join('\n');
      if (code.textContent !== text) setText(status, '');
      setText(code, text);
      setAttribute(code, 'data-folder', folder);
    },
  };
}
