// The computing work of a run, in units that do not depend on the device: one unit is the forward pass of one token
// through one parameter of the encoder.
//
// The weights of its parts (ACTIVATIONS, WEIGHTS and UPDATE) were measured on the CPU device with the built-in model.

import { knownModel } from './models.js';

/** @typedef {import('./state.js').AppState} AppState */
/** @typedef {import('./protocol.js').Values} Values */
/** @typedef {import('./recording/recording.js').Recording} Recording */
/** @typedef {Pick<AppState, 'plan'|'split'|'dataset'|'tokens'|'model'|'origin'>} Known */

/**
 * @typedef {object} Work
 * @property {number} units
 * @property {number} updates
 * @property {number} tokens_per_update  padding included
 * @property {string} kind               runs of another kind launch other kernels
 */

/**
 * @typedef {object} Job
 * @property {number} updates
 * @property {number} train_tokens       of the whole run, padding included
 * @property {number} eval_tokens        of all evaluations
 * @property {number} encoder            parameters of the encoder layers
 * @property {number} trainable          parameters that the optimizer updates
 * @property {number} passes             work of a training token, in forward passes
 */

/** The backward pass to the activations, and that to the weights, in forward passes. */
const ACTIVATIONS = 1;
const WEIGHTS = 0.75;
/** Clipping and AdamW on one parameter, in tokens of the forward pass through one parameter. */
const UPDATE = 90;

/** @param {Job} job */
export const unitsOf = ({ updates, train_tokens, eval_tokens, encoder, trainable, passes }) =>
  encoder * (passes * train_tokens + eval_tokens) + UPDATE * trainable * updates;

/**
 * The work of the run that would start now; null where it is not known.
 * @param {Known} known
 * @param {Values} values
 * @param {Recording} recording
 * @param {boolean} ownFolder  whether the address of the page names another folder than that of the built-in model
 * @returns {Work|null}
 */
export function workOf(known, values, recording, ownFolder = false) {
  const job = jobOf(known, values, recording, ownFolder);
  if (!job) return null;
  const kind = [values.tuning, values.gradient_checkpointing, values.fp16].join();
  return { units: unitsOf(job), updates: job.updates, tokens_per_update: job.train_tokens / job.updates, kind };
}

/**
 * The floating-point operations of the matrix products of the run that would start now, at least: a product takes a
 * multiplication and an addition, and attention and the optimizer are left out. Null where they are not known.
 * @param {Known} known
 * @param {Values} values
 * @param {Recording} recording
 * @param {boolean} ownFolder
 */
export function leastOperations(known, values, recording, ownFolder = false) {
  const job = jobOf(known, values, recording, ownFolder);
  return job && 2 * unitsOf({ ...job, trainable: 0 });
}

/**
 * @param {Known} known
 * @param {Values} values
 * @param {Recording} recording
 * @param {boolean} ownFolder
 * @returns {Job|null}
 */
function jobOf(known, values, recording, ownFolder) {
  const { plan, split } = known;
  const network = networkOf(known, ownFolder);
  const tokens = tokensPerRow(known, values, recording);
  if (!plan || !split || !network || tokens === null || plan.max_steps === 0) return null;
  const epochs = plan.max_steps / plan.steps_per_epoch;
  const { train_rows, validation_rows } = trainedRows(split, values);
  return {
    updates: plan.max_steps,
    train_tokens: epochs * train_rows * tokens,
    eval_tokens: evaluatedRows(Math.ceil(epochs - 1e-9), validation_rows, split.test_rows) * tokens,
    encoder: network.encoder,
    trainable: trainableOf(plan, values, network),
    passes: passesOf(values, network.layers),
  };
}

/**
 * The rows that a run is trained on, and those of the training part that it holds out.
 * @param {{train_rows: number}} split
 * @param {Values} values
 */
export function trainedRows({ train_rows: all }, { validation_size = 0 }) {
  const validation_rows = Math.min(all, Math.ceil(Number(validation_size) * all));
  return { train_rows: all - validation_rows, validation_rows };
}

/**
 * The rows of every evaluation of a run: each epoch is evaluated on the validation rows, and the final weights on the
 * test rows; without validation rows, each epoch on the test rows.
 * @param {number} epochs
 * @param {number} validation_rows
 * @param {number} test_rows
 */
const evaluatedRows = (epochs, validation_rows, test_rows) =>
  validation_rows > 0 ? epochs * validation_rows + test_rows : epochs * test_rows;

/** The most rows of each part whose embeddings the session computes. */
export const MOST_EMBEDDED = { train: 2000, test: 1000 };

/**
 * The work of the embeddings: one forward pass of the rows; null where it is not known.
 * @param {Known} known
 * @param {Values} values
 * @param {Recording} recording
 * @param {boolean} ownFolder
 */
export function forwardUnits(known, values, recording, ownFolder = false) {
  const network = networkOf(known, ownFolder);
  const tokens = tokensPerRow(known, values, recording);
  if (!network || tokens === null || !known.split) return null;
  const { train_rows, test_rows } = known.split;
  return (
    network.encoder * tokens * (Math.min(train_rows, MOST_EMBEDDED.train) + Math.min(test_rows, MOST_EMBEDDED.test))
  );
}

/**
 * The work of the recorded run.
 * @param {Recording} recording
 */
export function recordedUnits({ model, data, logs, evaluations, settings }) {
  return unitsOf({
    updates: logs.step.length,
    train_tokens: (logs.epoch.at(-1) ?? 0) * data.train_rows * data.tokens_per_row,
    eval_tokens: evaluations.length * data.test_rows * data.tokens_per_row,
    encoder: model.encoder_parameters,
    trainable: model.parameters,
    passes: passesOf(settings, 1),
  });
}

/**
 * Parameters of the encoder layers without biases and LayerNorm, which are few.
 * @param {{layers: number, hidden_size: number, intermediate_size: number}} sizes
 */
export const encoderParameters = ({ layers, hidden_size, intermediate_size }) =>
  layers * hidden_size * (4 * hidden_size + 2 * intermediate_size);

/** @typedef {{layers: number, encoder: number, parameters: number}} Network */

/**
 * @param {Known} known
 * @param {boolean} ownFolder
 * @returns {Network|null}
 */
function networkOf({ model, origin }, ownFolder) {
  if (model) {
    const { num_hidden_layers, hidden_size, intermediate_size } = model.config;
    const layers = Number(num_hidden_layers);
    const sizes = { layers, hidden_size: Number(hidden_size), intermediate_size: Number(intermediate_size) };
    return { layers, encoder: encoderParameters(sizes), parameters: model.parameters };
  }
  const found = origin.kind === 'site' && ownFolder ? null : knownModel(origin);
  if (!found) return null;
  const { layers, hidden_size, parameters } = found;
  return {
    layers,
    encoder: encoderParameters({ layers, hidden_size, intermediate_size: 4 * hidden_size }),
    parameters,
  };
}

/**
 * The mean tokens of a training row, padding included. Before the rows are tokenized, those of the recorded run, if the
 * dataset has as many different texts.
 * @param {Known} known
 * @param {Values} values
 * @param {Recording} recording
 */
function tokensPerRow({ tokens, split, dataset }, { padding, max_length }, { data }) {
  const limit = Number(max_length);
  if (padding === 'max_length') return limit;
  if (tokens && split && split.train_rows > 0) {
    // The longest row is the upper limit also where the rows were tokenized for another padding.
    const padded = (tokens.real_tokens + tokens.padding_tokens) / split.train_rows;
    return Math.min(padded, tokens.longest, limit);
  }
  if (dataset && dataset.distinct_texts !== data.distinct_texts) return null;
  return Math.min(data.tokens_per_row, limit);
}

/**
 * @param {import('./protocol.js').PlanView} plan
 * @param {Values} values
 * @param {Network} network
 */
function trainableOf({ memory }, { tuning, freeze_embeddings, freeze_layers }, { layers, encoder, parameters }) {
  // AdamW keeps two moments of four bytes for each trainable parameter.
  if (memory) return memory.optimizer / 8;
  if (tuning !== 'full') return 0;
  if (Number(freeze_layers) > 0) return encoder * trainedShare(Number(freeze_layers), layers);
  return freeze_embeddings ? encoder : parameters;
}

/**
 * The work of a training token, in forward passes.
 * @param {Values} values
 * @param {number} layers
 */
function passesOf({ tuning, gradient_checkpointing, freeze_layers }, layers) {
  if (tuning === 'head') return 1;
  const share = tuning === 'full' ? trainedShare(Number(freeze_layers), layers) : 1;
  const backward = tuning === 'lora' ? ACTIVATIONS : ACTIVATIONS + WEIGHTS;
  return 1 + share * (backward + (gradient_checkpointing ? 1 : 0));
}

/**
 * @param {number} frozen
 * @param {number} layers
 */
const trainedShare = (frozen, layers) => (layers > 0 ? Math.max(0, layers - frozen) / layers : 1);
