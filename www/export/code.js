// Code that uses an exported folder, and commands that repeat its run.

/** @typedef {import('../protocol.js').ExportPart} ExportPart */

/** The names that transformers.js has for the precisions of a network. */
const DTYPES = { onnx: 'fp32', onnx_fp16: 'fp16', onnx_quantized: 'q8' };
const SENTENCE = 'I love how well this blender works.';

/** @param {string} folder */
export const pythonLines = (folder) => [
  'from transformers import pipeline',
  '',
  `classifier = pipeline("text-classification", model=${JSON.stringify(folder)})`,
  `print(classifier(${JSON.stringify(SENTENCE)}))`,
];

/**
 * @param {string} folder
 * @param {'onnx'|'onnx_fp16'|'onnx_quantized'} network
 */
export const javascriptLines = (folder, network) => [
  'import { env, pipeline } from "@huggingface/transformers";',
  '',
  'env.allowRemoteModels = false;',
  'env.localModelPath = "./";',
  `const options = { dtype: ${JSON.stringify(DTYPES[network])} };`,
  `const classifier = await pipeline("text-classification", ${JSON.stringify(folder)}, options);`,
  `console.log(await classifier(${JSON.stringify(SENTENCE)}));`,
];

/** The same script by three launchers. */
export const COMMANDS = [
  'pip install -r requirements.txt',
  'python train.py',
  'accelerate launch train.py',
  'torchrun --nproc_per_node=2 train.py',
];
