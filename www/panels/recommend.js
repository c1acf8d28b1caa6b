// The recommended settings: the values that were chosen for this data, a sentence for each, and the time of the run.

import { timeSentence } from '../facts.js';
import { alert } from '../components/notices.js';
import { h, replace, setAttribute, setOff, setText } from '../dom.js';
import { t } from '../i18n.js';
import { forget, isOwn, isStale, recommend, setMinutes } from '../recommendation.js';
import { reasonText, settingText } from '../reasons.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../app.js').App} App */

/**
 * Puts the defaults of the table into the form. They are those of the toys; for the visitor's own data, and where the
 * time is limited, the worker chooses values that go over them. The settings of the toys stay while the data is the
 * visitor's own.
 * @param {App} app
 */
export async function chooseRecommended(app) {
  const { settings, store, workflow } = app;
  const own = isOwn(store.state);
  settings.apply('recommended', own ? ['split', 'tokens', 'training', 'memory'] : undefined);
  if (!own && store.state.recommendation.minutes === null) return forget(store);
  // The defaults may be those of another toy dataset.
  if (workflow.missing('training').includes('split')) await workflow.run('split');
  await workflow.exclusively(async () => void (await recommend(app, app.times.seconds_per_unit)));
}

/**
 * The number of updates and the time of the recommended run; before the worker has chosen, what its values are.
 * @param {App} app
 */
export function recommendedText({ store, times }) {
  const { view, asking } = store.state.recommendation;
  if (asking) return t('recommend.asking');
  if (!view) return t('preset.recommended.about');
  return `${t('recommend.steps', { count: view.num_steps })} · ${timeSentence(times.estimate())}`;
}

/**
 * What is below the choice of the presets: whether the data has changed, the reasons, and the budget.
 * @param {App} app
 */
export function recommendDetails(app) {
  const { store } = app;
  const again = h('button', {
    type: 'button',
    class: 'quiet',
    'data-testid': 'recommend-again',
    i18n: 'recommend.again',
    on: { click: () => void chooseRecommended(app) },
  });
  const stale = h(
    'div',
    { class: 'recommend-stale', 'data-testid': 'recommend-stale', role: 'status' },
    h('span', { i18n: 'recommend.stale' }),
    again,
  );
  const problem = h('div', {});
  const reasons = h('ul', { class: 'reasons' });
  const about = h('p', { class: 'note' });
  const details = h(
    'details',
    { class: 'fold recommend-why', 'data-testid': 'recommend-why' },
    h('summary', { i18n: 'recommend.why' }),
    h('div', { class: 'fold-body' }, about, reasons, budgetField(app)),
  );
  let shown = '';
  store.watch(['recommendation', 'dataset', 'split', 'model', 'tokens', 'busy', 'opened', 'language'], (state) => {
    const { view, asking, error } = state.recommendation;
    stale.hidden = !isStale(state) || asking;
    setOff(again, isBlocked(state));
    setText(about, t(view ? 'recommend.about' : 'recommend.before'));
    // An unchanged list keeps the place of its reader.
    const key = JSON.stringify([view, error, state.language]);
    if (key === shown) return;
    shown = key;
    replace(problem, error && alert(error));
    replace(reasons, ...(view?.reasons ?? []).map((reason) => reasonItem(reason, view?.values ?? {})));
    reasons.hidden = !view;
  });
  return h('div', { class: 'recommend' }, stale, problem, details);
}

/**
 * @param {import('../protocol.js').Reason} reason
 * @param {import('../protocol.js').Values} values
 */
const reasonItem = (reason, values) =>
  h(
    'li',
    { 'data-setting': reason.setting, 'data-code': reason.code },
    h('code', {}, settingText(reason, values)),
    ' ',
    reasonText(reason),
  );

/** The longest time that a run may take. @param {App} app */
function budgetField(app) {
  const { store } = app;
  const input = h('input', {
    id: 'recommend-budget',
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    'data-testid': 'recommend-budget',
    'aria-describedby': 'recommend-budget-error',
    on: {
      change: () => {
        const minutes = minutesOf(input.value);
        if (minutes === undefined) return show(false);
        show(true);
        setMinutes(store, minutes);
        void chooseRecommended(app);
      },
    },
  });
  const error = h('p', { class: 'field-error', id: 'recommend-budget-error', role: 'status' });
  function show(/** @type {boolean} */ valid) {
    setAttribute(input, 'aria-invalid', valid ? null : 'true');
    setText(error, valid ? '' : t('recommend.budget_invalid'));
  }
  return h(
    'form',
    { class: 'field recommend-budget', novalidate: true, on: { submit: (event) => event.preventDefault() } },
    h(
      'div',
      { class: 'field-row' },
      h('label', { for: 'recommend-budget', i18n: 'recommend.budget' }),
      h('span', { class: 'with-unit' }, input, h('span', { i18n: 'recommend.minutes' })),
    ),
    error,
  );
}

/**
 * The minutes that a text names; null where it is empty, undefined where it names none.
 * @param {string} text
 * @returns {number|null|undefined}
 */
export function minutesOf(text) {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  // In some languages the decimal separator is a comma.
  const minutes = /^(\d+([.,]\d*)?|[.,]\d+)$/.test(trimmed) ? Number(trimmed.replace(',', '.')) : NaN;
  return minutes > 0 && minutes <= 24 * 60 ? minutes : undefined;
}
