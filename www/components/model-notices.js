// What a loaded model tells: what is new in it, what of its files is not used, and what becomes of its own classifier.

import { h } from '../dom.js';
import { t, tOr } from '../i18n.js';

/** @typedef {import('../protocol.js').ModelView} ModelView */
/** @typedef {import('../protocol.js').HeadUse} HeadUse */

/**
 * Notes rather than warnings: none of them asks for anything.
 * @param {Pick<ModelView, 'notices'|'labels'>} model
 * @param {HeadUse|null} head  null before there is a dataset
 * @returns {HTMLElement|null}
 */
export function modelNotices({ notices, labels }, head) {
  const names = labels?.join(', ') ?? '';
  const items = [
    ...(labels ? [{ code: `head_${head ?? 'own'}`, text: t(`model.head_${head ?? 'own'}`, { labels: names }) }] : []),
    ...notices.map(({ code, message, values }) => ({ code, text: tOr(`warning.${code}`, message, values) })),
  ];
  if (items.length === 0) return null;
  return h(
    'ul',
    { class: 'model-notices', 'data-testid': 'model-warnings' },
    ...items.map(({ code, text }) => h('li', { 'data-code': code }, text)),
  );
}

/**
 * Whether the checkpoint's own head answers: before a run always, after it only where the run has started from it.
 * @param {Pick<ModelView, 'labels'>|null} model
 * @param {HeadUse|null} head
 * @param {boolean} trained
 */
export const answersOwn = (model, head, trained) =>
  Boolean(model?.labels) && (!trained || head === 'kept' || head === 'reordered');
