// A checkpoint of bert-base-uncased's exact shape, 440 MB in f32, drawn on the spot: its words are the tiny BERT's, its weights random.

import { files, tinyBert } from './tiny-bert.js';

/** `config.json` of bert-base-uncased. */
export const BERT_BASE = { vocab: 30522, hidden: 768, layers: 12, heads: 12, inner: 3072, positions: 512, types: 2 };
/** `num_parameters` of its `BertModel`, as transformers counts them. */
export const PARAMETERS = 109_482_240;

/** Values that are drawn; weights repeat them, from another place on in each tensor. */
const DRAWN = 1 << 20;
const STD = 0.02;

/**
 * The files of its folder. Without a classifier, as the Hub's: the page draws one.
 * @param {typeof BERT_BASE} [sizes]
 */
export function bertBase(sizes = BERT_BASE) {
  const { hidden, layers, inner } = sizes;
  const tiny = tinyBert({ dropout: 0.1 });
  const config = {
    ...tiny.config,
    vocab_size: sizes.vocab,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: sizes.heads,
    intermediate_size: inner,
    max_position_embeddings: sizes.positions,
    type_vocab_size: sizes.types,
  };
  /** @type {[string, number[], 'drawn'|'ones'|'zeros'][]} */
  const tensors = [];
  const matrix = (/** @type {string} */ name, /** @type {number} */ rows, /** @type {number} */ columns) => tensors.push([name, [rows, columns], 'drawn']);
  const linear = (/** @type {string} */ name, /** @type {number} */ out, /** @type {number} */ into) => {
    matrix(`${name}.weight`, out, into);
    tensors.push([`${name}.bias`, [out], 'zeros']);
  };
  const norm = (/** @type {string} */ name) => tensors.push([`${name}.weight`, [hidden], 'ones'], [`${name}.bias`, [hidden], 'zeros']);
  matrix('bert.embeddings.word_embeddings.weight', sizes.vocab, hidden);
  matrix('bert.embeddings.position_embeddings.weight', sizes.positions, hidden);
  matrix('bert.embeddings.token_type_embeddings.weight', sizes.types, hidden);
  norm('bert.embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer += 1) {
    const at = `bert.encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, hidden, hidden);
    linear(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`);
    linear(`${at}.intermediate.dense`, inner, hidden);
    linear(`${at}.output.dense`, hidden, inner);
    norm(`${at}.output.LayerNorm`);
  }
  linear('bert.pooler.dense', hidden, hidden);
  return { ...files({ ...tiny, tensors: new Map() }), 'config.json': Buffer.from(JSON.stringify(config)), 'model.safetensors': weights(tensors) };
}

/**
 * One buffer for the whole file: 440 MB are not put together from pieces twice.
 * @param {[string, number[], 'drawn'|'ones'|'zeros'][]} tensors
 */
function weights(tensors) {
  /** @type {Record<string, {dtype: string, shape: number[], data_offsets: [number, number]}>} */
  const header = {};
  let end = 0;
  for (const [name, shape] of tensors) header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * shape.reduce((all, size) => all * size, 1))] };
  const text = JSON.stringify(header);
  const length = Math.ceil(text.length / 8) * 8;
  const file = Buffer.alloc(8 + length + end);
  file.writeBigUInt64LE(BigInt(length));
  file.write(text.padEnd(length), 8);
  const drawn = Buffer.from(normals(DRAWN).buffer);
  const one = Buffer.from(new Float32Array([1]).buffer);
  tensors.forEach(([name, , kind], index) => {
    const { data_offsets: [from, to] } = /** @type {typeof header[string]} */ (header[name]);
    const tensor = file.subarray(8 + length + from, 8 + length + to);
    if (kind === 'ones') tensor.fill(one);
    if (kind !== 'drawn') return;
    // Two weights of one shape must not be the same weight.
    const shift = (4 * 7919 * index) % drawn.length;
    tensor.fill(Buffer.concat([drawn.subarray(shift), drawn.subarray(0, shift)]));
  });
  return file;
}

/**
 * N(0, STD) by the Box–Muller transform of a small generator (mulberry32).
 * @param {number} count
 */
function normals(count) {
  let state = 20261125;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => STD * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}
