// The comparison of every gradient with the CPU's, in the details of the self-test, and the largest deviations.

import { alert } from '../components/notices.js';
import { compareDevice } from '../requests.js';
import { h, replace, setAttribute, setOff, setText } from '../dom.js';
import { duration, number, t } from '../i18n.js';
import { isBlocked } from '../state.js';

const WORST_SHOWN = 8;

/**
 * @param {import('../app.js').App} app
 * @param {HTMLElement} place
 */
export function comparisonPanel(app, place) {
  const { store } = app;
  const button = h('button', {
    type: 'button',
    class: 'secondary',
    'data-testid': 'compare',
    on: { click: () => void compareDevice(app) },
  });
  const status = h('p', { role: 'status', 'data-testid': 'comparison' });
  const list = h('div', { class: 'scroll' });
  const problem = h('div', { class: 'problem' });
  place.append(h('p', { i18n: 'self_test.compare_about' }), button, status, problem, list);

  store.watch(['busy', 'comparison', 'opened', 'fatal', 'language'], (state) => {
    const { comparison } = state;
    setText(button, t(comparison.kind === 'running' ? 'self_test.comparing' : 'self_test.compare'));
    // `disabled` would move the keyboard's focus out of the details, which then could not be closed with Escape.
    setOff(button, isBlocked(state));
  });
  store.watch(['comparison', 'language'], ({ comparison }) => {
    const result = comparison.kind === 'done' ? comparison.result : null;
    replace(problem, comparison.kind === 'failed' && alert(comparison.error));
    setAttribute(status, 'data-passed', result ? String(result.passed) : null);
    setText(status, comparison.kind === 'running' ? t('self_test.comparing') : result ? summary(result) : '');
    replace(list, result && worst(result));
  });
}

/** @param {import('../protocol.js').SelfTest} comparison */
function summary({ passed, checks, ms }) {
  const failed = checks.filter((check) => !check.passed).length;
  const time = duration(ms / 1000);
  return passed
    ? t('self_test.compared', { count: checks.length, time })
    : t('self_test.compared_failed', { count: checks.length, failed, time });
}

/** @param {import('../protocol.js').SelfTest} comparison */
function worst({ checks }) {
  const sorted = [...checks]
    .sort((a, b) => b.deviation / b.tolerance - a.deviation / a.tolerance)
    .slice(0, WORST_SHOWN);
  const rows = sorted.map(({ name, deviation, tolerance, passed }) =>
    h(
      'tr',
      { class: passed ? '' : 'failed' },
      h('th', { scope: 'row', lang: 'en' }, breakable(name)),
      h('td', { class: 'number' }, number(deviation)),
      h('td', { class: 'number' }, number(tolerance)),
      h('td', {}, t(passed ? 'self_test.ok' : 'self_test.differs')),
    ),
  );
  const heads = ['check', 'deviation', 'tolerance', 'result'].map((name) =>
    h('th', { scope: 'col' }, t(`self_test.${name}`)),
  );
  return h(
    'table',
    { class: 'compact', 'data-testid': 'worst' },
    h('caption', { class: 'note' }, t('self_test.worst')),
    h('thead', {}, h('tr', {}, ...heads)),
    h('tbody', {}, ...rows),
  );
}

/** Allows line breaks after the dots of a parameter's name. @param {string} name */
function breakable(name) {
  return h('span', {}, ...name.split(/(?<=[._])/).flatMap((part) => [part, h('wbr')]));
}
