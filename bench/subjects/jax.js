// jax-js on its WebGPU or its wasm backend: BERT as a function of its parameters, the whole step under one `jit`.
//
// Idiomatic use of the library: `valueAndGrad` of the loss, its `nn` functions, `take` for the embeddings, AdamW
// written inside the compiled step. `.ref` adds a reference where an array is used again, so that a step frees its
// buffers.

import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { CLIP_EPSILON, batchOf, decays } from '../cases.js';
import { cpuName, serve } from '../page/serve.js';
import { read } from './safetensors.js';

/** @typedef {import('@jax-js/jax').numpy.Array} Array */
/** @typedef {Record<string, Array>} Parameters */
/** @typedef {import('../cases.js').Work} Work */

serve(async ({ work, mode, device, config, weights }) => {
  const files = Promise.all([config(), weights()]);
  const backend = device === 'cpu' ? 'wasm' : 'webgpu';
  const devices = await init(backend);
  if (!devices.includes(backend)) throw new Error(`jax-js found no ${backend}`);
  defaultDevice(backend);
  const [settings, bytes] = await files;
  /** @type {Parameters} */
  const parameters = {};
  for (const [name, { shape, values }] of read(bytes)) parameters[name] = np.array(values).reshape(shape);
  await blockUntilReady(parameters);

  const logits = network(settings, work);
  const compiled = jit(logits);
  const train = mode === 'train' ? trainer(parameters, logits, settings, work) : undefined;
  return {
    step: train && ((at) => train(batchOf(work, at), at + 1)),
    forward: async () => await compiled(tree.ref(parameters), integers(batchOf(work, 0).ids)).data(),
    // It starts a worker for each logical core, and Chromium has the instructions that it looks for.
    cpu: device === 'cpu' ? cpuName('relaxed SIMD', navigator.hardwareConcurrency) : undefined,
  };
});

/** @param {number[]} values */
const integers = (values) => np.array(Int32Array.from(values));

/**
 * The logits `[batch, labels]` as a function of the parameters and the token ids.
 * @param {any} settings  config.json
 * @param {Work} work
 */
function network(
  { hidden_size: hidden, num_attention_heads: heads, num_hidden_layers: layers, layer_norm_eps: epsilon },
  { batch, seq },
) {
  return (/** @type {Parameters} */ given, /** @type {Array} */ ids) => {
    // Every parameter is used exactly once.
    const take = (/** @type {string} */ name) => {
      const found = given[name];
      if (!found) throw new Error(`the checkpoint has no ${name}`);
      return found;
    };
    const linear = (/** @type {Array} */ x, /** @type {string} */ at) =>
      np.matmul(x, take(`${at}.weight`).transpose()).add(take(`${at}.bias`));
    const norm = (/** @type {Array} */ x, /** @type {string} */ at) =>
      nn
        .standardize(x, -1, { epsilon })
        .mul(take(`${at}.weight`))
        .add(take(`${at}.bias`));
    const splitHeads = (/** @type {Array} */ x) => x.reshape([batch, seq, heads, hidden / heads]);

    // Two-dimensional ids: jax-js 0.1.25 does not compile the gradient of `take` followed by a reshape.
    const words = np.take(take('bert.embeddings.word_embeddings.weight'), ids.reshape([batch, seq]), 0);
    const positions = take('bert.embeddings.position_embeddings.weight').slice([0, seq]);
    const type = take('bert.embeddings.token_type_embeddings.weight').slice([0, 1]);
    let states = norm(words.add(positions.add(type)), 'bert.embeddings.LayerNorm').reshape([batch * seq, hidden]);
    for (let layer = 0; layer < layers; layer += 1) {
      const at = `bert.encoder.layer.${layer}`;
      const query = splitHeads(linear(states.ref, `${at}.attention.self.query`));
      const key = splitHeads(linear(states.ref, `${at}.attention.self.key`));
      const value = splitHeads(linear(states.ref, `${at}.attention.self.value`));
      const mixed = nn.dotProductAttention(query, key, value).reshape([batch * seq, hidden]);
      const between = norm(
        linear(mixed, `${at}.attention.output.dense`).add(states),
        `${at}.attention.output.LayerNorm`,
      );
      const inner = nn.gelu(linear(between.ref, `${at}.intermediate.dense`), { approximate: false });
      states = norm(linear(inner, `${at}.output.dense`).add(between), `${at}.output.LayerNorm`);
    }
    const first = states.reshape([batch, seq, hidden]).slice([], 0);
    return linear(np.tanh(linear(first, 'bert.pooler.dense')), 'classifier');
  };
}

/**
 * @param {Parameters} initial
 * @param {ReturnType<typeof network>} logits
 * @param {any} settings
 * @param {Work} work
 */
function trainer(initial, logits, { num_labels }, { arguments: options }) {
  const {
    learning_rate: rate,
    weight_decay,
    adam_beta1: beta1,
    adam_beta2: beta2,
    adam_epsilon,
    max_grad_norm,
  } = options;
  const loss = (/** @type {Parameters} */ parameters, /** @type {Array} */ ids, /** @type {Array} */ labels) =>
    nn.logSoftmax(logits(parameters, ids)).mul(nn.oneHot(labels, num_labels)).sum(-1).mean().mul(-1);

  const step = jit(
    (
      /** @type {Parameters} */ before,
      /** @type {Parameters} */ first,
      /** @type {Parameters} */ second,
      /** @type {Array} */ corrections,
      /** @type {Array} */ ids,
      /** @type {Array} */ labels,
    ) => {
      const [value, gradients] = valueAndGrad(loss)(tree.ref(before), ids, labels);
      const squares = Object.values(gradients).map((gradient) => np.square(gradient.ref).sum());
      const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
      const scale = np.minimum(np.array(max_grad_norm).div(norm.ref.add(CLIP_EPSILON)), 1);
      const one = corrections.ref.slice(0);
      const two = corrections.slice(1);
      /** @type {[Parameters, Parameters, Parameters]} */
      const [after, m, v] = [{}, {}, {}];
      for (const [name, gradient] of Object.entries(gradients)) {
        const clipped = gradient.mul(scale.ref);
        const moment = own(first, name)
          .mul(beta1)
          .add(clipped.ref.mul(1 - beta1));
        const spread = own(second, name)
          .mul(beta2)
          .add(np.square(clipped).mul(1 - beta2));
        const change = moment.ref
          .div(one.ref)
          .div(np.sqrt(spread.ref.div(two.ref)).add(adam_epsilon))
          .mul(rate);
        const kept = decays(name) ? own(before, name).mul(1 - rate * weight_decay) : own(before, name);
        after[name] = kept.sub(change);
        m[name] = moment;
        v[name] = spread;
      }
      tree.dispose([scale, one, two]);
      return { after, m, v, outputs: np.stack([value, norm]) };
    },
  );

  const zeros = () => Object.fromEntries(Object.entries(initial).map(([name, { shape }]) => [name, np.zeros(shape)]));
  let [parameters, m, v] = [initial, zeros(), zeros()];
  return async (/** @type {ReturnType<typeof batchOf>} */ { ids, labels }, /** @type {number} */ t) => {
    const corrections = np.array(Float32Array.of(1 - beta1 ** t, 1 - beta2 ** t));
    const next = step(parameters, m, v, corrections, integers(ids), integers(labels));
    ({ after: parameters, m, v } = next);
    const [value = NaN, norm = NaN] = await next.outputs.data();
    return { loss: value, norm };
  };
}

/**
 * @param {Parameters} parameters
 * @param {string} name
 */
function own(parameters, name) {
  const found = parameters[name];
  if (!found) throw new Error(`no ${name}`);
  return found;
}
