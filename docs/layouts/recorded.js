// Figures of the prototypes, recorded from the page itself: `?device=cpu`, the built-in model, Fine-tune now.
//
// Each run was read from `window.__webtune.store.state` after its end: `logs.points()`, `evaluations`, `run.result`.

/**
 * @typedef {object} RecordedRun
 * @property {string} rate          learning_rate, as the form shows it
 * @property {number} seconds       train_runtime
 * @property {number[]} loss        of each step
 * @property {{step: number, loss: number, accuracy: number}[]} evaluations
 */

/** The recommended settings. @type {RecordedRun} */
export const RECOMMENDED = {
  rate: '5e-5',
  seconds: 23.9,
  loss: [
    0.6889, 0.6871, 0.6839, 0.6661, 0.6394, 0.6172, 0.5787, 0.5487, 0.5328, 0.4921, 0.4456, 0.4355, 0.4315, 0.4065,
    0.3594, 0.3701, 0.3455, 0.2981, 0.3006, 0.2709, 0.2762, 0.2622, 0.2385, 0.2461, 0.235, 0.2264, 0.2107, 0.2195,
    0.2164, 0.2159,
  ],
  evaluations: [
    { step: 10, loss: 0.4342, accuracy: 1 },
    { step: 20, loss: 0.2321, accuracy: 1 },
    { step: 30, loss: 0.1816, accuracy: 1 },
  ],
};

/** The earlier runs of the table of layout "runs". @type {RecordedRun[]} */
export const EARLIER = [
  {
    rate: '0.2',
    seconds: 27.6,
    loss: [
      0.6889, 0.6871, 4.1162, 17.5353, 32.0166, 26.7169, 5.1434, 9.6697, 8.7792, 1.3751, 13.103, 7.7398, 3.5536,
      17.7235, 21.9319, 13.386, 6.0825, 9.4227, 14.8444, 6.2809, 2.7386, 1.6155, 3.7349, 16.4485, 3.2886, 10.7857,
      7.7169, 4.1785, 2.1173, 1.5687,
    ],
    evaluations: [{ step: 30, loss: 2.3175, accuracy: 0.5 }],
  },
  {
    rate: '2e-4',
    seconds: 42.2,
    loss: [
      0.6889, 0.6871, 0.667, 0.6023, 0.4831, 0.3643, 0.2668, 0.2043, 0.1493, 0.1129, 0.0766, 0.0605, 0.0537, 0.0386,
      0.0274, 0.0267, 0.0227, 0.0188, 0.0165, 0.0135, 0.0124, 0.0126, 0.0102, 0.0098, 0.0097, 0.0086, 0.0083, 0.008,
      0.0084, 0.0079,
    ],
    evaluations: [{ step: 30, loss: 0.0061, accuracy: 1 }],
  },
];

export const STEPS_PER_EPOCH = 10;
export const MAX_STEPS = 30;
export const TEST_ROWS = 20;
export const STEP_SECONDS = 0.8;
export const DEVICE = 'CPU (WebAssembly SIMD, one thread)';
export const DOWNLOAD_BYTES = 45_441_937;
export const MEMORY_BYTES = 477_620_008;

/** The sentences of src/data/toy.rs, by label id. */
export const SENTENCES = [
  "I'm very disappointed with the purchase. Would not recommend.",
  'This product has been an amazing addition to my kitchen.',
];
export const TOKENS = [
  "[CLS] i ' m very disappointed with the purchase . would not recommend . [SEP]".split(' '),
  '[CLS] this product has been an amazing addition to my kitchen . [SEP]'.split(' '),
];
/** Labels of the first rows, in the order of the shuffle with seed 42. */
export const LABELS = [0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1];
/** Labels of the rows of both parts, in their order. */
export const SPLIT = {
  train: '01111001010011101001100000101111011001100111001010110011101000110101100100100100',
  test: '11110001000100011011',
};

/** The probabilities of "negative" and "positive" for the first example sentence. */
export const PREDICTION = { before: [0.512, 0.488], after: [0.472, 0.528] };

/** The refusal of a run with these settings, and the suggestions of the memory plan. */
export const REFUSED = {
  settings: { per_device_train_batch_size: '256', max_length: '512', padding: 'max_length' },
  needs: 21_319_893_544,
  offered: 4_294_967_296,
  suggestions: [
    { kind: 'smaller_batch', bytes: 2_605_587_504 },
    { kind: 'lora', bytes: 4_150_597_168 },
    { kind: 'freeze', bytes: 2_770_355_760 },
    { kind: 'head', bytes: 3_277_490_728 },
  ],
};
