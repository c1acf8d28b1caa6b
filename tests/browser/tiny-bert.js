// A BERT small enough to train in seconds on a software GPU: the same files and names as a real checkpoint.
//
// Everything is drawn from a seeded generator, so that two runs of the tests train the same network. The vocabulary holds the
// words of the article's two sentences, and every letter, so that any other sentence becomes pieces rather than [UNK].

/** @typedef {{dtype: string, shape: number[], data: Buffer}} Tensor */
/** @typedef {{config: Record<string, unknown>, tokenizer: Record<string, unknown>, tensors: Map<string, Tensor>}} Bert */

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const WORDS = `this product has been an amazing addition to my kitchen i m very disappointed with the purchase would not
  recommend love how well blender works it broke after two days and nobody answered emails best knife have ever owned`.split(/\s+/);
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const SIGNS = ['.', ',', '!', '?', "'", '-'];
const VOCABULARY = [...new Set([...SPECIAL, ...SIGNS, ...LETTERS, ...LETTERS.map((letter) => `##${letter}`), ...WORDS])];

/** Wider than BERT's 0.02: so small a network would otherwise take hundreds of steps to learn anything. */
const WEIGHT_STD = 0.15;

/**
 * @param {{dropout?: number, seed?: number}} [options]
 * @returns {Bert}
 */
export function tinyBert({ dropout = 0.1, seed = 7 } = {}) {
  const sizes = { hidden: 64, inner: 128, layers: 2, heads: 4, positions: 128, types: 2 };
  const config = {
    model_type: 'bert',
    vocab_size: VOCABULARY.length,
    hidden_size: sizes.hidden,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    intermediate_size: sizes.inner,
    hidden_act: 'gelu',
    hidden_dropout_prob: dropout,
    attention_probs_dropout_prob: dropout,
    max_position_embeddings: sizes.positions,
    type_vocab_size: sizes.types,
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
  };
  return { config, tokenizer: tokenizer(), tensors: weights(sizes, normals(seed)) };
}

/**
 * The files of a model's folder.
 * @param {Bert} bert
 */
export function files({ config, tokenizer: pieces, tensors }) {
  return {
    'config.json': Buffer.from(JSON.stringify(config)),
    'tokenizer.json': Buffer.from(JSON.stringify(pieces)),
    'model.safetensors': safetensors(tensors),
  };
}

/**
 * Eight bytes of header length, a JSON header, the tensors one behind another.
 * @param {Map<string, Tensor>} tensors
 */
export function safetensors(tensors) {
  /** @type {Record<string, unknown>} */
  const header = {};
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) header[name] = { dtype, shape, data_offsets: [end, (end += data.length)] };
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...[...tensors.values()].map(({ data }) => data)]);
}

/**
 * @param {{hidden: number, inner: number, layers: number, positions: number, types: number}} sizes
 * @param {(count: number) => Float32Array} draw
 */
function weights({ hidden, inner, layers, positions, types }, draw) {
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  const add = (/** @type {string} */ name, /** @type {number[]} */ shape, /** @type {Float32Array} */ values) =>
    tensors.set(name, { dtype: 'F32', shape, data: Buffer.from(values.buffer) });
  const random = (/** @type {string} */ name, /** @type {number[]} */ ...shape) => add(name, shape, draw(shape.reduce((all, size) => all * size, 1)));
  const linear = (/** @type {string} */ name, /** @type {number} */ out, /** @type {number} */ into) => {
    random(`${name}.weight`, out, into);
    add(`${name}.bias`, [out], new Float32Array(out));
  };
  const norm = (/** @type {string} */ name) => {
    add(`${name}.weight`, [hidden], new Float32Array(hidden).fill(1));
    add(`${name}.bias`, [hidden], new Float32Array(hidden));
  };
  random('embeddings.word_embeddings.weight', VOCABULARY.length, hidden);
  random('embeddings.position_embeddings.weight', positions, hidden);
  random('embeddings.token_type_embeddings.weight', types, hidden);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer += 1) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, hidden, hidden);
    linear(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`);
    linear(`${at}.intermediate.dense`, inner, hidden);
    linear(`${at}.output.dense`, hidden, inner);
    norm(`${at}.output.LayerNorm`);
  }
  linear('pooler.dense', hidden, hidden);
  return tensors;
}

/** bert-base-uncased's pipeline around the small vocabulary. */
function tokenizer() {
  const special = (/** @type {string} */ token) => ({ SpecialToken: { id: token, type_id: 0 } });
  const text = [special('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, special('[SEP]')];
  const id = (/** @type {string} */ token) => VOCABULARY.indexOf(token);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content) => ({ id: id(content), content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: text,
      pair: [...text, { Sequence: { id: 'B', type_id: 1 } }, { SpecialToken: { id: '[SEP]', type_id: 1 } }],
      special_tokens: Object.fromEntries(['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [id(token)], tokens: [token] }])),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(VOCABULARY.map((token, at) => [token, at])),
    },
  };
}

/**
 * Normally distributed numbers: mulberry32 through Box and Muller.
 * @param {number} seed
 * @returns {(count: number) => Float32Array}
 */
function normals(seed) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return (count) => Float32Array.from({ length: count }, () => WEIGHT_STD * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}
