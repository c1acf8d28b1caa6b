// The devices of the benchmark, with the subjects of each in the order of its table.

/** @typedef {typeof DEVICES[number]} DeviceName */
/** @typedef {'train'|'forward'} Mode */

/**
 * A library in a page of the browser.
 * @typedef {object} PageSubject
 * @property {string} name         value of `--subject`
 * @property {string} title        display name
 * @property {Mode[]} modes
 * @property {string} page         its script in `subjects/`, without the suffix
 * @property {number} [threads]    threads of the CPU device; without it, as many as the library takes
 */

/**
 * PyTorch in a separate process.
 * @typedef {object} PythonSubject
 * @property {string} name
 * @property {string} title
 * @property {Mode[]} modes
 * @property {'cpu'|'cuda'} pytorch  its device
 * @property {number} [threads]      without it, as many as PyTorch takes
 * @property {boolean} [fused]       AdamW with `fused=True`, as in transformers' Trainer
 */

/** @typedef {PageSubject|PythonSubject} Subject */

export const DEVICES = /** @type {const} */ (['webgpu', 'cpu']);

/** @type {Mode[]} */
const BOTH = ['train', 'forward'];

/** @type {Record<DeviceName, Subject[]>} */
export const SUBJECTS = {
  webgpu: [
    { name: 'webtune', title: 'webtune', modes: BOTH, page: 'webtune' },
    { name: 'tfjs', title: 'TensorFlow.js', modes: BOTH, page: 'tfjs' },
    { name: 'jax', title: 'jax-js', modes: BOTH, page: 'jax' },
    { name: 'transformers', title: 'transformers.js', modes: ['forward'], page: 'transformers' },
    { name: 'pytorch-cpu', title: 'PyTorch, CPU', modes: BOTH, pytorch: 'cpu' },
    { name: 'pytorch-cuda', title: 'PyTorch, CUDA', modes: BOTH, pytorch: 'cuda' },
  ],
  cpu: [
    { name: 'webtune', title: 'webtune', modes: BOTH, page: 'webtune' },
    { name: 'webtune-1', title: 'webtune', modes: BOTH, page: 'webtune', threads: 1 },
    { name: 'tfjs', title: 'TensorFlow.js', modes: BOTH, page: 'tfjs-wasm' },
    { name: 'jax', title: 'jax-js', modes: BOTH, page: 'jax' },
    { name: 'transformers', title: 'transformers.js', modes: ['forward'], page: 'transformers' },
    { name: 'pytorch-cpu', title: 'PyTorch', modes: BOTH, pytorch: 'cpu' },
    { name: 'pytorch-cpu-fused', title: 'PyTorch, fused AdamW', modes: ['train'], pytorch: 'cpu', fused: true },
    { name: 'pytorch-cpu-1', title: 'PyTorch', modes: BOTH, pytorch: 'cpu', threads: 1 },
    {
      name: 'pytorch-cpu-fused-1',
      title: 'PyTorch, fused AdamW',
      modes: ['train'],
      pytorch: 'cpu',
      threads: 1,
      fused: true,
    },
  ],
};

/** The names of all subjects. */
export const SUBJECT_NAMES = [...new Set(DEVICES.flatMap((device) => SUBJECTS[device].map(({ name }) => name)))];

/** @param {Subject} subject @returns {subject is PageSubject} */
export const isPage = (subject) => 'page' in subject;

/** @param {Subject} subject @returns {subject is PythonSubject} */
export const isPython = (subject) => 'pytorch' in subject;
