// The page of the components: buttons, segments, fields, folds and dialogs.

import { DEPTHS } from '../../depth.js';
import { h, onFrame } from '../../dom.js';
import { currentLanguage } from '../../i18n.js';
import { field } from '../../panels/settings-form.js';
import { Settings } from '../../settings.js';
import { Store, initialState } from '../../state.js';
import { dialog } from '../dialog.js';
import { fold } from '../fold.js';
import { segments } from '../segments.js';
import { korean } from './basics.js';

/** @typedef {import('../gallery.js').Group} Group */
/** @typedef {import('../../protocol.js').Setting} Setting */

const LONG = 'Train with gradient checkpointing, a smaller batch and LoRA adapters of rank 8';

/** @type {Setting[]} */
const SETTINGS = [
  {
    name: 'learning_rate',
    group: 'training',
    type: 'number',
    default: 5e-5,
    min: 0,
    max: 1,
    step: 1e-5,
    advanced: false,
    help: '',
  },
  {
    name: 'padding',
    group: 'tokens',
    type: 'choice',
    default: 'longest',
    choices: ['longest', 'max_length'],
    advanced: false,
    help: '',
  },
  { name: 'stratify', group: 'split', type: 'boolean', default: true, advanced: false, help: '' },
  { name: 'fp16', group: 'training', type: 'boolean', default: false, advanced: false, help: '' },
];

/**
 * @param {string} kind
 * @param {import('../../dom.js').Properties} attributes
 * @param {...import('../../dom.js').Child} text
 */
const button = (kind, attributes, ...text) => h('button', { type: 'button', class: kind, ...attributes }, ...text);

/** @param {string} kind */
const buttonStates = (kind) => [
  {
    state: `${kind}: default, disabled, busy`,
    element: h(
      'div',
      { class: 'actions' },
      button(kind, {}, 'Fine-tune'),
      button(kind, { disabled: true }, 'Fine-tune'),
      button(kind, { 'aria-busy': 'true' }, 'Fine-tuning'),
    ),
  },
  {
    state: `${kind}: Korean, long`,
    element: h('div', { class: 'actions' }, button(kind, {}, korean('지금 미세 조정')), button(kind, {}, LONG)),
  },
];

/** @param {string} scheme @param {string} name @param {(settings: Settings) => void} change */
function fieldExample(scheme, name, change) {
  const settings = new Settings(SETTINGS, []);
  const setting = settings.find(name);
  if (!setting) throw new Error(`the example has no setting ${name}`);
  change(settings);
  fields += 1;
  const store = new Store(initialState(currentLanguage()), onFrame);
  return field({ settings, store }, setting, `example-${scheme}-${fields}`);
}
let fields = 0;

/** @param {string|null} value @param {boolean} [off] */
function theme(value, off = false) {
  const made = segments({
    label: 'page.theme',
    segments: /** @type {const} */ (['auto', 'light', 'dark']).map((name) => ({
      value: name,
      i18n: `page.theme_${name}`,
    })),
    value,
    choose: (chosen) => made.show(chosen),
  });
  made.disable(off);
  return made.element;
}

function languages() {
  const made = segments({
    label: 'page.language',
    segments: [
      { value: 'en', text: 'English', lang: 'en' },
      { value: 'ko', text: '한국어', lang: 'ko' },
      { value: 'other', text: 'Any other language that has no translation', lang: 'en' },
    ],
    value: 'ko',
    choose: (chosen) => made.show(chosen),
  });
  return made.element;
}

/** @param {string} scheme */
function dialogExample(scheme) {
  const paragraph = () =>
    h('p', {}, 'A dialog has a title, a text that scrolls where it is long, and a button that closes it.');
  const short = dialog({ title: 'dataset.title', testId: `dialog-${scheme}`, children: [paragraph()] });
  const long = dialog({ title: 'training.title', children: Array.from({ length: 20 }, paragraph) });
  // In the box of its scheme, so that it has the colours of the scheme.
  return h(
    'div',
    { class: 'actions' },
    button('secondary', { 'data-testid': `open-dialog-${scheme}`, on: { click: short.open } }, 'Open'),
    button('secondary', { on: { click: long.open } }, 'Open a long one'),
    short.element,
    long.element,
  );
}

/** @type {Group[]} */
export const controls = [
  {
    title: 'Buttons',
    make: () => [
      ...buttonStates('primary'),
      ...buttonStates('secondary'),
      ...buttonStates('quiet'),
      {
        state: 'example: default, disabled, Korean',
        element: h(
          'div',
          { class: 'examples' },
          button('example', {}, 'I love how well this blender works.'),
          button('example', { disabled: true }, 'Not at all.'),
          button('example', {}, korean('정말 마음에 들어요.')),
        ),
      },
      {
        state: 'aria-disabled, which keeps the focus',
        element: h('div', { class: 'actions' }, button('secondary', { 'aria-disabled': 'true' }, 'Compare')),
      },
    ],
  },
  {
    title: 'Segments',
    make: () => [
      { state: 'one pressed', element: theme('light') },
      { state: 'none pressed', element: theme(null) },
      { state: 'disabled', element: theme('auto', true) },
      { state: 'Korean, long', element: languages() },
    ],
  },
  {
    title: 'Fields',
    make: (scheme) => [
      { state: 'number: default', element: fieldExample(scheme, 'learning_rate', () => {}) },
      {
        state: 'number: changed',
        element: fieldExample(scheme, 'learning_rate', (settings) => settings.set('learning_rate', '2e-4')),
      },
      {
        state: 'number: error',
        element: fieldExample(scheme, 'learning_rate', (settings) => settings.set('learning_rate', 'fast')),
      },
      { state: 'choice', element: fieldExample(scheme, 'padding', () => {}) },
      { state: 'switch', element: fieldExample(scheme, 'stratify', () => {}) },
      {
        state: 'switch: disabled, with its reason',
        element: fieldExample(scheme, 'fp16', (settings) =>
          settings.turnOff('fp16', { key: 'setting.fp16.off_cpu', params: { name: 'CPU' } }),
        ),
      },
    ],
  },
  {
    title: 'Folds and dialogs',
    make: (scheme) => {
      const store = new Store({ depth: /** @type {import('../../depth.js').Depth} */ ('explore') }, onFrame);
      const text = () => h('p', {}, 'It opens at its depth, and by hand.');
      const depth = segments({
        label: 'settings.more',
        segments: DEPTHS.map((value) => ({ value, text: value, lang: 'en', testId: `depth-${value}-${scheme}` })),
        value: store.state.depth,
        choose: (value) => store.update({ depth: value }),
      });
      store.watch(['depth'], (state) => depth.show(state.depth));
      return [
        { state: 'the depth that the folds follow', element: depth.element },
        { state: 'fold: an explanation', element: fold(store, 'teach-only', 'settings.more', text()) },
        { state: 'fold: open from explore on', element: fold(store, 'explore', 'settings.more', text()) },
        { state: 'fold: closed until expert', element: fold(store, 'expert', 'settings.more', text()) },
        { state: 'dialog', element: dialogExample(scheme) },
      ];
    },
  },
];
