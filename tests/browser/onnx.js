// Runtimes that open an exported folder in Node: onnxruntime with the inputs made here, and the pipeline of
// transformers.js, which finds every file by itself. Neither may request anything from another server.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AutoTokenizer, env, pipeline } from '@huggingface/transformers';
import { InferenceSession, Tensor } from 'onnxruntime-node';

env.allowRemoteModels = false;

/** @typedef {'fp32'|'fp16'|'q8'} Precision */

/** @type {Record<Precision, string>} */
export const MODEL_FILES = {
  fp32: 'onnx/model.onnx',
  fp16: 'onnx/model_fp16.onnx',
  q8: 'onnx/model_quantized.onnx',
};

/**
 * The probabilities of each text by label id, computed by onnxruntime in one padded batch or text by text.
 * @param {string} folder
 * @param {Precision} precision
 * @param {string[]} texts
 * @param {{padded?: boolean}} [options]
 */
export async function fromOnnxruntime(folder, precision, texts, { padded = false } = {}) {
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const session = await InferenceSession.create(join(folder, MODEL_FILES[precision]));
  const batches = padded ? [texts] : texts.map((text) => [text]);
  /** @type {number[][]} */
  const probabilities = [];
  for (const batch of batches) {
    /** @type {Record<string, any>} */
    const encoded = await tokenizer(batch, { padding: true, truncation: true });
    /** @type {Record<string, Tensor>} */
    const feeds = {};
    for (const name of session.inputNames) {
      const { data, dims } = encoded[name];
      feeds[name] = new Tensor('int64', data, dims);
    }
    const { logits } = await session.run(feeds);
    if (!logits) throw new Error('the model has no output logits');
    const labels = logits.dims[1] ?? 0;
    const values = /** @type {Float32Array} */ (logits.data);
    for (let row = 0; row < batch.length; row += 1)
      probabilities.push(softmax([...values.subarray(row * labels, (row + 1) * labels)]));
  }
  const { inputNames, outputNames } = session;
  await session.release();
  return { probabilities, inputNames, outputNames };
}

/**
 * The probabilities of each text by label id, computed by the pipeline of transformers.js.
 * @param {string} folder
 * @param {Precision} dtype
 * @param {string[]} texts
 */
export async function fromPipeline(folder, dtype, texts) {
  /** @type {{label2id: Record<string, number>}} */
  const { label2id } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const classifier = await pipeline('text-classification', folder, { dtype });
  /** @type {number[][]} */
  const probabilities = [];
  for (const text of texts) {
    const scores = /** @type {{label: string, score: number}[]} */ (await classifier(text, { top_k: null }));
    const byId = new Array(scores.length).fill(NaN);
    for (const { label, score } of scores) byId[label2id[label] ?? -1] = score;
    probabilities.push(byId);
  }
  await classifier.dispose();
  return probabilities;
}

/** @param {number[]} logits */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const shares = logits.map((logit) => Math.exp(logit - largest));
  const sum = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => share / sum);
}

/** The label with the largest probability. @param {number[]} probabilities */
export const labelOf = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/**
 * The largest difference of two lists of probabilities; NaN if their sizes differ.
 * @param {number[][]} found
 * @param {number[][]} expected
 */
export function difference(found, expected) {
  if (found.length !== expected.length) return NaN;
  return Math.max(
    ...expected.flatMap((row, at) => row.map((value, label) => Math.abs((found[at]?.[label] ?? NaN) - value))),
  );
}
