// The form of one group of settings, built from the crate's table: labels, fields, help texts and errors.
//
// While teaching, each field has its help text below it. At the other depths a line at the foot of the controls shows
// the help text of the field that has the focus or the pointer, so that all fields fit on the screen.

import { fold } from '../components/fold.js';
import { sideFoot } from './widgets.js';
import { h, setAttribute, setText } from '../dom.js';
import { t, tOr } from '../i18n.js';
import { asText } from '../settings.js';

/** @typedef {import('../protocol.js').Setting} Setting */

/**
 * @param {import('../app.js').App} app
 * @param {Setting['group']} group
 * @returns {HTMLElement}
 */
export function settingsForm(app, group) {
  const table = app.settings.table.filter((setting) => setting.group === group);
  const plain = table.filter(({ advanced }) => !advanced).map((setting) => field(app, setting));
  const advanced = table.filter((setting) => setting.advanced);
  const more =
    advanced.length > 0 &&
    fold(
      app.store,
      'expert',
      'settings.more',
      h('div', { class: 'fields' }, ...advanced.map((setting) => field(app, setting))),
    );
  const form = h(
    'form',
    { class: 'settings', novalidate: true, on: { submit: (event) => event.preventDefault() } },
    h('div', { class: 'fields' }, ...plain),
    more,
  );
  // An error in a folded field must be visible.
  const openOnError = () => {
    if (table.some(({ name }) => app.settings.error(name))) openAround(form);
  };
  app.settings.subscribe(openOnError);
  openOnError();
  return form;
}

/** Opens the folds of the fields that have an error. @param {HTMLElement} form */
function openAround(form) {
  for (const invalid of form.querySelectorAll('.field.invalid'))
    for (let fold = invalid.closest('details'); fold; fold = fold.parentElement?.closest('details') ?? null)
      fold.open = true;
}

/**
 * The foot of the controls of a view with settings: the help text of the current field, and the button of the stage.
 * @param {import('../app.js').App} app
 * @param {HTMLElement} side
 * @param {HTMLElement} row  of the button
 */
export function settingsFoot({ store }, side, row) {
  // A screen reader reads the help text with its field.
  const help = h('p', { class: 'help-line', 'aria-hidden': 'true' });
  const show = (/** @type {EventTarget|null} */ target) => {
    const text =
      target instanceof Element ? target.closest('.field')?.querySelector('.help:not(.off)')?.textContent : null;
    if (text) setText(help, text);
  };
  side.addEventListener('focusin', ({ target }) => show(target));
  side.addEventListener('pointerover', ({ target }) => show(target));
  store.watch(['language'], () => setText(help, t('settings.point_at')));
  return sideFoot(help, row);
}

/**
 * A setting: its label, its name in Python, its control, its help text, and its error.
 * @param {Pick<import('../app.js').App, 'settings'|'store'>} app
 * @param {Setting} setting
 * @param {string} [id]  of the control
 */
export function field({ settings, store }, setting, id = `setting-${setting.name}`) {
  const { name, type } = setting;
  const control = type === 'choice' ? select(settings, setting, id) : input(settings, setting, id);
  const label = h('label', { for: id, i18n: `setting.${name}.label` });
  const help = h('p', { class: 'help', id: `${id}-help` });
  const problem = h('p', { class: 'field-error', id: `${id}-error` });
  const reason = h('p', { class: 'help off', id: `${id}-off` });
  const element = h(
    'div',
    { class: `field field-${type}` },
    h(
      'div',
      { class: 'field-row' },
      h('span', { class: 'field-label' }, label, h('code', {}, ...breakable(name))),
      control,
    ),
    problem,
    reason,
    help,
  );

  const show = () => {
    const text = settings.text(name);
    if (control instanceof HTMLInputElement && type === 'boolean') control.checked = text === 'true';
    else if (control.value !== text) control.value = text;
    const error = settings.error(name);
    setText(problem, error ? t(error.key, error.params) : '');
    problem.hidden = error === null;
    // A disabled switch that the URL has turned on can be turned off, and shows the reason as its error.
    const off = text === 'true' ? null : settings.off(name);
    setText(reason, off ? t(off.key, off.params) : '');
    reason.hidden = off === null;
    control.disabled = off !== null;
    setAttribute(control, 'aria-invalid', error ? 'true' : null);
    setAttribute(
      control,
      'aria-describedby',
      [error && `${id}-error`, off && `${id}-off`, `${id}-help`].filter(Boolean).join(' '),
    );
    element.classList.toggle('changed', text !== asText(setting.default));
    element.classList.toggle('invalid', error !== null);
  };
  settings.subscribe(show);
  store.watch(['language'], () => {
    setText(help, tOr(`setting.${name}.help`, setting.help));
    // Most choices are names of Python, which have no translation.
    if (control instanceof HTMLSelectElement)
      for (const option of control.options) setText(option, tOr(`setting.${name}.${option.value}`, option.value));
    show();
  });
  return element;
}

/** Allows line breaks after the underscores of a name. @param {string} name */
const breakable = (name) => name.split(/(?<=_)/).flatMap((part) => [part, h('wbr')]);

/**
 * @param {import('../settings.js').Settings} settings
 * @param {Setting} setting
 * @param {string} id
 */
function input(settings, { name, type }, id) {
  if (type === 'boolean') {
    return h('input', {
      id,
      name,
      type: 'checkbox',
      on: { change: ({ target }) => settings.set(name, String(target.checked)) },
    });
  }
  // A number field would discard invalid text, which the error message quotes.
  return h('input', {
    id,
    name,
    type: 'text',
    inputmode: type === 'integer' ? 'numeric' : 'decimal',
    autocomplete: 'off',
    spellcheck: 'false',
    on: {
      input: ({ target }) => settings.set(name, target.value),
      keydown: (event) => {
        const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[/** @type {string} */ (event.key)];
        if (!steps) return;
        event.preventDefault();
        settings.nudge(name, steps);
      },
    },
  });
}

/**
 * @param {import('../settings.js').Settings} settings
 * @param {Setting} setting
 * @param {string} id
 */
function select(settings, setting, id) {
  const { name } = setting;
  const choices = setting.type === 'choice' ? setting.choices : [];
  const options = choices.map((choice) => h('option', { value: choice }));
  return h('select', { id, name, on: { change: ({ target }) => settings.set(name, target.value) } }, ...options);
}
