// Other models: those that the page proposes, any model of the Hub by its name, and the models stored in this browser.

import { MODELS, isRepo } from '../models.js';
import { deleteStored } from '../requests.js';
import { fold } from '../components/fold.js';
import { alert } from '../components/notices.js';
import { h, replace, setOff, setText } from '../dom.js';
import { bytes, number, t } from '../i18n.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../app.js').App} App */

/** @param {App} app */
export function galleryPanel(app) {
  const { store } = app;
  const list = h('ul', { class: 'gallery', 'data-testid': 'gallery' });
  const further = h('ul', { class: 'gallery', 'data-testid': 'gallery-further' });
  const storedList = h('div', { class: 'stored', 'data-testid': 'stored' });
  const more = fold(
    store,
    'expert',
    'gallery.more',
    h('p', { class: 'note', i18n: 'gallery.note' }),
    further,
    repoForm(app),
    storedList,
  );
  const element = h('div', { class: 'models' }, list, more);
  store.watch(['opened', 'fatal', 'busy', 'origin', 'stored', 'language'], (state) => {
    const off = isBlocked(state);
    const focused = document.activeElement?.getAttribute('data-repo');
    const inStored = storedList.contains(document.activeElement);
    const rows = (/** @type {boolean} */ isFurther) =>
      MODELS.filter((model) => Boolean(model.further) === isFurther).map((model) => row(app, model, off));
    replace(list, ...rows(false));
    replace(further, ...rows(true));
    replace(storedList, ...storedModels(app, off));
    // Redrawing removes the focused button.
    const again = focused && element.querySelector(`button[data-repo="${CSS.escape(focused)}"]`);
    if (again instanceof HTMLElement) again.focus();
    // The button of a deleted model is gone: the next one has the focus, or the field above the list.
    else if (inStored) (storedList.querySelector('button') ?? element.querySelector('input'))?.focus();
  });
  return element;
}

/**
 * @param {App} app
 * @param {import('../models.js').KnownModel} model
 * @param {boolean} off
 */
function row({ store, workflow }, { repo, name, about, language, parameters, bytes: size, license }, off) {
  const { origin, stored, model } = store.state;
  const current = model && (repo === null ? origin.kind === 'site' : origin.kind === 'hub' && origin.repo === repo);
  const isStored = repo !== null && stored?.models.some((model) => model.repo === repo && model.complete);
  const load = () => void workflow.loadFrom(repo === null ? { kind: 'site' } : { kind: 'hub', repo });
  return h(
    'li',
    { class: current ? 'known-model current' : 'known-model' },
    h('div', { class: 'known-name' }, h('strong', { lang: 'en' }, name), h('code', {}, repo ?? t('gallery.built_in'))),
    h('p', { class: 'known-about' }, t(about)),
    h(
      'ul',
      { class: 'facts' },
      h('li', {}, t(language)),
      h('li', {}, t('gallery.parameters', { millions: number(parameters / 1e6, { maximumSignificantDigits: 3 }) })),
      h('li', {}, isStored ? t('gallery.here') : t('gallery.size', { size: bytes(size) })),
      h('li', {}, license),
    ),
    h(
      'button',
      // Not `disabled`, because a press would then lose the focus.
      {
        type: 'button',
        class: 'secondary',
        'data-repo': repo ?? 'site',
        'aria-label': t('gallery.load_label', { name }),
        'aria-disabled': off ? 'true' : null,
        on: { click: load },
      },
      current ? t('gallery.loaded') : t('gallery.load'),
    ),
  );
}

/**
 * The field for a model of the Hub.
 * @param {App} app
 */
function repoForm({ store, workflow }) {
  const field = h('input', {
    id: 'repo',
    type: 'text',
    class: 'sentence',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'owner/name@revision',
    'data-testid': 'repo',
    'aria-describedby': 'repo-help repo-problem',
  });
  const button = h('button', { type: 'submit', class: 'secondary', i18n: 'gallery.load', 'data-testid': 'load-repo' });
  const problem = h('p', { id: 'repo-problem', class: 'field-error', role: 'status' });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const repo = field.value.trim();
    // The crate parses a pasted address of a page of the Hub.
    const valid = isRepo(repo) || /^https?:\/\/\S+$/.test(repo);
    field.toggleAttribute('aria-invalid', !valid);
    setText(problem, valid ? '' : t('gallery.no_repo'));
    if (valid) void workflow.loadFrom({ kind: 'hub', repo });
  };
  store.watch(['busy', 'opened', 'fatal', 'language'], (state) => {
    setOff(button, isBlocked(state));
    if (problem.textContent) setText(problem, t('gallery.no_repo'));
  });
  return h(
    'form',
    { class: 'try-form', on: { submit } },
    h('label', { for: 'repo', i18n: 'gallery.other' }),
    h('div', { class: 'try-row' }, field, button),
    h('p', { id: 'repo-help', class: 'note', i18n: 'gallery.other_about' }),
    problem,
  );
}

/**
 * @param {App} app
 * @param {boolean} off
 */
function storedModels(app, off) {
  const { stored, storedError } = app.store.state;
  if (storedError) return [alert(storedError)];
  if (!stored) return [];
  if (!stored.available) return [h('p', { class: 'note' }, t('notice.not_stored'))];
  const quota =
    stored.quota > 0 &&
    h(
      'p',
      { class: 'note', 'data-testid': 'quota' },
      t('stored.quota', { usage: bytes(stored.usage), quota: bytes(stored.quota) }),
    );
  if (stored.models.length === 0)
    return [
      h('h2', {}, t('stored.title')),
      h('p', { class: 'note' }, t('stored.none'), ' ', quota && quota.textContent),
    ];
  // Some Hubs do not name the commit; the revision stands in its place then.
  const commit = (/** @type {{revision: string, commit: string}} */ model) =>
    model.commit === model.revision ? model.revision : `${model.revision} → ${model.commit.slice(0, 7)}`;
  const rows = stored.models.map((model) =>
    h(
      'tr',
      { 'data-repo': model.repo, 'data-complete': String(model.complete) },
      h('th', { scope: 'row' }, model.repo, h('br'), h('code', {}, commit(model))),
      h('td', { class: 'number' }, bytes(model.bytes), !model.complete && h('br'), !model.complete && t('stored.part')),
      h(
        'td',
        {},
        h(
          'button',
          {
            type: 'button',
            class: 'quiet',
            'aria-disabled': off ? 'true' : null,
            'aria-label': t('stored.delete_label', { name: `${model.repo}@${model.revision}` }),
            'data-testid': 'forget',
            on: { click: () => void deleteStored(app, model) },
          },
          t('stored.delete'),
        ),
      ),
    ),
  );
  return [
    h('h2', {}, t('stored.title')),
    h('div', { class: 'scroll' }, h('table', { class: 'compact' }, h('tbody', {}, ...rows))),
    quota,
  ];
}
