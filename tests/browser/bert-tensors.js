// The tensors of a BERT: names, shapes and initial values.

import { uniforms } from '../../bench/cases.js';

/**
 * @typedef {object} Sizes
 * @property {number} vocab
 * @property {number} hidden
 * @property {number} layers
 * @property {number} inner        width of the feed-forward block
 * @property {number} positions
 * @property {number} [types]      default 2
 */

/** @typedef {{name: string, shape: number[], kind: 'random'|'ones'|'zeros'}} Shape  'random': random values */

/**
 * The tensors of `BertModel`, named as in `BertForSequenceClassification`: matrices are random, biases 0, LayerNorm
 * weights 1.
 * @param {Sizes} sizes
 * @param {number} [labels]  number of labels of the classifier; without it there is none
 */
export function bertTensors({ vocab, hidden, layers, inner, positions, types = 2 }, labels) {
  /** @type {Shape[]} */
  const tensors = [];
  const matrix = (/** @type {string} */ name, /** @type {number} */ rows, /** @type {number} */ columns) =>
    tensors.push({ name, shape: [rows, columns], kind: 'random' });
  const linear = (/** @type {string} */ name, /** @type {number} */ out, /** @type {number} */ into) => {
    matrix(`${name}.weight`, out, into);
    tensors.push({ name: `${name}.bias`, shape: [out], kind: 'zeros' });
  };
  const norm = (/** @type {string} */ name) =>
    tensors.push(
      { name: `${name}.weight`, shape: [hidden], kind: 'ones' },
      { name: `${name}.bias`, shape: [hidden], kind: 'zeros' },
    );
  matrix('bert.embeddings.word_embeddings.weight', vocab, hidden);
  matrix('bert.embeddings.position_embeddings.weight', positions, hidden);
  matrix('bert.embeddings.token_type_embeddings.weight', types, hidden);
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
  if (labels !== undefined) linear('classifier', labels, hidden);
  return tensors;
}

/** Number of elements of a tensor of this shape. @param {number[]} shape */
export const count = (shape) => shape.reduce((all, size) => all * size, 1);

/**
 * Initial values of a tensor.
 * @param {Shape} tensor
 * @param {(count: number) => Float32Array} draw
 */
export function values({ shape, kind }, draw) {
  if (kind === 'random') return draw(count(shape));
  return new Float32Array(count(shape)).fill(kind === 'ones' ? 1 : 0);
}

/**
 * A generator of normally distributed numbers (Box–Muller transform).
 * @param {number} seed
 * @param {number} std
 * @returns {(count: number) => Float32Array}
 */
export function normals(seed, std) {
  const draw = uniforms(seed);
  return (length) =>
    Float32Array.from({ length }, () => std * Math.sqrt(-2 * Math.log(draw())) * Math.cos(2 * Math.PI * draw()));
}
