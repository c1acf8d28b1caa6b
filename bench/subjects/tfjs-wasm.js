// TensorFlow.js on its wasm backend, with SIMD and threads.
//
// The backend lacks one kernel that training of BERT needs: `UnsortedSegmentSum`, the gradient of `gather`. The subject
// computes the same sum with `scatterND`, which the backend has. Everything else is as on WebGPU.

import * as tf from '@tensorflow/tfjs-core';
import { getThreadsCount, setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { cpuName, serve } from '../page/serve.js';
import { bert } from './tfjs-bert.js';

serve(async ({ work, threads, config, weights }) => {
  const files = Promise.all([config(), weights()]);
  setWasmPaths(new URL('./', self.location.href).href);
  if (threads) setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  const [settings, bytes] = await files;
  return {
    ...bert(settings, bytes, work, gather),
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
