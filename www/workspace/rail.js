// The rail: a link to every view, with the mark of its stage and its outcome in a few words.

import { auditNote } from '../audit.js';
import { byId, h, setAttribute, setText } from '../dom.js';
import { number, percent, t } from '../i18n.js';
import { STAGES } from '../stages.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../stages.js').Stage} Stage */
/** @typedef {import('../views.js').View} View */
/** @typedef {{state: 'idle'|'running'|'done'|'error', stale: boolean}} Mark */

/** @type {(keyof AppState)[]} */
const WATCHED = [
  'stages',
  'language',
  'dataset',
  'split',
  'model',
  'tokens',
  'logs',
  'evaluations',
  'archive',
  'audit',
];

/** @param {import('../state.js').Store<AppState>} store */
export function rail(store) {
  const items = STAGES.map((stage) => ({ view: stage, show: item(stage) }));
  const exported = item('export');
  const problems = auditLine();
  store.watch(WATCHED, (state) => {
    for (const { view, show } of items) show(state.stages[view], note(state, view));
    setText(problems, auditNote(state));
    exported(exportMark(state), '');
  });
}

/**
 * Adds what a link of index.html lacks: the outcome, and the mark for a screen reader.
 * @param {View} view
 */
function item(view) {
  const link = byId('rail').querySelector(`a[href="#${view}"]`);
  const element = link?.parentElement;
  const text = link?.querySelector('.rail-text');
  if (!link || !element || !text) throw new Error(`the rail of index.html has no link to ${view}`);
  const outcome = h('span', { class: 'rail-note' });
  const spoken = h('span', { class: 'visually-hidden' });
  text.append(outcome);
  link.append(spoken);
  return (/** @type {Mark} */ { state, stale }, /** @type {string} */ words) => {
    setAttribute(element, 'data-state', state);
    setAttribute(element, 'data-stale', stale ? 'true' : null);
    setText(outcome, state === 'done' || state === 'running' ? words : '');
    setText(spoken, `${t(`stage.${state}`)}${stale ? `. ${t('stage.stale')}` : ''}`);
  };
}

/** The line below the outcome of the dataset that says how many problems its audit has found. */
function auditLine() {
  const element = h('span', { class: 'rail-note', 'data-testid': 'rail-audit' });
  byId('rail').querySelector('a[href="#dataset"] .rail-text')?.append(element);
  return element;
}

/** An archive is never stale: it is dropped with its model. @param {AppState} state @returns {Mark} */
function exportMark({ archive }) {
  const states = /** @type {const} */ ({
    idle: 'idle',
    writing: 'running',
    done: 'done',
    stopped: 'idle',
    failed: 'error',
  });
  return { state: states[archive.kind], stale: false };
}

/**
 * The outcome of a stage in a few words.
 * @param {AppState} state
 * @param {Stage} stage
 */
function note({ dataset, split, model, tokens, logs, evaluations }, stage) {
  const compact = { notation: /** @type {const} */ ('compact'), maximumSignificantDigits: 3 };
  switch (stage) {
    case 'dataset':
      return dataset ? t('dataset.note', { rows: dataset.num_rows }) : '';
    case 'split':
      return split ? `${number(split.train_rows)} + ${number(split.test_rows)}` : '';
    case 'model':
      return model ? t('model.note', { parameters: number(model.parameters, compact) }) : '';
    case 'tokens':
      return tokens ? t('tokens.note', { longest: tokens.longest }) : '';
    case 'training': {
      const { last } = logs;
      return last ? t('training.note', { loss: number(last.loss, { maximumFractionDigits: 3 }) }) : '';
    }
    case 'evaluation': {
      const last = evaluations.at(-1);
      return last ? percent(last.eval_accuracy) : '';
    }
    case 'try':
      return '';
  }
}
