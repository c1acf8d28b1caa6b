// BERT written with the public API of TensorFlow.js, for all of its backends.
//
// Idiomatic use of the library: variables and `variableGrads`, weight decay before `train.adam`, one `tidy` per step,
// one asynchronous read at its end. The script of a backend has the rest: the embeddings and the linear layers.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { CLIP_EPSILON, batchOf, decays } from '../cases.js';
import { read } from './safetensors.js';

/** @typedef {import('../cases.js').Work} Work */
/** @typedef {ReturnType<typeof batchOf>} Batch */

/**
 * The operations that differ between the backends.
 * @typedef {object} Operations
 * @property {(table: tf.Tensor2D, ids: tf.Tensor1D) => tf.Tensor} gather  the rows of a table
 * @property {(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D) => tf.Tensor} linear  `x · weightᵀ + bias`
 */

/**
 * The subject on the backend that is set.
 * @param {any} settings      config.json
 * @param {Uint8Array} bytes  model.safetensors
 * @param {Work} work
 * @param {Operations} operations
 */
export function bert(settings, bytes, work, operations) {
  const model = new Bert(settings, bytes, work, operations);
  const train = trainer(model, work);
  return {
    step: (/** @type {number} */ at) => train(batchOf(work, at)),
    forward: async () => {
      const logits = tf.tidy(() => model.logits(batchOf(work, 0).ids));
      const values = await logits.data();
      logits.dispose();
      return values;
    },
  };
}

/** The classifier with the weights of the checkpoint. */
class Bert {
  /**
   * @param {any} settings   config.json
   * @param {Uint8Array} bytes
   * @param {Work} work
   * @param {Operations} operations
   */
  constructor(settings, bytes, { batch, seq }, operations) {
    this.settings = settings;
    this.operations = operations;
    this.batch = batch;
    this.seq = seq;
    /** @type {Map<string, tf.Variable>} */
    this.variables = new Map();
    for (const [name, { shape, values }] of read(bytes)) {
      const given = tf.tensor(values, shape);
      this.variables.set(name, tf.variable(given, true, name));
      given.dispose();
    }
  }

  /** @param {string} name */
  variable(name) {
    const found = this.variables.get(name);
    if (!found) throw new Error(`the checkpoint has no ${name}`);
    return found;
  }

  /**
   * The mean cross entropy of a batch.
   * @param {Batch} given
   * @returns {tf.Scalar}
   */
  loss({ ids, labels }) {
    const wanted = tf.oneHot(tf.tensor1d(labels, 'int32'), this.settings.num_labels);
    return /** @type {tf.Scalar} */ (tf.losses.softmaxCrossEntropy(tf.cast(wanted, 'float32'), this.logits(ids)));
  }

  /**
   * @param {number[]} ids
   * @returns {tf.Tensor2D}
   */
  logits(ids) {
    const { hidden_size: hidden, num_hidden_layers: layers } = this.settings;
    /** @type {tf.Tensor2D} */
    let states = this.#embeddings(ids);
    for (let layer = 0; layer < layers; layer += 1) states = this.#layer(states, `bert.encoder.layer.${layer}`);
    const rows = tf.reshape(states, [this.batch, this.seq, hidden]);
    /** @type {tf.Tensor2D} */
    const first = tf.reshape(tf.slice(rows, [0, 0, 0], [this.batch, 1, hidden]), [this.batch, hidden]);
    return this.#linear(/** @type {tf.Tensor2D} */ (tf.tanh(this.#linear(first, 'bert.pooler.dense'))), 'classifier');
  }

  /**
   * The embeddings, `[batch * seq, hidden]`.
   * @param {number[]} ids
   */
  #embeddings(ids) {
    const { hidden_size: hidden } = this.settings;
    const table = (/** @type {string} */ name) =>
      /** @type {tf.Tensor2D} */ (this.variable(`bert.embeddings.${name}_embeddings.weight`));
    const words = tf.reshape(this.operations.gather(table('word'), tf.tensor1d(ids, 'int32')), [
      this.batch,
      this.seq,
      hidden,
    ]);
    const positions = tf.slice(table('position'), [0, 0], [this.seq, hidden]);
    const type = tf.slice(table('token_type'), [0, 0], [1, hidden]);
    const together = tf.add(words, tf.add(positions, type));
    return this.#norm(tf.reshape(together, [this.batch * this.seq, hidden]), 'bert.embeddings.LayerNorm');
  }

  /**
   * @param {tf.Tensor2D} states
   * @param {string} at
   */
  #layer(states, at) {
    const attended = this.#linear(this.#attention(states, `${at}.attention.self`), `${at}.attention.output.dense`);
    const between = this.#norm(sum(attended, states), `${at}.attention.output.LayerNorm`);
    const inner = gelu(this.#linear(between, `${at}.intermediate.dense`));
    return this.#norm(sum(this.#linear(inner, `${at}.output.dense`), between), `${at}.output.LayerNorm`);
  }

  /**
   * @param {tf.Tensor2D} states
   * @param {string} at
   * @returns {tf.Tensor2D}
   */
  #attention(states, at) {
    const { hidden_size: hidden, num_attention_heads: heads } = this.settings;
    const part = (/** @type {string} */ name) => {
      const rows = tf.reshape(this.#linear(states, `${at}.${name}`), [this.batch, this.seq, heads, hidden / heads]);
      return tf.transpose(rows, [0, 2, 1, 3]);
    };
    const scores = tf.mul(tf.matMul(part('query'), part('key'), false, true), 1 / Math.sqrt(hidden / heads));
    const mixed = tf.matMul(tf.softmax(scores), part('value'));
    return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [this.batch * this.seq, hidden]);
  }

  /**
   * @param {tf.Tensor2D} x
   * @param {string} at
   * @returns {tf.Tensor2D}
   */
  #linear(x, at) {
    const [weight, bias] = [this.variable(`${at}.weight`), this.variable(`${at}.bias`)];
    const sums = this.operations.linear(x, /** @type {tf.Tensor2D} */ (weight), /** @type {tf.Tensor1D} */ (bias));
    return /** @type {tf.Tensor2D} */ (sums);
  }

  /**
   * @param {tf.Tensor2D} x
   * @param {string} at
   * @returns {tf.Tensor2D}
   */
  #norm(x, at) {
    const { mean, variance } = tf.moments(x, -1, true);
    const centred = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, this.settings.layer_norm_eps)));
    return tf.add(tf.mul(centred, this.variable(`${at}.weight`)), this.variable(`${at}.bias`));
  }
}

/**
 * @param {tf.Tensor2D} a
 * @param {tf.Tensor2D} b
 * @returns {tf.Tensor2D}
 */
const sum = (a, b) => tf.add(a, b);

/**
 * The exact GELU, with the error function.
 * @param {tf.Tensor2D} x
 * @returns {tf.Tensor2D}
 */
const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));

/**
 * One step: gradients, global norm clipping, AdamW.
 * @param {Bert} model
 * @param {Work} work
 */
function trainer(
  model,
  { arguments: { learning_rate, weight_decay, adam_beta1, adam_beta2, adam_epsilon, max_grad_norm } },
) {
  const variables = [...model.variables.values()];
  const decayed = variables.filter(({ name }) => decays(name));
  const adam = tf.train.adam(learning_rate, adam_beta1, adam_beta2, adam_epsilon);
  return async (/** @type {Batch} */ given) => {
    const outputs = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() => model.loss(given), variables);
      const squares = Object.values(grads).map((gradient) => tf.sum(tf.square(gradient)));
      // `addN` binds one buffer per input, which exceeds the limit of storage buffers of a shader.
      const norm = tf.sqrt(tf.sum(tf.stack(squares)));
      const scale = tf.minimum(tf.div(max_grad_norm, tf.add(norm, CLIP_EPSILON)), 1);
      const clipped = Object.fromEntries(
        Object.entries(grads).map(([name, gradient]) => [name, tf.mul(gradient, scale)]),
      );
      for (const variable of decayed) variable.assign(tf.mul(variable, 1 - learning_rate * weight_decay));
      adam.applyGradients(clipped);
      return tf.stack([value, norm]);
    });
    const [loss, norm] = await outputs.data();
    outputs.dispose();
    return { loss: loss ?? NaN, norm: norm ?? NaN };
  };
}
