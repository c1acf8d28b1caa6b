// When a tab is not enough: who should run train.py on another computer, the time here against there, the commands.
//
// The time there is a lower limit, not a prediction: the matrix products of the run at the peak of one GPU that is free
// to use in notebooks, from published specifications.

import { codeBlock } from './code-block.js';
import { rememberParts, toggled } from '../export/parts.js';
import { COMMANDS } from '../export/code.js';
import { h, setText } from '../dom.js';
import { roughTime } from '../facts.js';
import { t } from '../i18n.js';

/** NVIDIA T4, single precision, as its specifications are published. */
export const PEAK = { name: 'NVIDIA T4', operations_per_second: 8.1e12 };
/** Shorter runs end on a GPU before Python has loaded the libraries. */
const SHORT_MS = 1000;

/** @param {import('../app.js').App} app */
export function elsewhere({ store, settings, times }) {
  const here = h('p', { 'data-testid': 'time-here' });
  const there = h('p', { class: 'note', 'data-testid': 'time-there' });
  const commands = codeBlock({ title: 'elsewhere.commands', about: 'elsewhere.commands_about', testId: 'commands' });
  commands.show(COMMANDS);
  const add = h('button', {
    type: 'button',
    class: 'quiet',
    'data-testid': 'add-scripts',
    i18n: 'elsewhere.add',
    on: {
      click: () => {
        const exportParts = toggled(store.state.exportParts, 'scripts', true);
        rememberParts(exportParts);
        store.update({ exportParts });
        // The button goes away with its press.
        document.getElementById('export-part-scripts')?.focus();
      },
    },
  });
  const show = () => {
    const [shownHere, shownThere] = sentences(times.estimate()?.ms ?? null, times.operations());
    setText(here, shownHere);
    setText(there, shownThere);
  };
  store.watch(['view', 'busy', 'plan', 'split', 'model', 'tokens', 'run', 'opened', 'language'], ({ view, run }) => {
    // A step of a run changes nothing here.
    if (view === 'export' && run.kind !== 'running') show();
  });
  settings.subscribe(show);
  store.watch(['exportParts', 'exportPlan'], ({ exportParts, exportPlan }) => {
    const offered = exportPlan?.parts.find(({ part }) => part === 'scripts');
    add.hidden = exportParts.includes('scripts') || offered?.unavailable !== null;
  });
  return h(
    'section',
    { class: 'elsewhere', 'aria-labelledby': 'elsewhere-title' },
    h(
      'div',
      { class: 'elsewhere-text' },
      h('h2', { id: 'elsewhere-title', i18n: 'elsewhere.title' }),
      h('p', { i18n: 'elsewhere.about' }),
      here,
      there,
      add,
    ),
    commands.element,
  );
}

/**
 * What is known of the time here and there.
 * @param {number|null} ms          of the run in this tab
 * @param {number|null} operations  of the run, at least
 * @returns {[string, string]}
 */
export function sentences(ms, operations) {
  const here = ms === null ? t('elsewhere.here_unknown') : t('elsewhere.here', { time: roughTime(ms) });
  if (operations === null) return [here, t('elsewhere.there_unknown')];
  const least = (operations / PEAK.operations_per_second) * 1000;
  const name = PEAK.name;
  if (least < SHORT_MS) return [here, t('elsewhere.there_short', { name })];
  return [here, t('elsewhere.there', { name, time: roughTime(least) })];
}
