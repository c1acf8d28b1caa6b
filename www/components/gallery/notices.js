// The page of the components: errors, notices, warnings, explanations, placeholders, chips and progress.

import { h } from '../../dom.js';
import { modelNotices } from '../model-notices.js';
import { alert, callout, notice, placeholder, warningList } from '../notices.js';

/** @typedef {import('../gallery.js').Group} Group */

const LONG_NAME = 'https://models.example/a-very-long-owner/a-very-long-name-of-a-model-without-any-space@revision';

/**
 * An alert that no screen reader announces, because here it is only an example.
 * @param {import('../../protocol.js').WorkerError} error
 * @param {...import('../../dom.js').Child} more
 */
function quietAlert(error, ...more) {
  const element = alert(error, ...more);
  element.removeAttribute('role');
  return element;
}

/** @type {Group[]} */
export const notices = [
  {
    title: 'Errors and notices',
    make: () => [
      {
        state: 'error',
        element: quietAlert({ code: 'download', message: 'The server answered 404.', field: null }),
      },
      {
        state: 'error: long, with an action',
        element: quietAlert(
          { code: 'model_file', message: `${LONG_NAME}/config.json has no "model_type".`, field: null },
          h('p', {}, h('button', { type: 'button', class: 'secondary', i18n: 'error.reload' })),
        ),
      },
      { state: 'notice', element: notice({}, h('p', {}, 'The page runs on the CPU, which is slower than a GPU.')) },
      {
        state: 'notice: Korean',
        element: notice({ lang: 'ko' }, h('p', {}, '이 페이지는 GPU보다 느린 CPU에서 실행됩니다.')),
      },
      {
        state: 'warnings',
        element:
          warningList(
            [
              {
                code: 'warmup_longer_than_run',
                message: '',
                values: { warmup_steps: 500, max_steps: 30, peak: 3e-6, learning_rate: 5e-5 },
              },
              { code: 'other', message: 'A warning without a translation keeps its English sentence.', values: {} },
            ],
            'example-warnings',
          ) ?? h('p', {}),
      },
    ],
  },
  {
    title: 'Loaded models',
    make: () => [
      {
        state: 'notes: an own classifier, tensors that are not used',
        element:
          modelNotices(
            {
              labels: ['joy', 'anger'],
              notices: [
                {
                  code: 'skipped_tensors',
                  message: '',
                  values: { count: 3, names: 'cls.predictions, cls.seq_relationship' },
                },
              ],
            },
            'replaced',
          ) ?? h('p', {}),
      },
    ],
  },
  {
    title: 'Explanations and placeholders',
    make: () => [
      { state: 'callout', element: callout('training.callout') },
      { state: 'placeholder, in place of a result', element: placeholder('tokens.placeholder') },
    ],
  },
  {
    title: 'Chips, tags and progress',
    make: () => [
      {
        state: 'chip: device, CPU, waiting',
        element: h(
          'div',
          { class: 'actions' },
          h('span', { class: 'chip' }, 'NVIDIA H100'),
          h('span', { class: 'chip device-cpu' }, 'CPU'),
          h('span', { class: 'chip waiting' }, 'Opening the device'),
        ),
      },
      { state: 'tag', element: h('p', {}, 'Classifier', h('span', { class: 'tag', i18n: 'model.fresh' })) },
      { state: 'progress: 40 %', element: meter({ value: '0.4' }) },
      { state: 'progress: unknown', element: meter({}) },
    ],
  },
];

/** @param {Record<string, string>} attributes */
function meter(attributes) {
  return h(
    'div',
    { class: 'download' },
    h('progress', { max: '1', 'aria-label': 'Download', ...attributes }),
    h('p', { class: 'note' }, 'model.safetensors · 12 MB / 30 MB'),
  );
}
