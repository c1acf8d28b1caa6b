// The overview: the whole job on one screen. Until the visitor's own run begins, it plays a recorded one.

import { deviceNotice } from './header.js';
import { figures } from '../components/figures.js';
import { labelBadge, labelName } from '../components/labels.js';
import { probabilityBars } from '../components/probability-bars.js';
import { spark } from '../charts/spark.js';
import { languageOf } from '../data/language.js';
import { h, replace, setAttribute, setText, throttled } from '../dom.js';
import { day } from '../facts.js';
import { number, percent, t } from '../i18n.js';
import { MODEL_TITLES, predictedBy } from '../prediction.js';
import { Player } from '../recording/player.js';
import { highestLoss, loadRecording } from '../recording/recording.js';
import { ofEpochs } from '../reports.js';

/** @typedef {import('../state.js').AppState} AppState */
/** @typedef {import('../state.js').Store<AppState>} AppStore */
/** @typedef {import('../recording/recording.js').Recording} Recording */
/** @typedef {import('../recording/recording.js').Frame} Frame */

/**
 * What the chart and its figures show, of a recording or of the visitor's run.
 * @typedef {object} Shown
 * @property {[number, number][]} points      step and loss
 * @property {[number, number][]} marks       step and loss of the evaluations
 * @property {number} step
 * @property {number} max_steps
 * @property {number|null} loss
 * @property {number|null} accuracy
 */

/** The chart of a run is redrawn no more often than this. */
const DRAW_EVERY_MS = 200;
/** The state that is drawn in place of the recording. @type {(keyof AppState)[]} */
const WATCHED = ['view', 'run', 'logs', 'evaluations', 'prediction', 'sentence', 'stages', 'language'];

/**
 * Needs only the store. `connect` adds what the worker's session knows.
 * @param {AppStore} store
 */
export function overviewPanel(store) {
  const main = document.querySelector('#overview > .panel-main');
  if (!main) throw new Error('index.html has no panel #overview');
  const examples = examplesCard(store);
  const training = trainingCard(store);
  const classifier = classifierCard(store);
  const notice = h('div', { class: 'overview-notice' });
  main.append(h('div', { class: 'story' }, training.element, examples.element, classifier.element), notice);
  store.watch(['opened', 'language'], (state) => replace(notice, deviceNotice(state)));

  const recorded = playRecording(store, (recording, frame) => {
    training.show(shownOf(frame), { recording });
    classifier.show(recording.sentence.text, recording.labels, frame.probabilities, 'overview.so_far');
  });
  const showHeld = () => {
    const key = recorded.held ? 'recording.resume' : 'recording.hold';
    setAttribute(training.pause, 'aria-label', t(key));
    setText(training.pause, recorded.held ? '▶' : '❚❚');
  };
  training.pause.addEventListener('click', () => {
    recorded.toggle();
    showHeld();
  });
  store.watch(['language'], showHeld);
  const draw = throttled(() => {
    training.show(shownOfRun(store.state), { recording: null });
    classifier.showState();
  }, DRAW_EVERY_MS);
  store.watch(WATCHED, ({ run, prediction, view }) => {
    if (run.kind === 'idle' && !prediction) return;
    recorded.stop();
    // Hidden, it is drawn when it is shown again.
    if (view === 'overview') draw();
  });
  return { connect: examples.connect };
}

/**
 * Plays the recording in view, until it is stopped.
 * @param {AppStore} store
 * @param {(recording: Recording, frame: Frame) => void} show
 */
function playRecording(store, show) {
  /** @type {Player|null} */
  let player = null;
  let ended = false;
  let held = false;
  loadRecording().then(
    (recording) => {
      if (ended) return;
      const started = new Player(recording, (frame) => show(recording, frame));
      player = started;
      started.start();
      store.watch(['view'], ({ view }) => {
        if (ended || held) return;
        if (view === 'overview') started.resume();
        else started.hold();
      });
    },
    // Without the recording the cards wait for the visitor's own run.
    () => {},
  );
  return {
    stop() {
      ended = true;
      player?.stop();
    },
    /** Whether the visitor holds it. */
    get held() {
      return held;
    },
    toggle() {
      held = !held;
      if (held) player?.hold();
      else player?.resume();
    },
  };
}

/** @param {Frame} frame @returns {Shown} */
function shownOf({ points, evaluations, step, max_steps, log }) {
  return {
    points,
    marks: evaluations.map((each) => [each.step, each.eval_loss]),
    step,
    max_steps,
    loss: log?.loss ?? null,
    accuracy: evaluations.at(-1)?.eval_accuracy ?? null,
  };
}

/** @param {AppState} state @returns {Shown} */
function shownOfRun({ run, logs, evaluations }) {
  const points = logs.points();
  const ofRun = run.kind === 'idle' ? null : run.kind === 'done' ? run.result : run;
  const step = run.kind === 'done' ? run.result.global_step : run.kind === 'idle' ? 0 : run.step;
  return {
    points: points.map((log) => [log.step, log.loss]),
    marks: ofEpochs(evaluations).map((each) => [each.step, each.eval_loss]),
    step,
    max_steps: ofRun?.max_steps ?? 0,
    loss: logs.last?.loss ?? null,
    accuracy: evaluations.at(-1)?.eval_accuracy ?? null,
  };
}

/**
 * @param {string} view   the view with the details
 * @param {string} title  i18n key
 * @param {...import('../dom.js').Child} content
 */
const card = (view, title, ...content) =>
  h(
    'article',
    { class: 'card', 'data-card': view },
    h('h2', {}, h('a', { href: `#${view}`, i18n: title })),
    ...content,
  );

/** The rows and labels of the dataset. @param {AppStore} store */
function examplesCard(store) {
  const rows = h('ul', { class: 'example-rows' });
  const summary = h('p', { class: 'note', i18n: 'hero.examples_about' });
  const element = card('dataset', 'hero.examples', rows, summary);
  return {
    element,
    /** Shows the first row of each label. @param {import('../app.js').App} app */
    connect({ session }) {
      store.watch(['dataset', 'language'], async ({ dataset }) => {
        if (!dataset) return;
        if (dataset.num_rows === 0) {
          replace(rows);
          return setText(summary, t('rows.none'));
        }
        const page = await session
          .request({ type: 'dataset_rows', offset: 0, count: Math.min(50, dataset.num_rows) })
          .catch(() => null);
        if (!page || store.state.dataset !== dataset) return;
        const firsts = dataset.labels.flatMap((_, label) => page.rows.find((row) => row.label === label) ?? []);
        replace(
          rows,
          ...firsts
            .slice(0, 4)
            .map(({ text, label }) =>
              h(
                'li',
                {},
                labelBadge(dataset.labels[label] ?? '', label),
                h('q', { lang: languageOf(text, store.state.source) }, text),
              ),
            ),
        );
        setText(summary, t('overview.rows', { rows: dataset.num_rows, classes: dataset.labels.length }));
      });
    },
  };
}

/** The loss while a network trains. @param {AppStore} store */
function trainingCard(store) {
  const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
  const chart = spark({ title: () => t('training.loss'), mark: () => t('training.eval_loss') });
  const badge = h('span', { class: 'tag recorded', i18n: 'recording.label', hidden: true });
  const pause = h('button', { type: 'button', class: 'quiet', 'data-testid': 'recording-pause', hidden: true });
  const about = h('p', { class: 'note recorded-about' });
  const numbers = h('div', { class: 'overview-figures' });
  const element = card(
    'training',
    'hero.model',
    h('div', { class: 'card-line' }, badge, pause),
    chart.element,
    numbers,
    about,
  );
  store.watch(['language', 'theme'], () => chart.refresh());
  let shownValues = '';
  /**
   * @param {Shown} shown
   * @param {{recording: Recording|null}} source
   */
  function show({ points, marks, step, max_steps, loss, accuracy }, { recording }) {
    setAttribute(element, 'data-source', recording ? 'recording' : 'run');
    badge.hidden = recording === null;
    const focused = document.activeElement === pause;
    // Where nothing moves, there is nothing to hold.
    pause.hidden = recording === null || reducedMotion.matches;
    if (focused && pause.hidden) element.querySelector('a')?.focus();
    chart.show({ points, marks, max_x: max_steps, max_y: recording ? highestLoss(recording) : 0 });
    const digits = { minimumFractionDigits: 3, maximumFractionDigits: 3 };
    const values = [
      { label: t('training.step'), value: max_steps > 0 ? t('training.step_of', { step, max_steps }) : '–' },
      { label: t('training.loss'), value: loss === null ? '–' : number(loss, digits) },
      { label: t('evaluation.accuracy'), value: accuracy === null ? '–' : percent(accuracy) },
    ];
    // Most frames of the recording move the line only.
    if (JSON.stringify(values) !== shownValues) replace(numbers, figures(values));
    shownValues = JSON.stringify(values);
    setText(
      about,
      recording ? t('recording.about', { device: recording.device, date: day(recording.date) }) : ownRun(store.state),
    );
  }
  // The card has its height before there is anything to show.
  show({ points: [], marks: [], step: 0, max_steps: 0, loss: null, accuracy: null }, { recording: null });
  return { element, pause, show };
}

/** What computes the visitor's run, or nothing before it. @param {AppState} state */
function ownRun({ run, opened }) {
  return run.kind === 'idle' || !opened ? '' : t('overview.your_run', { device: opened.device.name });
}

/** A sentence and its probabilities. @param {AppStore} store */
function classifierCard(store) {
  const quote = h('p', { class: 'quote', lang: 'en' });
  const bars = probabilityBars();
  const note = h('p', { class: 'note' });
  const element = card('try', 'hero.classifier', quote, bars.element, note);
  const show = (
    /** @type {string} */ text,
    /** @type {string[]} */ labels,
    /** @type {number[]} */ probabilities,
    /** @type {string} */ key,
  ) => {
    setText(quote, text);
    bars.show(labels.map(labelName), probabilities);
    setText(note, t(key));
  };
  return {
    element,
    show,
    /** Shows the visitor's sentence. */
    showState() {
      const { prediction, sentence } = store.state;
      if (!prediction) return show(sentence, [], [], 'overview.sentence_later');
      const { labels, before, after } = prediction.result;
      show(prediction.text, labels, after ?? before, MODEL_TITLES[predictedBy(prediction, store.state)]);
    },
  };
}
