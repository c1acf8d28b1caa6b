// Teaching by examples, at the side: what to do, what is still missing, and the button that starts.

import { h, setOff, setText } from '../../dom.js';
import { number, t } from '../../i18n.js';
import { ENOUGH, missingExamples } from '../../data/teach.js';
import { isBlocked } from '../../state.js';

const FIRST_CLASSES = 2;

/**
 * @param {import('../../app.js').App} app
 * @param {import('./replacing.js').Replacing} guard
 */
export function cardsTool({ store, workflow }, guard) {
  const names = () => Array.from({ length: FIRST_CLASSES }, (_, id) => t('teach.class_name', { number: id + 1 }));
  const start = h('button', {
    type: 'button',
    class: 'secondary',
    i18n: 'teach.start',
    'data-testid': 'teach-start',
    on: { click: () => guard.ask(() => void begin()) },
  });
  const begin = async () => {
    if (!(await workflow.data.start(names()))) return;
    store.update({ pendingImport: null });
  };
  const missing = h('p', { class: 'teach-missing', role: 'status', 'data-testid': 'teach-missing' });
  store.watch(['busy', 'opened', 'fatal', 'dataset', 'language'], (state) => {
    const dataset = state.dataset;
    const started = dataset?.source === 'cards';
    setOff(start, isBlocked(state));
    start.hidden = started && dataset.num_rows === 0;
    setText(start, t(started ? 'teach.start_again' : 'teach.start'));
    setText(missing, started ? missingSentence(dataset) : '');
    missing.classList.toggle('enough', started && missingExamples(dataset).total === 0);
  });
  return h(
    'div',
    { class: 'tool', 'data-testid': 'cards-tool' },
    h('p', { class: 'note', i18n: 'teach.about' }),
    h('p', { class: 'note', i18n: 'teach.keys' }),
    missing,
    h('div', { class: 'actions' }, start),
  );
}

/** @param {import('../../protocol.js').DatasetView} dataset */
export function missingSentence(dataset) {
  const { classes, sentences, total } = missingExamples(dataset);
  if (total === 0) return t('teach.enough');
  const list = sentences.map(({ name, count }) => `${name}: ${number(count)}`).join(' · ');
  if (classes > 0) return t('teach.missing_classes', { classes: ENOUGH.classes, sentences: ENOUGH.sentences });
  return t('teach.missing', { list, sentences: ENOUGH.sentences });
}
