// Elements that several panels share: alerts, figures, bars, and the button that runs a stage.

import { h, replace, setAttribute, setText } from '../dom.js';
import { number, percent, t, tOr } from '../i18n.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../stages.js').Stage} Stage */

/**
 * Finds the two columns of a panel in index.html.
 * @param {string} id
 */
export function panelParts(id) {
  const side = document.querySelector(`#${id} > .panel-side`);
  const main = document.querySelector(`#${id} > .panel-main`);
  if (!(side instanceof HTMLElement && main instanceof HTMLElement)) throw new Error(`index.html has no panel #${id}`);
  return { side, main };
}

/**
 * An error with a title.
 * @param {import('../protocol.js').WorkerError} error
 * @param {...import('../dom.js').Child} more  e.g. a button that helps
 */
export function alert(error, ...more) {
  const title = tOr(`error.${error.code}`, t('error.other'));
  return h(
    'div',
    { class: 'alert', role: 'alert', 'data-testid': 'error', 'data-code': error.code },
    h('p', {}, h('strong', {}, title), ' ', error.message),
    ...more,
  );
}

/**
 * The button that runs a stage, the stages that it needs first, and its error.
 * @param {App} app
 * @param {Stage} stage
 * @returns {{button: HTMLButtonElement, row: HTMLElement, problem: HTMLElement}}
 */
export function stageButton({ store, workflow }, stage) {
  const button = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: `${stage}.run`,
    'data-testid': `run-${stage}`,
    on: { click: () => void workflow.run(stage) },
  });
  const note = h('p', { class: 'note' });
  const row = h('div', { class: 'actions' }, button);
  const problem = h('div', { class: 'problem' });
  const side = h('div', { class: 'stage-run' }, row, note);
  store.watch(['stages', 'busy', 'opened', 'fatal', 'language'], (state) => {
    button.disabled = state.busy || state.opened === null || state.fatal !== null;
    const missing = workflow.missing(stage).map((need) => t(`${need}.title`));
    const current = state.stages[stage];
    setText(
      note,
      current.stale && current.state === 'done'
        ? t('stage.stale')
        : missing.length > 0
          ? t('stage.needs', { stages: missing.join(', ') })
          : '',
    );
    note.classList.toggle('stale', current.stale);
    // An equal error keeps its element, because a new element would be announced again.
    if (problem.dataset.error !== String(current.error?.message)) {
      problem.dataset.error = String(current.error?.message);
      replace(problem, current.error && alert(current.error));
    }
  });
  return { button, row: side, problem };
}

/**
 * A few figures side by side.
 * @param {{label: string, value: import('../dom.js').Child, attributes?: import('../dom.js').Properties}[]} figures
 */
export function figures(figures) {
  return h(
    'dl',
    { class: 'figures' },
    ...figures.map(({ label, value, attributes }) =>
      h('div', {}, h('dt', {}, label), h('dd', attributes ?? {}, value)),
    ),
  );
}

/**
 * Label counts as bars in the colours of the classes.
 * @param {string[]} labels
 * @param {number[]} counts
 */
export function labelBars(labels, counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return h(
    'ul',
    { class: 'bars' },
    ...labels.map((label, id) => {
      const share = total > 0 ? (counts[id] ?? 0) / total : 0;
      return h(
        'li',
        {},
        h('span', { class: 'bar-name' }, swatch(id), labelName(label)),
        bar(share, `class-${id}`),
        h('span', { class: 'bar-value' }, `${number(counts[id] ?? 0)} · ${percent(share)}`),
      );
    }),
  );
}

/**
 * @param {number} share of 1
 * @param {string} kind   a class that colours it
 */
export function bar(share, kind) {
  const width = `${Math.min(100, Math.max(0, share * 100))}%`;
  return h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span', { class: `bar-fill ${kind}`, style: { width } }));
}

/** The colour of a class, shown before its name. @param {number} id */
export const swatch = (id) => h('span', { class: `swatch class-${id}`, 'aria-hidden': 'true' });

/** The name of a class, translated where it is a known one. @param {string} label */
export const labelName = (label) => tOr(`label.${label}`, label);

/**
 * @param {string} label
 * @param {number} id
 */
export const labelBadge = (label, id) => h('span', { class: 'badge' }, swatch(id), labelName(label));

/**
 * Warnings of the crate, translated by their codes.
 * @param {import('../protocol.js').Warning[]} warnings
 * @param {string} testId
 * @returns {HTMLElement|null}
 */
export function warningList(warnings, testId) {
  if (warnings.length === 0) return null;
  return h(
    'ul',
    { class: 'warnings', 'data-testid': testId },
    ...warnings.map(({ code, message, values }) =>
      h('li', { 'data-code': code }, tOr(`warning.${code}`, message, values)),
    ),
  );
}

/**
 * A short explanation beside the stage that it is about.
 * @param {string} key
 */
export const callout = (key) =>
  h('aside', { class: 'callout' }, h('h3', { i18n: `${key}.title` }), h('p', { i18n: `${key}.text` }));

/** The text in place of a result that does not exist yet. @param {string} key */
export const placeholder = (key) => h('p', { class: 'placeholder', i18n: key });
