// A BERT that trains in seconds on a software GPU, with the files and tensor names of a real checkpoint.
//
// Weights come from a seeded generator, so every run of the tests trains the same network. The vocabulary has the words
// of the article's two sentences and every letter, so other sentences become word pieces instead of [UNK].

import { bertTensors, normals, values } from './bert-tensors.js';

/** @typedef {{dtype: string, shape: number[], data: Buffer}} Tensor */
/** @typedef {Record<string, unknown>} Json */
/** @typedef {{config: Json, tokenizer: Json, tensors: Map<string, Tensor>}} Bert */

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const TEXT = `this product has been an amazing addition to my kitchen i m very disappointed with the purchase would not
  recommend love how well blender works it broke after two days and nobody answered emails best knife have ever owned`;
const WORDS = TEXT.split(/\s+/);
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const SIGNS = ['.', ',', '!', '?', "'", '-'];
const VOCABULARY = [
  ...new Set([...SPECIAL, ...SIGNS, ...LETTERS, ...LETTERS.map((letter) => `##${letter}`), ...WORDS]),
];

/** Larger than BERT's 0.02, with which such a small network would need hundreds of steps. */
const WEIGHT_STD = 0.15;

/**
 * @param {{dropout?: number, seed?: number}} [options]
 * @returns {Bert}
 */
export function tinyBert({ dropout = 0.1, seed = 7 } = {}) {
  const sizes = { vocab: VOCABULARY.length, hidden: 64, inner: 128, layers: 2, heads: 4, positions: 128, types: 2 };
  const config = {
    model_type: 'bert',
    vocab_size: sizes.vocab,
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
  return { config, tokenizer: tokenizer(), tensors: weights(sizes, seed) };
}

/**
 * The files of a model folder.
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
 * Writes safetensors: eight bytes of header length, a JSON header, the concatenated tensors.
 * @param {Map<string, Tensor>} tensors
 */
export function safetensors(tensors) {
  /** @type {Record<string, unknown>} */
  const header = {};
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors)
    header[name] = { dtype, shape, data_offsets: [end, (end += data.length)] };
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...[...tensors.values()].map(({ data }) => data)]);
}

/**
 * The weights, named as in `BertModel`.
 * @param {import('./bert-tensors.js').Sizes} sizes
 * @param {number} seed
 */
function weights(sizes, seed) {
  const draw = normals(seed, WEIGHT_STD);
  /** @type {(tensor: import('./bert-tensors.js').Shape) => [string, Tensor]} */
  const drawn = (tensor) => [
    tensor.name.replace(/^bert\./, ''),
    { dtype: 'F32', shape: tensor.shape, data: Buffer.from(values(tensor, draw).buffer) },
  ];
  return new Map(bertTensors(sizes).map(drawn));
}

/** The tokenizer of bert-base-uncased with the small vocabulary. */
function tokenizer() {
  const special = (/** @type {string} */ token) => ({ SpecialToken: { id: token, type_id: 0 } });
  const text = [special('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, special('[SEP]')];
  const id = (/** @type {string} */ token) => VOCABULARY.indexOf(token);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content) => ({
      id: id(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: text,
      pair: [...text, { Sequence: { id: 'B', type_id: 1 } }, { SpecialToken: { id: '[SEP]', type_id: 1 } }],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((token) => [token, { id: token, ids: [id(token)], tokens: [token] }]),
      ),
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
