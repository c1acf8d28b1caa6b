// The settings to start from: the recommended ones, or those of the article.

import { segments } from '../components/segments.js';
import { h, setText } from '../dom.js';
import { t } from '../i18n.js';

const PRESETS = /** @type {const} */ (['recommended', 'article']);

/** @param {import('../app.js').App} app */
export function presets({ settings, store }) {
  const choice = segments({
    label: 'preset.choose',
    segments: PRESETS.map((id) => ({ value: id, i18n: `preset.${id}`, testId: `preset-${id}` })),
    value: null,
    choose: (id) => settings.apply(id),
  });
  const about = h('p', { class: 'note', role: 'status' });
  const show = () => {
    const chosen = settings.preset;
    choice.show(PRESETS.find((id) => id === chosen) ?? null);
    setText(about, t(`preset.${chosen ?? 'custom'}.about`));
  };
  settings.subscribe(show);
  store.watch(['language'], show);
  return h('div', { class: 'presets' }, choice.element, about);
}
