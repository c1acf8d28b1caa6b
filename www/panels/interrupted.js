// What the page says of runs that were interrupted, and of one that it has continued by itself.

import { discardInterrupted, refreshInterrupted } from '../interrupted.js';
import { h, replace, setOff } from '../dom.js';
import { bytes, t } from '../i18n.js';
import { notice } from '../components/notices.js';
import { isBlocked } from '../state.js';

/** @typedef {import('../app.js').App} App */
/** @typedef {import('../protocol.js').InterruptedRun} InterruptedRun */
/** @typedef {import('../state.js').AppState} AppState */

/**
 * @param {App} app
 * @param {HTMLElement} parent
 */
export function interruptedNotices(app, parent) {
  const { store } = app;
  const recovered = h('div', { role: 'status' });
  const list = h('div', {});
  parent.replaceChildren(recovered, list);
  store.watch(['recovered', 'opened', 'language'], (state) => replace(recovered, recoveredNotice(state)));
  store.watch(['interrupted', 'language'], ({ interrupted }) =>
    replace(list, ...interrupted.map((run) => interruptedNotice(app, run))),
  );
  store.watch(['busy', 'opened', 'fatal'], (state) => {
    for (const button of list.querySelectorAll('button')) setOff(button, isBlocked(state));
  });
  let hadFailed = false;
  store.watch(['stages', 'busy', 'opened'], ({ stages, busy, opened }) => {
    const hasFailed = stages.training.state === 'error';
    // A run that has failed can be continued.
    if (opened && !busy && hasFailed && !hadFailed) void refreshInterrupted(app);
    if (!busy) hadFailed = hasFailed;
  });
}

/**
 * @param {App} app
 * @param {InterruptedRun} run
 */
function interruptedNotice(app, run) {
  const { summary, problem } = run;
  const button = (/** @type {string} */ name, /** @type {() => void} */ click) =>
    h('button', {
      type: 'button',
      class: 'secondary',
      'data-testid': `interrupted-${name}`,
      i18n: `interrupted.${name}`,
      on: { click },
    });
  const resume = problem ? null : button('resume', () => void app.workflow.resume(run.id));
  const remove = button('remove', () => void discardInterrupted(app, run));
  for (const each of [resume, remove]) if (each) setOff(each, isBlocked(app.store.state));
  return notice(
    { role: 'status', 'data-testid': 'interrupted', 'data-run': run.id, 'data-step': summary?.step ?? 0 },
    h('p', {}, h('strong', { i18n: 'interrupted.title' }), ' ', sentence(run)),
    h('div', { class: 'actions' }, resume, remove),
  );
}

/** @param {InterruptedRun} run */
function sentence({ summary, problem }) {
  if (problem || !summary) return problem ?? '';
  const { model, dataset, source, num_rows, step, max_steps, device, bytes: size } = summary;
  const rows = dataset || t(`interrupted.source_${source}`);
  const params = { model, rows, num_rows, step, max_steps, device, size: bytes(size) };
  return t(step > 0 ? 'interrupted.at_step' : 'interrupted.at_start', params);
}

/** @param {AppState} state */
function recoveredNotice({ recovered, opened }) {
  if (!recovered) return null;
  const { step, from, error } = recovered;
  const device = opened?.device.name ?? '';
  const text = from === null ? t('recovered.opening', { step }) : t('recovered.done', { step, from, device });
  return notice(
    { 'data-testid': 'recovered', 'data-from': from ?? '' },
    h('p', {}, text),
    h('p', { class: 'note' }, h('span', { lang: 'en' }, error.message)),
  );
}
