// Try it: classifies a sentence with the model as it was loaded and as it is now.

import { labelName } from '../components/labels.js';
import { answersOwn } from '../components/model-notices.js';
import { placeholder } from '../components/notices.js';
import { probabilityBars } from '../components/probability-bars.js';
import { MODEL_TITLES, predictedBy } from '../prediction.js';
import { panelParts, sideFoot, stageButton } from './widgets.js';
import { languageOfLetters } from '../data/language.js';
import { h, replace, setOff } from '../dom.js';
import { t } from '../i18n.js';

const EXAMPLES = ['try.first_sentence', 'try.example_2', 'try.example_3', 'try.example_4', 'try.example_5'];
/** During training the sentence is classified again, but no more often than this. */
const WATCH_EVERY_MS = 1000;

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../state.js').Store<AppState>} AppStore */

/** @param {import('../app.js').App} app */
export function tryItPanel(app) {
  const { store, workflow } = app;
  const { side, main } = panelParts('try');
  const { button, row, problem } = stageButton(app, 'try');
  button.remove();

  let requestedAt = 0;
  function classify() {
    if (store.state.fatal || !store.state.opened || store.state.sentence.trim() === '') return;
    // While stages run, only a training run answers in between.
    if (store.state.busy && store.state.run.kind !== 'running') return;
    requestedAt = performance.now();
    void workflow.predict();
  }
  const result = h('div', { class: 'try-result' });
  side.append(sentenceForm(store, classify), examples(store, classify), sideFoot(row));
  main.append(problem, result);

  store.watch(['logs'], ({ run, opened, stages, prediction }) => {
    // On a GPU a sentence takes little time compared with a step. Elsewhere it would slow the run down.
    const cheap = opened?.device.kind === 'webgpu' && !opened.device.software;
    const due = performance.now() - requestedAt > WATCH_EVERY_MS;
    if (cheap && due && run.kind === 'running' && prediction && stages.try.state !== 'running') classify();
  });
  store.watch(['prediction', 'dataset', 'model', 'head', 'run', 'language'], (state) => {
    replace(result, ...(state.prediction ? outcomes(state, state.prediction) : [placeholder('try.placeholder')]));
  });
}

/** @param {AppState} state */
const isOff = ({ busy, run, opened, fatal, stages }) =>
  !opened || fatal !== null || (busy && run.kind !== 'running') || stages.try.state === 'running';

/**
 * @param {AppStore} store
 * @param {() => void} classify
 */
function sentenceForm(store, classify) {
  const input = h('input', {
    id: 'try-sentence',
    type: 'text',
    class: 'sentence',
    autocomplete: 'off',
    'data-testid': 'try-input',
    lang: 'en',
    maxlength: '2000',
    on: { input: ({ target }) => store.update({ sentence: target.value }) },
  });
  const submit = h('button', { type: 'submit', class: 'secondary', 'data-testid': 'try-button', i18n: 'try.run' });
  store.watch(['sentence'], ({ sentence }) => {
    if (input.value !== sentence) input.value = sentence;
  });
  store.watch(['busy', 'run', 'opened', 'fatal', 'sentence', 'stages'], (state) => {
    setOff(submit, isOff(state) || state.sentence.trim() === '');
  });
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    classify();
  };
  return h(
    'form',
    { class: 'try-form', on: { submit: onSubmit } },
    h('label', { for: 'try-sentence', i18n: 'try.sentence' }),
    h('div', { class: 'try-row' }, input, submit),
  );
}

/**
 * @param {AppStore} store
 * @param {() => void} classify
 */
function examples(store, classify) {
  const buttons = EXAMPLES.map((key) => {
    const click = () => {
      store.update({ sentence: t(key) });
      classify();
    };
    return h('button', { type: 'button', class: 'example', lang: 'en', i18n: key, on: { click } });
  });
  store.watch(['busy', 'run', 'opened', 'fatal', 'stages'], (state) => {
    for (const button of buttons) setOff(button, isOff(state));
  });
  return h(
    'div',
    { class: 'examples', role: 'group', 'data-i18n-label': 'try.examples', 'aria-label': t('try.examples') },
    ...buttons,
  );
}

/**
 * The prediction of the model as it was loaded and of the model as it is now.
 * @param {AppState} state
 * @param {NonNullable<AppState['prediction']>} prediction
 */
function outcomes(state, prediction) {
  const { model } = state;
  const { text, result } = prediction;
  const { labels, before, after, tokens, truncated } = result;
  const own = answersOwn(model, state.head, after !== null);
  const beforeNote = t(own ? 'try.before_own' : 'try.before_note');
  const by = predictedBy(prediction, state);
  const untrained = () =>
    h(
      'div',
      { class: 'outcome missing', 'data-testid': 'try-after' },
      h('h2', {}, t('try.after')),
      h('p', { class: 'note' }, t('try.untrained')),
    );
  return [
    h('p', { class: 'quote', lang: languageOfLetters(text) }, text),
    h(
      'div',
      { class: 'compare' },
      outcome('try-before', t('try.before'), beforeNote, labels, before),
      after ? outcome('try-after', t(MODEL_TITLES[by]), t(`try.${by}_note`), labels, after) : untrained(),
    ),
    h(
      'p',
      { class: 'note token-line', lang: 'en' },
      tokens.join(' '),
      truncated && h('span', { class: 'tag' }, t('tokens.truncated')),
    ),
  ];
}

/**
 * @param {string} testId
 * @param {string} title
 * @param {string} note
 * @param {string[]} labels
 * @param {number[]} probabilities
 */
function outcome(testId, title, note, labels, probabilities) {
  const bars = probabilityBars();
  bars.show(labels.map(labelName), probabilities);
  return h(
    'div',
    { class: 'outcome', 'data-testid': testId, 'data-probabilities': JSON.stringify(probabilities) },
    h('h2', {}, title),
    bars.element,
    h('p', { class: 'note' }, note),
  );
}
