// The audit: what is wrong with the present data and settings, the worst first, each with its rows and a button that
// repairs it.

import { actionOf, buttonText, counts, detailOf, keyOf, sorted, valuesText, words } from '../findings.js';
import { auditNote, canUndo, findingsOf, lookForWrongLabels, remedy, undoRemedy } from '../audit.js';
import { labelBadge, labelName } from '../components/labels.js';
import { alert } from '../components/notices.js';
import { languageOf } from '../data/language.js';
import { h, redraw, replace, setAttribute, setOff, setText } from '../dom.js';
import { number, percent, t } from '../i18n.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../protocol.js').Finding} Finding */
/** @typedef {import('../protocol.js').Severity} Severity */
/** @typedef {import('../state.js').AppState} AppState */

/** The rows of a finding that are shown before the visitor asks for all. */
const ROWS_SHOWN = 3;
/** The signs of the severities, which differ also without colours. */
const SIGNS = { error: '✕', warning: '!', note: 'i' };

/**
 * A link to the findings with their number, for the head of the dataset or the overview.
 * @param {App['store']} store
 */
export function auditBadge(store) {
  const element = h('button', {
    type: 'button',
    class: 'audit-badge',
    'data-testid': 'audit-badge',
    hidden: true,
    on: { click: showAudit },
  });
  store.watch(['audit', 'dataset', 'language'], (state) => {
    const { error, warning } = counts(findingsOf(state));
    const worst = error > 0 ? 'error' : warning > 0 ? 'warning' : null;
    element.hidden = worst === null;
    setAttribute(element, 'data-severity', worst);
    if (worst) replace(element, sign(worst), auditNote(state));
  });
  return element;
}

/** Scrolls the pane of the audit to it. Focus alone would bring its middle into view. */
function showAudit() {
  const audit = document.getElementById('audit');
  if (!audit) return;
  audit.focus({ preventScroll: true });
  let pane = audit.parentElement;
  while (pane && pane.scrollHeight <= pane.clientHeight) pane = pane.parentElement;
  pane?.scrollBy({ top: audit.getBoundingClientRect().top - pane.getBoundingClientRect().top });
}

/**
 * @param {App} app
 * @returns {{element: HTMLElement}}
 */
export function auditPanel(app) {
  const { store, settings } = app;
  const summary = h('p', { class: 'note', role: 'status', 'data-testid': 'audit-summary' });
  const problem = h('div', {});
  const list = h('ul', { class: 'findings' });
  const search = labelSearch(app);
  const element = h(
    'section',
    { class: 'audit', id: 'audit', tabindex: '-1', 'aria-labelledby': 'audit-title', 'data-testid': 'audit' },
    h('div', { class: 'audit-head' }, h('h2', { id: 'audit-title', i18n: 'audit.title' }), summary, search.element),
    undoNotice(app),
    problem,
    list,
  );
  /** The findings whose rows are all shown. @type {Set<string>} */
  const open = new Set();
  /** What the list was drawn from. @type {unknown[]} */
  let drawn = [];
  const draw = () => {
    const { state } = store;
    const { view, labels, labelsOf, error } = state.audit;
    const found = sorted(findingsOf(state));
    // A remedy is not offered where the form has its values already.
    const offered = found.map((finding) => actionOf(finding, settings.values()) !== null).join();
    const next = [view, labels, labelsOf, error, state.dataset, state.language, offered, [...open].join()];
    if (next.every((value, at) => Object.is(value, drawn[at]))) return;
    drawn = next;
    element.hidden = state.dataset === null;
    setText(summary, summaryText(state));
    replace(problem, error && alert(error));
    const toggle = (/** @type {string} */ id) => {
      if (!open.delete(id)) open.add(id);
      draw();
    };
    redraw(list, ...found.map((finding) => findingItem(app, finding, open.has(keyOf(finding)), toggle)));
    turnOff();
  };
  const turnOff = () => {
    for (const button of list.querySelectorAll('.remedy')) setOff(button, isBlocked(store.state));
  };
  store.watch(['audit', 'dataset', 'language'], draw);
  store.watch(['busy', 'opened', 'fatal'], turnOff);
  settings.subscribe(draw);
  return { element };
}

/** @param {AppState} state */
function summaryText(state) {
  const { view } = state.audit;
  if (!view) return t('audit.waiting');
  const found = findingsOf(state);
  const { error, warning, note } = counts(found);
  if (found.length === 0) return t(view.has_tokens ? 'audit.clear' : 'audit.clear_so_far');
  return [
    auditNote(state),
    note > 0 && t('audit.notes', { count: note }),
    error + warning === 0 && t('audit.no_problem'),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** @param {Severity} severity */
const sign = (severity) =>
  h(
    'span',
    { class: 'sign', 'data-severity': severity },
    h('span', { 'aria-hidden': 'true' }, SIGNS[severity]),
    h('span', { class: 'visually-hidden' }, `${t(`audit.${severity}`)}: `),
  );

/**
 * @param {App} app
 * @param {Finding} finding
 * @param {boolean} all      whether all of its rows are shown
 * @param {(key: string) => void} toggle
 */
function findingItem(app, finding, all, toggle) {
  const { title, text } = words(finding);
  const key = keyOf(finding);
  const rows = all ? finding.rows : finding.rows.slice(0, ROWS_SHOWN);
  const folded = finding.rows.length > ROWS_SHOWN;
  const more = () =>
    h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'data-key': `rows ${key}`,
        'aria-expanded': String(all),
        on: { click: () => toggle(key) },
      },
      t(all ? 'audit.fewer_rows' : 'audit.more_rows', { count: finding.rows.length }),
    );
  return h(
    'li',
    { class: 'finding', 'data-id': finding.id, 'data-severity': finding.severity },
    h('h3', {}, sign(finding.severity), title),
    text && h('p', {}, text),
    rows.length > 0 && h('ul', { class: 'finding-rows' }, ...rows.map((row) => rowItem(app.store.state, finding, row))),
    h('div', { class: 'actions' }, remedyButton(app, finding, key), folded && more()),
  );
}

/**
 * @param {App} app
 * @param {Finding} finding
 * @param {string} key
 */
function remedyButton(app, finding, key) {
  const action = actionOf(finding, app.settings.values());
  if (!action) return null;
  const labels = (app.store.state.dataset?.labels ?? []).map(labelName);
  const text = buttonText(finding, labels);
  const act = async () => {
    await remedy(app, action, text);
    // The button is gone then.
    requestAnimationFrame(() => {
      const undo = document.querySelector('[data-testid=audit-undo]');
      if (undo instanceof HTMLElement) undo.focus();
    });
  };
  return h(
    'button',
    {
      type: 'button',
      class: 'secondary remedy',
      'data-key': `remedy ${key}`,
      'data-testid': `remedy-${finding.id}`,
      on: { click: () => void act() },
    },
    text,
  );
}

/**
 * @param {AppState} state
 * @param {Finding} finding
 * @param {import('../protocol.js').FindingRow} row
 */
function rowItem({ dataset, source }, finding, row) {
  const name = (/** @type {number} */ label) => dataset?.labels[label] ?? String(label);
  const { row: other, label: suggested, value } = detailOf(finding, row);
  return h(
    'li',
    {},
    h('span', { class: 'finding-row' }, number(row.row + 1)),
    row.text.trim()
      ? h('q', { lang: languageOf(row.text, source) }, row.text)
      : h('em', { class: 'note' }, t('audit.blank')),
    h(
      'span',
      { class: 'finding-labels' },
      labelBadge(name(row.label), row.label),
      suggested !== null && h('span', { class: 'note' }, '→'),
      suggested !== null && labelBadge(name(suggested), suggested),
      other !== null && h('span', { class: 'note' }, t('audit.see_row', { row: other + 1 })),
      value && h('span', { class: 'note' }, value),
    ),
  );
}

/** What the last button did, and the button that takes it back. @param {App} app */
function undoNotice(app) {
  const { store } = app;
  const element = h('div', { class: 'audit-undo', role: 'status' });
  let shown = '';
  store.watch(['audit', 'dataset', 'language'], (state) => {
    const { undo } = state.audit;
    const text = undo && canUndo(state) ? t('audit.done', { what: undo.text }) : '';
    if (text === shown) return;
    shown = text;
    const button = () =>
      h(
        'button',
        { type: 'button', class: 'secondary', 'data-testid': 'audit-undo', on: { click: () => void undoRemedy(app) } },
        t('audit.undo'),
      );
    replace(element, text && h('div', { class: 'notice' }, h('span', {}, text), button()));
  });
  return element;
}

/** The search for wrong labels and outliers, with its progress and a button that stops it. @param {App} app */
function labelSearch(app) {
  const { store, session } = app;
  const look = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'look-for-wrong-labels',
    i18n: 'audit.look',
    on: { click: () => void lookForWrongLabels(app) },
  });
  const stop = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'stop-looking',
    i18n: 'audit.stop',
    on: { click: () => void session.request({ type: 'control', action: 'stop' }) },
  });
  const bar = h('progress', {
    max: '1',
    'data-i18n-label': 'audit.looking_name',
    'aria-label': t('audit.looking_name'),
  });
  const note = h('span', { class: 'note' });
  const running = h('div', { class: 'actions', hidden: true }, bar, note, stop);
  const outcome = h('p', { class: 'note', role: 'status' });
  store.watch(['audit', 'dataset', 'busy', 'opened', 'fatal', 'language'], (state) => {
    const { looking, labels, labelsOf } = state.audit;
    setOff(look, isBlocked(state));
    const had = (looking ? look : stop) === document.activeElement;
    look.hidden = looking !== null;
    running.hidden = looking === null;
    if (had) (looking ? stop : look).focus();
    const share = looking && looking.total > 0 ? looking.done / looking.total : null;
    setAttribute(bar, 'value', share);
    setText(note, share === null ? t('audit.looking') : percent(share, 0));
    const isOf = labels !== null && labelsOf === state.dataset;
    setText(outcome, isOf && labels.findings.length === 0 ? t('audit.no_wrong_labels') : '');
  });
  return { element: h('div', { class: 'audit-search' }, look, running, outcome) };
}
