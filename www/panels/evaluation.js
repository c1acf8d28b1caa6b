// Evaluation: the metrics on the test rows, the misclassified rows, and the metrics of each epoch.

import { whatItAdds } from './baselines.js';
import { pages } from '../components/pages.js';
import { figures } from '../components/figures.js';
import { labelBadge, labelName, swatch } from '../components/labels.js';
import { callout, notice, placeholder } from '../components/notices.js';
import { scrollable } from '../components/scrollable.js';
import { fold } from '../components/fold.js';
import { panelParts, sideFoot, stageButton } from './widgets.js';
import { languageOfLetters } from '../data/language.js';
import { h, replace, setText } from '../dom.js';
import { duration, number, percent, t } from '../i18n.js';
import { majorityNotBeaten } from '../majority.js';
import { hasValidation, keyOf } from '../reports.js';
import { runResult, runningRun } from '../state.js';

/** @typedef {import('../reports.js').EvaluationReport} EvaluationReport */
/** @typedef {import('../state.js').AppState} AppState */

const ROWS_PER_PAGE = 8;
const EVALUATIONS_PER_PAGE = 10;

/** @param {import('../app.js').App} app */
export function evaluationPanel(app) {
  const { store } = app;
  const { head, side, main } = panelParts('evaluation');
  const { row, problem } = stageButton(app, 'evaluation');
  head.append(fold(store, 'teach-only', 'fold.explain', callout('evaluation.callout')));
  const progress = h('p', { class: 'note' });
  const latest = h('div', {});
  const warning = h('div', {});
  const wrongTitle = h('h2', {});
  const wrong = pages({
    size: ROWS_PER_PAGE,
    label: 'evaluation.pages',
    load: (from, to) => shown(store.state)?.misclassified.slice(from, to) ?? [],
    render: (rows) => misclassified(rows, shown(store.state)),
  });
  const wrongNote = h('p', { class: 'note' });
  const reports = pages({
    size: EVALUATIONS_PER_PAGE,
    label: 'evaluation.history_pages',
    load: (from, to) => store.state.evaluations.slice(from, to),
    render: (rows) => evaluations(rows, store.state, (key) => store.update({ shownEvaluation: key })),
  });
  const runSummaryPlace = h('div', {});
  const history = h('div', {}, h('h2', { i18n: 'evaluation.history' }), reports.element);
  const summary = fold(store, 'expert', 'evaluation.summary', runSummaryPlace);
  side.append(history, summary, sideFoot(row));
  const added = whatItAdds(app, shown);
  main.append(problem, progress, warning, added.sentence, latest, added.element, wrongTitle, wrong.element, wrongNote);

  store.watch(['stages', 'run', 'language'], (state) => setText(progress, progressText(state)));
  store.watch(['evaluations', 'shownEvaluation', 'language'], (state) => {
    const report = shown(state);
    replace(latest, ...(report ? details(report) : [placeholder('evaluation.placeholder')]));
    const [wrongRows, shownRows] = [report?.num_misclassified ?? 0, report?.misclassified.length ?? 0];
    const title = wrongRows > 0 ? 'evaluation.wrong' : 'evaluation.none_wrong';
    setText(wrongTitle, report ? t(title, { count: wrongRows }) : '');
    setText(wrongNote, shownRows < wrongRows ? t('evaluation.wrong_first', { count: shownRows }) : '');
    wrong.element.hidden = wrongRows === 0;
    wrong.show(shownRows, report);
    history.hidden = state.evaluations.length === 0;
    reports.show(state.evaluations.length, state.evaluations, { follow: true });
  });
  let noted = '';
  store.watch(['evaluations', 'shownEvaluation', 'run', 'language'], (state) => {
    const text = majorityNotice(state);
    // An equal notice keeps its element, because a new one would be announced again.
    if (text !== noted) replace(warning, text && notice({ role: 'status', 'data-testid': 'no-better' }, text));
    noted = text;
  });
  store.watch(['run', 'language'], (state) => {
    const result = runResult(state);
    summary.hidden = result === null;
    replace(runSummaryPlace, result && runSummary(result));
  });
}

/** @param {AppState} state */
const shown = ({ evaluations, shownEvaluation }) =>
  evaluations.find((report) => keyOf(report) === shownEvaluation) ?? evaluations.at(-1);

/** @param {AppState} state */
function progressText(state) {
  if (state.stages.evaluation.state !== 'running') return '';
  const run = runningRun(state);
  if (run?.evaluating) return t('now.evaluating', run.evaluating);
  return t(run ? 'evaluation.more_follow' : 'now.evaluation');
}

/**
 * The notice that a trained model is no better than the most frequent class, or nothing. A run in progress may still
 * become better.
 * @param {AppState} state
 */
function majorityNotice(state) {
  const report = shown(state);
  const majority = report && report.step > 0 && !runningRun(state) ? majorityNotBeaten(report) : null;
  if (!report || !majority) return '';
  return t('evaluation.no_better', {
    accuracy: percent(report.eval_accuracy),
    share: percent(majority.share),
    label: labelName(report.classes[majority.label]?.label ?? String(majority.label)),
  });
}

/** @param {EvaluationReport} report */
function details(report) {
  const epoch = number(report.epoch, { maximumFractionDigits: 2 });
  return [
    figures([
      {
        label: t('evaluation.accuracy'),
        value: percent(report.eval_accuracy),
        attributes: { class: 'big', 'data-testid': 'eval-accuracy', 'data-value': report.eval_accuracy },
      },
      {
        label: t('evaluation.loss'),
        value: number(report.eval_loss),
        attributes: { 'data-testid': 'eval-loss', 'data-value': report.eval_loss },
      },
      {
        label: t(report.part === 'validation' ? 'evaluation.at_validation' : 'evaluation.at'),
        value: t('evaluation.at_step', { epoch, step: report.step }),
      },
      {
        label: t('evaluation.runtime'),
        value: t('evaluation.runtime_value', {
          time: duration(report.eval_runtime),
          rate: number(report.eval_samples_per_second, { maximumFractionDigits: 1 }),
        }),
      },
    ]),
    h(
      'div',
      { class: 'two' },
      h('div', {}, h('h2', {}, t('evaluation.confusion')), confusion(report)),
      h('div', {}, h('h2', {}, t('evaluation.by_class')), classTable(report)),
    ),
  ];
}

/**
 * The metrics of each class and their macro average.
 * @param {EvaluationReport} report
 */
function classTable({ classes, macro }) {
  const heads = ['class', 'precision', 'recall', 'f1', 'support'].map((name) =>
    h('th', { scope: 'col', class: name === 'class' ? null : 'number' }, t(`evaluation.${name}`)),
  );
  const metric = (/** @type {number} */ value) =>
    h('td', { class: 'number' }, number(value, { minimumFractionDigits: 2, maximumFractionDigits: 3 }));
  const metrics = (/** @type {typeof macro} */ { precision, recall, f1 }, /** @type {number} */ support) => [
    metric(precision),
    metric(recall),
    metric(f1),
    h('td', { class: 'number' }, number(support)),
  ];
  const rows = classes.map((entry, id) =>
    h('tr', {}, h('th', { scope: 'row' }, labelBadge(entry.label, id)), ...metrics(entry, entry.support)),
  );
  const support = classes.reduce((sum, entry) => sum + entry.support, 0);
  const total = h(
    'tr',
    { class: 'total' },
    h('th', { scope: 'row' }, t('evaluation.macro')),
    ...metrics(macro, support),
  );
  return scrollable(
    h('table', { class: 'compact' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows, total)),
  );
}

/**
 * Rows are true labels, columns are predictions. The shading is the share of the row.
 * @param {EvaluationReport} report
 */
function confusion({ confusion: counts, classes }) {
  const names = classes.map(({ label }) => labelName(label));
  const heads = names.map((name, id) => h('th', { scope: 'col' }, swatch(id), name));
  const rows = counts.map((row, label) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const cells = row.map((count, predicted) => {
      const share = total > 0 ? count / total : 0;
      return h(
        'td',
        { class: label === predicted ? 'right' : 'wrong', style: { '--share': share.toFixed(3) }, 'data-count': count },
        number(count),
      );
    });
    return h('tr', {}, h('th', { scope: 'row' }, swatch(label), names[label] ?? ''), ...cells);
  });
  return scrollable(
    h(
      'table',
      { class: 'confusion', 'data-testid': 'confusion' },
      h('caption', { class: 'note' }, t('evaluation.confusion_about')),
      h('thead', {}, h('tr', {}, h('td', {}), ...heads)),
      h('tbody', {}, ...rows),
    ),
  );
}

/**
 * @param {EvaluationReport['misclassified']} page
 * @param {EvaluationReport|undefined} report
 */
function misclassified(page, report) {
  const name = (/** @type {number} */ id) => report?.classes[id]?.label ?? String(id);
  const heads = [
    'dataset.row',
    'dataset.text',
    'evaluation.true',
    'evaluation.predicted',
    'evaluation.probabilities',
  ].map((key) => h('th', { scope: 'col' }, t(key)));
  const rows = page.map(({ row, text, label, predicted, probabilities }) =>
    h(
      'tr',
      {},
      h('td', { class: 'number' }, number(row + 1)),
      h('td', { lang: languageOfLetters(text) }, text),
      h('td', {}, labelBadge(name(label), label)),
      h('td', {}, labelBadge(name(predicted), predicted)),
      h('td', { class: 'number' }, probabilities.map((probability) => percent(probability)).join(' / ')),
    ),
  );
  return scrollable(h('table', { class: 'rows' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows)));
}

/**
 * Evaluations of the run, with a button that shows each of them in full.
 * @param {EvaluationReport[]} page
 * @param {AppState} state
 * @param {(key: string) => void} choose
 */
function evaluations(page, state, choose) {
  const current = shown(state);
  // Where some are of validation rows, each says whose it is.
  const isHeldOut = hasValidation(state.evaluations);
  const heads = ['epoch', 'loss', 'accuracy', 'f1_macro'].map((name) =>
    h('th', { scope: 'col', class: 'number' }, t(`evaluation.${name}`)),
  );
  const rows = page.map((report) =>
    h(
      'tr',
      { class: report === current ? 'current' : '' },
      h(
        'th',
        { scope: 'row', class: 'number' },
        h(
          'button',
          {
            type: 'button',
            class: 'quiet',
            'aria-pressed': String(report === current),
            'aria-label': t('evaluation.show', { epoch: report.epoch }),
            'data-key': keyOf(report),
            on: { click: () => choose(keyOf(report)) },
          },
          number(report.epoch, { maximumFractionDigits: 2 }),
        ),
        isHeldOut && h('span', { class: 'note part' }, t(`evaluation.part_${report.part}`)),
      ),
      h('td', { class: 'number' }, number(report.eval_loss)),
      h('td', { class: 'number' }, percent(report.eval_accuracy)),
      h('td', { class: 'number' }, number(report.macro.f1, { maximumFractionDigits: 3 })),
    ),
  );
  return scrollable(
    h(
      'table',
      { class: 'compact', 'data-testid': 'evaluations' },
      h('thead', {}, h('tr', {}, ...heads)),
      h('tbody', {}, ...rows),
    ),
  );
}

/**
 * The summary of the run under the names of transformers' Trainer.
 * @param {import('../protocol.js').TrainResult} result
 */
function runSummary(result) {
  const names = /** @type {const} */ ([
    'train_loss',
    'train_runtime',
    'train_samples_per_second',
    'train_steps_per_second',
    'global_step',
    'epoch',
  ]);
  const rows = names.map((name) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('code', {}, name)),
      h('td', { class: 'number', 'data-name': name, 'data-value': result[name] }, number(result[name])),
    ),
  );
  const { best } = result;
  for (const name of /** @type {const} */ (['best_step', 'best_metric'])) {
    if (!best) break;
    const attributes = { class: 'number', 'data-name': name, 'data-value': best[name] };
    rows.push(h('tr', {}, h('th', { scope: 'row' }, h('code', {}, name)), h('td', attributes, number(best[name]))));
  }
  rows.push(
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, t('evaluation.first_step')),
      h(
        'td',
        { class: 'number', 'data-name': 'first_step_ms', 'data-value': result.first_step_ms },
        duration(result.first_step_ms / 1000),
      ),
    ),
  );
  return h(
    'div',
    { 'data-testid': 'summary', 'data-stopped': String(result.stopped) },
    result.stopped &&
      h('p', { class: 'note' }, t('now.stopped', { step: result.global_step, max_steps: result.max_steps })),
    scrollable(h('table', { class: 'compact' }, h('tbody', {}, ...rows))),
  );
}
