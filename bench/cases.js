// What every subject does: the models, the batches and the hyper-parameters, so that no subject can be given other work than another.
//
// Nothing random is left to a library. Dropout is off, rows have no padding, the weights are in a file, and every draw comes from one
// small generator with a fixed seed: two subjects that do the same work then report the same losses, which is how the benchmark knows.

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
 * @property {string} name         as `--case` takes it
 * @property {string} title        for people
 * @property {'minilm'|'small'} model
 * @property {number} batch        rows a step
 * @property {number} seq          tokens a row
 */

/**
 * One training run, as a file that every subject reads.
 * @typedef {object} Work
 * @property {number} seq
 * @property {number} batch
 * @property {number} steps                 more than anybody does: the learning rate is constant
 * @property {number[]} input_ids           row after row; a step takes the next `batch` rows, over and over
 * @property {number[]} labels              one a row
 * @property {typeof ARGUMENTS} arguments
 */

/** @type {Record<Case['model'], Sizes>} */
export const MODELS = {
  minilm: { vocab: 30522, hidden: 384, layers: 6, heads: 12, inner: 1536, positions: 512 },
  small: { vocab: 30522, hidden: 128, layers: 2, heads: 2, inner: 512, positions: 512 },
};

/** Cheap ones first: a run that is cut short has most of its table. @type {Case[]} */
export const CASES = [
  { name: 'small-8x32', title: 'BERT 2 × 128, 8 × 32 tokens', model: 'small', batch: 8, seq: 32 },
  { name: 'minilm-8x16', title: 'MiniLM 6 × 384, 8 × 16 tokens', model: 'minilm', batch: 8, seq: 16 },
  { name: 'minilm-8x64', title: 'MiniLM 6 × 384, 8 × 64 tokens', model: 'minilm', batch: 8, seq: 64 },
  { name: 'minilm-8x128', title: 'MiniLM 6 × 384, 8 × 128 tokens', model: 'minilm', batch: 8, seq: 128 },
];

/** transformers' names. AdamW without warmup or decay of the rate: the n-th step is the same for whoever does it. */
export const ARGUMENTS = {
  learning_rate: 5e-5,
  weight_decay: 0.01,
  adam_beta1: 0.9,
  adam_beta2: 0.999,
  adam_epsilon: 1e-8,
  max_grad_norm: 1,
  lr_scheduler_type: 'constant',
  warmup_steps: 0,
};

/** What torch.nn.utils.clip_grad_norm_ adds to the norm. */
export const CLIP_EPSILON = 1e-6;

/** More than one batch, so that a step that forgets its input is found out by its loss. */
const BATCHES = 4;
const STEPS = 100_000;
const [CLS, SEP] = [101, 102];
const [FIRST_WORD, LAST_WORD] = [1000, 30000];

/**
 * @param {{batch: number, seq: number}} shape
 * @param {[number, number]} [words]  the range of the ids between [CLS] and [SEP]
 * @returns {Work}
 */
export function work({ batch, seq }, [from, to] = [FIRST_WORD, LAST_WORD]) {
  const draw = uniforms(seq);
  const rows = batch * BATCHES;
  const word = () => from + Math.floor(draw() * (to - from));
  const row = () => [CLS, ...Array.from({ length: seq - 2 }, word), SEP];
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
 * Whether AdamW shrinks a parameter: transformers leaves biases and LayerNorm alone.
 * @param {string} name
 */
export const decays = (name) => !name.endsWith('.bias') && !name.includes('LayerNorm');

/**
 * Numbers above 0 and below 1: mulberry32.
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
