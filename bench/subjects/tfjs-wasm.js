// TensorFlow.js on its wasm backend, with SIMD and threads.
//
// What differs from WebGPU:
// - The backend has no kernel `UnsortedSegmentSum`, the gradient of `gather`: the same sum is a `scatterND`. It has all
//   other kernels that training of BERT needs.
// - Its `fused.matMul` with `transposeB` adds the last value of the bias to all rows but the first (4.22.0), so the
// bias
//   is added separately.
// - Products of transposed operands do not use its vectors and threads: the operands are transposed before the product,
//   in the backward pass too, which is 5 times as fast.

import * as tf from '@tensorflow/tfjs-core';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { cpuName, serve } from '../page/serve.js';
import { bert } from './tfjs-bert.js';

serve(async ({ work, threads, config, weights }) => {
  const files = Promise.all([config(), weights()]);
  setWasmPaths(new URL('./', self.location.href).href);
  // The backend takes fewer on its own account: of two logical cores one.
  setThreadsCount(threads ?? navigator.hardwareConcurrency);
  await tf.setBackend('wasm');
  await tf.ready();
  const [settings, bytes] = await files;
  return {
    ...bert(settings, bytes, work, { gather, linear }),
    cpu: cpuName('SIMD', getThreadsCount()),
  };
});

/**
 * The rows of a table, with a gradient that adds up the rows of equal ids.
 * @param {tf.Tensor2D} table
 * @param {tf.Tensor1D} ids
 */
function gather(table, ids) {
  const rows = tf.customGrad((/** @type {any} */ values, /** @type {any} */ save) => {
    save([ids]);
    return {
      value: tf.gather(values, ids),
      gradFunc: (/** @type {tf.Tensor} */ gradient, /** @type {any} */ [saved]) =>
        tf.scatterND(tf.reshape(saved, [-1, 1]), gradient, table.shape),
    };
  });
  return rows(table);
}

/**
 * @param {tf.Tensor2D} x
 * @param {tf.Tensor2D} weight
 * @param {tf.Tensor1D} bias
 */
function linear(x, weight, bias) {
  const layer = tf.customGrad(
    (/** @type {any} */ a, /** @type {any} */ b, /** @type {any} */ c, /** @type {any} */ save) => {
      save([a, b]);
      return {
        value: tf.add(tf.matMul(a, tf.transpose(b)), c),
        gradFunc: (/** @type {any} */ gradient, /** @type {any} */ [input, rows]) => [
          tf.matMul(gradient, rows),
          tf.matMul(tf.transpose(gradient), input),
          tf.sum(gradient, 0),
        ],
      };
    },
  );
  return layer(x, weight, bias);
}
