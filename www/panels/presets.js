// The settings to start from: the recommended ones for this data, or those of the article.

import { chooseRecommended, recommendDetails, recommendedText } from './recommend.js';
import { segments } from '../components/segments.js';
import { h, setText } from '../dom.js';
import { t } from '../i18n.js';
import { isRecommended } from '../recommendation.js';

const PRESETS = /** @type {const} */ (['recommended', 'article']);

/** @param {import('../app.js').App} app */
export function presets(app) {
  const { settings, store } = app;
  const choice = segments({
    label: 'preset.choose',
    segments: PRESETS.map((id) => ({ value: id, i18n: `preset.${id}`, testId: `preset-${id}` })),
    value: null,
    choose: (id) => (id === 'recommended' ? void chooseRecommended(app) : settings.apply(id)),
  });
  const about = h('p', { class: 'note', role: 'status' });
  const show = () => {
    const chosen = isRecommended(settings, store.state.recommendation) ? 'recommended' : settings.preset;
    choice.show(PRESETS.find((id) => id === chosen) ?? null);
    setText(about, chosen === 'recommended' ? recommendedText(app) : t(`preset.${chosen ?? 'custom'}.about`));
  };
  settings.subscribe(show);
  store.watch(['recommendation', 'plan', 'tokens', 'model', 'busy', 'language'], show);
  return h('div', { class: 'presets' }, choice.element, about, recommendDetails(app));
}
