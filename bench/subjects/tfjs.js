// TensorFlow.js on its WebGPU backend: `gather` for the embeddings, `fused.matMul` for a matrix product with bias.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';
import { serve } from '../page/serve.js';
import { bert } from './tfjs-bert.js';

serve(async ({ work, config, weights }) => {
  const files = Promise.all([config(), weights()]);
  await tf.setBackend('webgpu');
  await tf.ready();
  const [settings, bytes] = await files;
  return bert(settings, bytes, work, {
    gather: tf.gather,
    linear: (a, b, bias) => tf.fused.matMul({ a, b, transposeB: true, bias }),
  });
});
