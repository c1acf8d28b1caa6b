// The models, batches and hyper-parameters of the benchmark, equal for every subject.
//
// Nothing is random in a library: dropout is off, rows have no padding, weights come from a file, and all random values
// come from one generator with a fixed seed. Subjects that do the same work then report equal losses, which the
// benchmark checks.

/**
 * @typedef {object} Sizes
 * @property {number} vocab
 * @property {number} hidden
 * @property {number} layers
 * @property {number} heads
 * @property {number} inner        width of the feed-forward block
 * @property {number} positions
 */

/**
 * @typedef {object} Case
 * @property {string} name         value of `--case`
 * @property {string} title        display name
 * @property {'minilm'|'small'} model
 * @property {number} batch        rows per step
 * @property {number} seq          tokens per row
 * @property {import('./devices.js').DeviceName[]} devices  that run it if no case is named
 */

/**
 * One training run, as a file that every subject reads.
 * @typedef {object} Work
 * @property {number} seq
 * @property {number} batch
 * @property {number} steps                 an upper bound: the learning rate is constant
 * @property {number[]} input_ids           concatenated rows; each step takes the next `batch` rows, cyclically
 * @property {number[]} labels              one per row
 * @property {typeof ARGUMENTS} arguments
 */

/** @type {Record<Case['model'], Sizes>} */
export const MODELS = {
  minilm: { vocab: 30522, hidden: 384, layers: 6, heads: 12, inner: 1536, positions: 512 },
  small: { vocab: 30522, hidden: 128, layers: 2, heads: 2, inner: 512, positions: 512 },
};

/**
 * Cheap cases first, so that an interrupted run has most of its table. `minilm-8x15` has the shape of the page's
 * default job.
 * @type {Case[]}
 */
export const CASES = [
  {
    name: 'small-8x32',
    title: 'BERT 2 × 128, 8 × 32 tokens',
    model: 'small',
    batch: 8,
    seq: 32,
    devices: ['webgpu', 'cpu'],
  },
  { name: 'minilm-8x15', title: 'MiniLM 6 × 384, 8 × 15 tokens', model: 'minilm', batch: 8, seq: 15, devices: ['cpu'] },
  {
    name: 'minilm-8x16',
    title: 'MiniLM 6 × 384, 8 × 16 tokens',
    model: 'minilm',
    batch: 8,
    seq: 16,
    devices: ['webgpu'],
  },
  {
    name: 'minilm-8x64',
    title: 'MiniLM 6 × 384, 8 × 64 tokens',
    model: 'minilm',
    batch: 8,
    seq: 64,
    devices: ['webgpu'],
  },
  {
    name: 'minilm-8x128',
    title: 'MiniLM 6 × 384, 8 × 128 tokens',
    model: 'minilm',
    batch: 8,
    seq: 128,
    devices: ['webgpu'],
  },
];

/**
 * Under transformers' names, and one of webtune. AdamW with a constant learning rate, so that a step does not depend on
 * the total.
 */
export const ARGUMENTS = {
  learning_rate: 5e-5,
  // The same rate for pooler and classifier.
  head_learning_rate: 0,
  weight_decay: 0.01,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  max_grad_norm: 1,
  lr_scheduler_type: 'constant',
  warmup_steps: 0,
};

/** `torch.nn.utils.clip_grad_norm_` adds this to the norm. */
export const CLIP_EPSILON = 1e-6;

/** More than one batch, so that the loss reveals a step that ignores its input. */
const BATCHES = 4;
const STEPS = 100_000;
const [CLS, SEP] = [101, 102];
const [FIRST_ID, LAST_ID] = [1000, 30000];

/**
 * @param {{batch: number, seq: number}} shape
 * @param {[number, number]} [range]  of the token ids between [CLS] and [SEP]
 * @returns {Work}
 */
export function work({ batch, seq }, [from, to] = [FIRST_ID, LAST_ID]) {
  const draw = uniforms(seq);
  const rows = batch * BATCHES;
  const token = () => from + Math.floor(draw() * (to - from));
  const row = () => [CLS, ...Array.from({ length: seq - 2 }, token), SEP];
  return {
    seq,
    batch,
    steps: STEPS,
    input_ids: Array.from({ length: rows }, row).flat(),
    labels: Array.from({ length: rows }, (_, at) => at % 2),
    arguments: ARGUMENTS,
  };
}

/**
 * The n-th batch of a run.
 * @param {Work} given
 * @param {number} step  from 0
 */
export function batchOf({ seq, batch, input_ids, labels }, step) {
  const first = (step * batch) % labels.length;
  return { ids: input_ids.slice(first * seq, (first + batch) * seq), labels: labels.slice(first, first + batch) };
}

/**
 * Whether weight decay applies to a parameter: transformers excludes biases and LayerNorm.
 * @param {string} name
 */
export const decays = (name) => !name.endsWith('.bias') && !name.includes('LayerNorm');

/**
 * A generator of uniform numbers in (0, 1): mulberry32.
 * @param {number} seed
 */
export function uniforms(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}
