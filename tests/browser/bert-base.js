// A checkpoint of bert-base-uncased's exact shape, 440 MB in f32, drawn on the spot: its words are the tiny BERT's, its weights random.

import { bertTensors, count, normals } from './bert-tensors.js';
import { files, tinyBert } from './tiny-bert.js';

/** `config.json` of bert-base-uncased. */
export const BERT_BASE = { vocab: 30522, hidden: 768, layers: 12, heads: 12, inner: 3072, positions: 512, types: 2 };
/** `num_parameters` of its `BertModel`, as transformers counts them. */
export const PARAMETERS = 109_482_240;

/** Values that are drawn; weights repeat them, from another place on in each tensor. */
const DRAWN = 1 << 20;
const STD = 0.02;
const SEED = 20261125;

/**
 * The files of its folder. Without a classifier, as the Hub's: the page draws one.
 * @param {typeof BERT_BASE} [sizes]
 */
export function bertBase(sizes = BERT_BASE) {
  const tiny = tinyBert({ dropout: 0.1 });
  const config = {
    ...tiny.config,
    vocab_size: sizes.vocab,
    hidden_size: sizes.hidden,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    intermediate_size: sizes.inner,
    max_position_embeddings: sizes.positions,
    type_vocab_size: sizes.types,
  };
  return {
    ...files({ ...tiny, tensors: new Map() }),
    'config.json': Buffer.from(JSON.stringify(config)),
    'model.safetensors': weights(bertTensors(sizes)),
  };
}

/**
 * One buffer for the whole file: 440 MB are not put together from pieces twice.
 * @param {import('./bert-tensors.js').Shape[]} tensors
 */
function weights(tensors) {
  /** @type {Record<string, {dtype: string, shape: number[], data_offsets: [number, number]}>} */
  const header = {};
  let end = 0;
  for (const { name, shape } of tensors)
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += 4 * count(shape))] };
  const text = JSON.stringify(header);
  const length = Math.ceil(text.length / 8) * 8;
  const file = Buffer.alloc(8 + length + end);
  file.writeBigUInt64LE(BigInt(length));
  file.write(text.padEnd(length), 8);
  const drawn = Buffer.from(normals(SEED, STD)(DRAWN).buffer);
  const one = Buffer.from(new Float32Array([1]).buffer);
  tensors.forEach(({ name, kind }, index) => {
    const {
      data_offsets: [from, to],
    } = /** @type {typeof header[string]} */ (header[name]);
    const tensor = file.subarray(8 + length + from, 8 + length + to);
    if (kind === 'ones') tensor.fill(one);
    if (kind !== 'drawn') return;
    // Two weights of one shape must not be the same weight.
    const shift = (4 * 7919 * index) % drawn.length;
    tensor.fill(Buffer.concat([drawn.subarray(shift), drawn.subarray(0, shift)]));
  });
  return file;
}
