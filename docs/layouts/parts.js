// The content of the prototypes, written once: every layout arranges these parts.

import { h, replace } from '../../www/dom.js';
import { bytes, duration, percent, t } from '../../www/i18n.js';
import { curve } from './curve.js';
import { evaluated, follow, moment, reached, show } from './moment.js';
import * as recorded from './recorded.js';
import { own } from './texts.js';

const { MAX_STEPS, PREDICTION, RECOMMENDED, REFUSED, SENTENCES, SPLIT } = recorded;
const LABEL_KEYS = ['label.negative', 'label.positive'];

/** @param {number} label */
const tag = (label) => h('span', { class: `tag class-${label}` }, t(LABEL_KEYS[label]));
/** @param {string} text */
const note = (text) => h('p', { class: 'note' }, text);

/** Figures with a name each. @param {[string, string, string?][]} pairs */
export const figures = (pairs) =>
  h(
    'dl',
    { class: 'figures' },
    ...pairs.map(([name, value, part]) =>
      h('div', {}, h('dt', {}, name), h('dd', { 'data-part': part ?? null }, value)),
    ),
  );

/** @param {number} count */
export function rows(count) {
  const line = (/** @type {number} */ label, /** @type {number} */ at) =>
    h('tr', {}, h('td', { class: 'number' }, at + 1), h('td', {}, SENTENCES[label]), h('td', {}, tag(label)));
  const names = ['dataset.row', 'dataset.text', 'dataset.label'];
  return h(
    'table',
    { class: 'rows', 'data-part': 'rows' },
    h('thead', {}, h('tr', {}, ...names.map((name) => h('th', {}, t(name))))),
    h('tbody', {}, ...recorded.LABELS.slice(0, count).map(line)),
  );
}

/** The dataset in two examples, for a narrow column. */
export const examples = () =>
  h(
    'div',
    { class: 'stack', 'data-part': 'rows' },
    ...SENTENCES.map((text, label) =>
      h(
        'figure',
        { class: `example class-${label}` },
        h('figcaption', {}, tag(label), h('span', {}, t('dataset.note', { rows: 50 }))),
        h('blockquote', {}, text),
      ),
    ),
  );

export const datasetFigures = () =>
  figures([
    [t('dataset.rows'), '100'],
    [t('dataset.distinct'), '2'],
    [t('dataset.classes'), '2'],
  ]);

export const split = () =>
  h(
    'div',
    { class: 'split' },
    .../** @type {const} */ (['train', 'test']).map((part) =>
      h(
        'div',
        {},
        h('p', {}, h('b', {}, t(`split.${part}`)), ` ${t('split.rows', { rows: SPLIT[part].length })}`),
        h('div', { class: 'squares' }, ...[...SPLIT[part]].map((label) => h('i', { class: `class-${label}` }))),
      ),
    ),
  );

export const overlap = () =>
  h('p', { class: 'alert warn' }, t('warning.texts_on_both_sides', { seen: 20, test: recorded.TEST_ROWS }));

export const model = () =>
  h(
    'div',
    { class: 'stack' },
    figures([
      [t('model.name'), 'all-MiniLM-L6-v2'],
      [t('model.parameters'), '22.7 M'],
      [t('model.file'), bytes(recorded.DOWNLOAD_BYTES)],
    ]),
    h(
      'ol',
      { class: 'network' },
      h('li', { class: 'fresh' }, t('model.block_head', { hidden: 384, labels: 2 }), ` · ${t('model.fresh')}`),
      h('li', {}, t('model.block_pooler', { hidden: 384 })),
      h('li', { class: 'high' }, t('model.block_layers', { layers: 6, heads: 12 })),
      h('li', {}, t('model.block_embeddings', { vocabulary: 30522, hidden: 384 })),
    ),
    h('div', { class: 'callout' }, h('h3', {}, t('model.callout.title')), h('p', {}, t('model.callout.text'))),
  );

export const tokens = () =>
  h(
    'div',
    { class: 'stack' },
    figures([
      [t('tokens.longest'), '15'],
      [t('tokens.per_epoch'), '1,120'],
      [t('tokens.padding'), percent(80 / 1200)],
    ]),
    ...recorded.TOKENS.map((pieces) =>
      h(
        'p',
        { class: 'pieces' },
        ...pieces.map((piece) => h('span', { class: piece[0] === '[' ? 'mark' : '' }, piece)),
      ),
    ),
  );

/** @type {Record<string, string>} */
const VALUES = {
  num_rows: '100',
  test_size: '0.2',
  padding: 'longest',
  max_length: '128',
  num_train_epochs: '3',
  per_device_train_batch_size: '8',
  learning_rate: RECOMMENDED.rate,
  warmup_steps: '0',
  tuning: 'full',
};

/** A part of the settings form. @param {...string} names */
export function settings(...names) {
  const refused = /** @type {Record<string, string>} */ (moment.state === 'error' ? REFUSED.settings : {});
  const fields = names.map((name) =>
    h(
      'label',
      { class: 'field', 'data-refused': name in refused },
      h('span', { class: 'field-name' }, t(`setting.${name}.label`)),
      h('input', { value: refused[name] ?? VALUES[name], 'data-part': name, 'aria-describedby': `${name}-help` }),
      h('span', { class: 'note', id: `${name}-help` }, t(`setting.${name}.help`)),
    ),
  );
  return h('div', { class: 'fields' }, ...fields, h('p', { class: 'more' }, `▸ ${t('settings.more')}`));
}
export const trainingSettings = () =>
  settings('num_train_epochs', 'per_device_train_batch_size', 'learning_rate', 'warmup_steps');

/** The refusal of the run, with what would fit. */
export const problem = () =>
  h(
    'div',
    { class: 'alert bad', role: 'alert', 'data-part': 'problem' },
    h('p', {}, h('b', {}, t('error.memory')), ' ', t('memory.shortage_memory', sizes())),
    h('p', {}, t('memory.would_fit')),
    h(
      'p',
      { class: 'buttons' },
      ...REFUSED.suggestions.map(({ kind, bytes: size }) =>
        h(
          'button',
          { type: 'button', class: 'secondary', on: { click: () => show({ state: 'empty' }) } },
          `${t(`memory.suggestion.${kind}`)} · ${bytes(size)}`,
        ),
      ),
    ),
  );
const sizes = () => ({ needs: bytes(REFUSED.needs), offered: bytes(REFUSED.offered) });

/** The loss and its figures. @param {{earlier?: boolean, compact?: boolean}} [options] */
export function training({ earlier = false, compact = false } = {}) {
  const line = h('div', {});
  const plot = h('div', { class: 'plot' });
  follow(() => {
    const step = reached();
    const loss = RECOMMENDED.loss[step - 1];
    /** @type {[string, string][]} */
    const all = [
      [t('training.step'), step ? t('training.step_of', { step, max_steps: MAX_STEPS }) : '–'],
      [t('training.loss'), loss?.toFixed(3) ?? '–'],
      [t('training.epoch'), step ? (step / recorded.STEPS_PER_EPOCH).toFixed(1) : '–'],
      [t('training.tokens_per_second'), step ? '174' : '–'],
    ];
    replace(line, figures(compact ? all.slice(0, 2) : all));
  });
  const draw = () => {
    const { clientWidth: width, clientHeight: height } = plot;
    const options = { earlier, empty: compact ? '' : own('start'), guess: own('random') };
    if (height > 0) replace(plot, curve({ width, height }, reached(), evaluated(), options));
  };
  follow(draw);
  new ResizeObserver(draw).observe(plot);
  const chart = h(
    'figure',
    { class: 'chart', 'data-part': 'curve' },
    h('figcaption', {}, h('b', {}, t('training.loss')), compact ? '' : ` ${t('training.loss_about')}`),
    plot,
  );
  // A run that is refused has no curve; where there is little space, the refusal takes its place.
  if (moment.state === 'error')
    return h('div', { class: 'stack grow' }, problem(), !compact && line, !compact && chart);
  return h('div', { class: 'stack grow' }, line, chart);
}

/** @param {{compact?: boolean}} [options] */
export function evaluation({ compact = false } = {}) {
  const box = h('div', { class: 'stack' });
  follow(() => {
    const last = evaluated().at(-1);
    const placed = { epoch: (last?.step ?? 0) / recorded.STEPS_PER_EPOCH, step: last?.step ?? 0 };
    /** @type {[string, string, string?][]} */
    const pairs = [
      [t('evaluation.accuracy'), last ? percent(last.accuracy) : '–', 'accuracy'],
      [t('evaluation.loss'), last ? last.loss.toFixed(3) : '–'],
      [t('evaluation.at'), last ? t('evaluation.at_step', placed) : '–'],
    ];
    replace(box, figures(compact ? pairs.slice(0, 2) : pairs), !last && !compact && note(t('evaluation.placeholder')));
    if (last && !compact) box.append(h('div', { class: 'pair' }, confusion(), overlap()));
  });
  return box;
}

function confusion() {
  const cells = [10, 0, 0, 10].map((count, at) => h('td', { class: count ? `class-${at % 2} full` : '' }, count));
  const head = LABEL_KEYS.map((key) => h('th', {}, t(key)));
  return h(
    'figure',
    { class: 'confusion' },
    h('figcaption', {}, h('b', {}, t('evaluation.confusion')), ` ${t('evaluation.confusion_about')}`),
    h(
      'table',
      {},
      h('tr', {}, h('td', {}), ...head),
      h('tr', {}, h('th', {}, t(LABEL_KEYS[0])), ...cells.slice(0, 2)),
      h('tr', {}, h('th', {}, t(LABEL_KEYS[1])), ...cells.slice(2)),
    ),
  );
}

/** A sentence of the visitor and two bars. @param {{compact?: boolean}} [options] */
export function tryIt({ compact = false } = {}) {
  const done = moment.state === 'done';
  const sentences = ['try.example_2', 'try.example_3', 'try.example_5'].map((key) => t(key));
  return h(
    'div',
    { class: 'stack' },
    h(
      'label',
      { class: 'sentence' },
      h('span', { class: 'field-name' }, t('try.sentence')),
      h('textarea', { rows: 2, 'data-part': 'sentence' }, t('try.first_sentence')),
    ),
    h('p', { class: 'buttons' }, h('button', { type: 'button', class: 'secondary' }, t('try.run'))),
    !compact && h('p', { class: 'buttons' }, ...sentences.map((text) => h('span', { class: 'suggestion' }, text))),
    done
      ? h(
          'div',
          { class: 'stack', 'data-part': 'bars' },
          bar('try.before', PREDICTION.before),
          bar('try.after', PREDICTION.after),
        )
      : note(t('try.placeholder')),
  );
}

/** @param {string} title @param {number[]} shares */
const bar = (title, shares) =>
  h(
    'figure',
    { class: 'prediction' },
    h('figcaption', {}, h('b', {}, t(title)), !title.endsWith('after') && ` ${t('try.before_note')}`),
    h(
      'div',
      { class: 'bar' },
      ...shares.map((share, label) =>
        h(
          'span',
          { class: `class-${label}`, style: { width: percent(share) } },
          `${t(LABEL_KEYS[label])} ${percent(share, 0)}`,
        ),
      ),
    ),
  );

export function exporting() {
  const done = moment.state === 'done';
  const files = ['model.safetensors', 'config.json', 'tokenizer.json', 'training_args.json', 'README.md'];
  return h(
    'div',
    { class: 'stack' },
    note(done ? t('export.ready', { step: MAX_STEPS }) : t('export.untrained')),
    h(
      'table',
      { class: 'rows' },
      ...files.map((file) => h('tr', {}, h('td', {}, h('code', {}, file)), h('td', {}, t(`export.about.${file}`)))),
    ),
  );
}

/** The primary action. */
export function primary() {
  const { state } = moment;
  const key = state === 'running' ? 'run.busy' : state === 'done' ? 'run.again' : 'run.all';
  const start = () => show({ state: 'running', step: 1 });
  return h(
    'button',
    { type: 'button', class: 'primary', 'data-part': 'primary', disabled: state === 'running', on: { click: start } },
    t(key),
  );
}

/** What is known before a run. */
export const facts = () =>
  h(
    'p',
    { class: 'facts' },
    h('b', {}, recorded.DEVICE),
    h('span', {}, `${own('expected')} ${duration(RECOMMENDED.seconds)} · ${own('download')} 45 MB`),
  );

/** Message, progress and the controls of the run. */
export function progress() {
  const message = h('p', { class: 'message', 'data-part': 'message' });
  const line = h('div', { class: 'line' }, h('i', {}));
  const { state } = moment;
  follow(() => {
    const step = reached();
    line.firstElementChild?.setAttribute('style', `width: ${percent(step / MAX_STEPS)}`);
    const left = t('now.left', { time: duration((MAX_STEPS - step) * recorded.STEP_SECONDS) });
    const texts = {
      empty: () => t('now.ready'),
      running: () => `${t('now.step', { step, max_steps: MAX_STEPS })} · ${left}`,
      done: () => t('now.done', { steps: MAX_STEPS, time: duration(RECOMMENDED.seconds) }),
      error: () => t('now.failed', { stage: t('short.training') }),
    };
    message.textContent = texts[state]();
  });
  const controls = ['control.pause', 'control.stop'].map((key) =>
    h('button', { type: 'button', class: 'secondary', on: { click: () => show({ state: 'empty' }) } }, t(key)),
  );
  return h('div', { class: 'progress' }, h('div', {}, message, line), ...(state === 'running' ? controls : []));
}
