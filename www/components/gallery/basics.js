// The page of the components: sizes of text, spaces, and colours.

import { h } from '../../dom.js';

/** @typedef {import('../gallery.js').Group} Group */

const SIZES = ['--text-s', '--text-m', '--text-l', '--text-xl', '--text-2xl'];
const SPACES = ['--space-1', '--space-2', '--space-3', '--space-4', '--space-5', '--space-6'];
const GROUNDS = ['--ground', '--surface', '--sunken', '--accent-soft', '--warn-ground', '--bad-ground'];
const LINES = ['--line', '--strong-line', '--accent', '--good', '--warn-line', '--bad-line'];
const SERIES = ['--series-1', '--series-2', '--series-3', '--series-4'];
const CLASSES = ['--class-0', '--class-1', '--class-2', '--class-3', '--class-4', '--class-5'];

/** @param {string[]} tokens */
const swatches = (tokens) =>
  h(
    'ul',
    { class: 'components-swatches' },
    ...tokens.map((token) =>
      h(
        'li',
        {},
        h('span', { class: 'components-swatch', style: { background: `var(${token})` }, 'aria-hidden': 'true' }),
        h('code', {}, token),
      ),
    ),
  );

/** @type {Group[]} */
export const basics = [
  {
    title: 'Text',
    make: () => [
      ...SIZES.map((token) => ({
        state: token,
        element: h('p', { style: { 'font-size': `var(${token})` } }, 'Fine-tune BERT ', korean('미세 조정')),
      })),
      {
        state: 'Korean, long',
        element: h(
          'p',
          { lang: 'ko' },
          '각 단계는 몇 개의 행을 예측하고, 손실을 계산하고, 손실이 줄어드는 방향으로 모든 가중치를 조금씩 바꿉니다.',
        ),
      },
      {
        state: 'Code, link, note',
        element: h(
          'p',
          {},
          h('code', {}, 'per_device_train_batch_size'),
          ' ',
          h('a', { href: '#components-text' }, 'A link'),
          ' ',
          h('span', { class: 'note' }, 'A note'),
        ),
      },
    ],
  },
  {
    title: 'Space and colours',
    about:
      'The colours of series and of classes stay apart for people with a colour vision deficiency. ' +
      'A chart also tells its series apart by shape: a line, a dashed line, or points.',
    make: () => [
      {
        state: 'Spaces',
        element: h(
          'ul',
          { class: 'components-spaces' },
          ...SPACES.map((token) =>
            h(
              'li',
              {},
              h('span', { class: 'components-space', style: { width: `var(${token})` }, 'aria-hidden': 'true' }),
              h('code', {}, token),
            ),
          ),
        ),
      },
      { state: 'Grounds', element: swatches(GROUNDS) },
      { state: 'Lines and states', element: swatches(LINES) },
      { state: 'Series', element: swatches(SERIES) },
      { state: 'Classes', element: swatches(CLASSES) },
    ],
  },
];

/** @param {string} text */
export function korean(text) {
  return h('span', { lang: 'ko' }, text);
}
