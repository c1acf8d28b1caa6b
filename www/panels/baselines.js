// What fine-tuning adds: the baselines and the model on the same test rows, with 95 % intervals.

import { BASELINES } from '../charts/accuracy.js';
import { comparable, embed, gain, scores, stopEmbedding } from '../baselines.js';
import { scrollable } from '../components/scrollable.js';
import { h, replace, setOff, setText } from '../dom.js';
import { number, percent, t } from '../i18n.js';
import { lastOfTest } from '../reports.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../baselines.js').Score} Score */
/** @typedef {import('../reports.js').EvaluationReport} EvaluationReport */
/** @typedef {import('../state.js').AppState} AppState */

/**
 * The comparison for the evaluation view: a sentence, and the table.
 * @param {App} app
 * @param {(state: AppState) => EvaluationReport|undefined} reportOf  the evaluation that is shown
 */
export function whatItAdds(app, reportOf) {
  const { store } = app;
  const sentence = h('p', { class: 'gain', 'data-testid': 'gain' });
  const result = h('div', {});
  const compute = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'embed-baseline',
    i18n: 'baselines.embed',
    on: { click: () => void embed(app) },
  });
  const stop = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'stop-embedding',
    i18n: 'audit.stop',
    on: { click: () => void stopEmbedding(app) },
  });
  const progress = h('span', { class: 'note' });
  const actions = h('div', { class: 'actions' }, compute, progress, stop);
  const problem = h('div', {});
  const element = h(
    'section',
    { class: 'baselines', 'aria-labelledby': 'baselines-title', 'data-testid': 'baselines' },
    h('h2', { id: 'baselines-title', i18n: 'baselines.title' }),
    result,
    problem,
    actions,
  );
  store.watch(['baselines', 'split', 'evaluations', 'shownEvaluation', 'language'], (state) => {
    const report = reportOf(state);
    const baselines = comparable(state, report);
    const { embedding, error } = state.baselines;
    element.hidden = baselines.length === 0 && embedding === null && error === null;
    replace(result, report ? compared(report, baselines) : table(baselines.map(withoutInterval), null));
    setText(sentence, report ? gainText(report, baselines) : '');
    sentence.hidden = sentence.textContent === '';
    replace(problem, error && h('p', { class: 'note', lang: 'en' }, error.message));
  });
  store.watch(['baselines', 'busy', 'opened', 'fatal', 'language'], (state) => {
    const { embedding, missing } = state.baselines;
    const had = (embedding ? compute : stop) === document.activeElement;
    compute.hidden = embedding !== null || !missing;
    stop.hidden = embedding === null;
    if (had && embedding) stop.focus();
    setOff(compute, isBlocked(state));
    const share = embedding && embedding.total > 0 ? embedding.done / embedding.total : 0;
    setText(progress, embedding ? t('baselines.embedding', { share: percent(share, 0) }) : '');
    actions.hidden = compute.hidden && stop.hidden;
  });
  return { sentence, element };
}

/**
 * @param {EvaluationReport} report
 * @param {import('../protocol.js').BaselineView[]} baselines
 */
function compared(report, baselines) {
  const found = scores(baselines, report);
  return h(
    'div',
    { class: 'compared' },
    table(found.baselines, found.model, report.step > 0),
    h('p', { class: 'note' }, t('baselines.interval_about', { rows: found.rows })),
  );
}

/**
 * What fine-tuning adds in a sentence. An untrained model shows nothing about it.
 * @param {EvaluationReport} report
 * @param {import('../protocol.js').BaselineView[]} baselines
 */
function gainText(report, baselines) {
  const { rows, ...found } = scores(baselines, report);
  const gained = report.step > 0 ? gain({ rows, ...found }) : null;
  if (!gained) return '';
  const { best, difference, apart } = gained;
  const points = number(Math.abs(difference) * 100, { maximumFractionDigits: 1 });
  const key = difference > 0 ? 'more' : difference < 0 ? 'fewer' : 'same';
  const sentence = t(`baselines.gain_${key}`, { points, name: t(`baselines.name.${best.id}`) });
  return apart || difference === 0 ? sentence : `${sentence} ${t('baselines.may_be_chance', { rows })}`;
}

/** @param {import('../protocol.js').BaselineView} baseline @returns {Score} */
const withoutInterval = ({ id, eval_accuracy, macro_f1 }) => ({
  id,
  accuracy: eval_accuracy,
  interval: [NaN, NaN],
  macro_f1,
});

/**
 * @param {Score[]} baselines
 * @param {Score|null} model
 * @param {boolean} [isTrained]
 */
function table(baselines, model, isTrained = true) {
  const heads = ['baselines.classifier', 'evaluation.accuracy', 'baselines.interval', 'evaluation.f1_macro'];
  const order = (/** @type {Score} */ { id }) => BASELINES.findIndex((known) => known === id);
  const rows = baselines
    .toSorted((a, b) => order(a) - order(b))
    .map((score) => row(score, `baselines.name.${score.id}`));
  if (model) rows.push(row(model, isTrained ? 'baselines.name.model' : 'baselines.name.untrained', 'total'));
  return scrollable(
    h(
      'table',
      { class: 'compact' },
      h('thead', {}, h('tr', {}, ...heads.map((key, at) => head(key, at > 0)))),
      h('tbody', {}, ...rows),
    ),
  );
}

/** @param {string} key @param {boolean} isNumber */
const head = (key, isNumber) => h('th', { scope: 'col', class: isNumber ? 'number' : null }, t(key));

/**
 * @param {Score} score
 * @param {string} name  i18n key
 * @param {string} [kind]
 */
function row({ id, accuracy, interval: [low, high], macro_f1 }, name, kind = '') {
  const interval = Number.isFinite(low)
    ? t('baselines.interval_value', { low: percent(low), high: percent(high) })
    : '–';
  return h(
    'tr',
    { class: kind, 'data-id': id, 'data-accuracy': accuracy },
    h('th', { scope: 'row' }, t(name)),
    h('td', { class: 'number' }, percent(accuracy)),
    h('td', { class: 'number' }, interval),
    h('td', { class: 'number' }, number(macro_f1, { minimumFractionDigits: 2, maximumFractionDigits: 3 })),
  );
}

/**
 * The accuracy chart as a table: each evaluation, and the baselines.
 * @param {App['store']} store
 */
export function accuracyTable(store) {
  const body = h('div', {});
  const element = h(
    'details',
    { class: 'fold chart-table', 'data-testid': 'accuracy-table' },
    h('summary', { i18n: 'baselines.table' }),
    body,
  );
  store.watch(['evaluations', 'baselines', 'split', 'language'], (state) => {
    const evaluations = state.evaluations.filter(({ step }) => step > 0);
    const baselines = comparable(state, lastOfTest(state.evaluations));
    element.hidden = evaluations.length + baselines.length === 0;
    const line = (/** @type {string} */ name, /** @type {number} */ accuracy) =>
      h('tr', {}, h('th', { scope: 'row' }, name), h('td', { class: 'number' }, percent(accuracy)));
    replace(
      body,
      h(
        'table',
        { class: 'compact' },
        h('thead', {}, h('tr', {}, head('baselines.classifier', false), head('evaluation.accuracy', true))),
        h(
          'tbody',
          {},
          ...baselines.map(({ id, eval_accuracy }) => line(t(`baselines.name.${id}`), eval_accuracy)),
          ...evaluations.map(({ step, part, eval_accuracy }) =>
            line(
              t(part === 'validation' ? 'baselines.validation_at_step' : 'baselines.at_step', { step }),
              eval_accuracy,
            ),
          ),
        ),
      ),
    );
  });
  return element;
}
