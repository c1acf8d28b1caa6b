// The stages in the order in which data flows through them, and the inputs of each.

/** @typedef {import('./protocol.js').WorkerError} WorkerError */

export const STAGES = /** @type {const} */ (['dataset', 'split', 'model', 'tokens', 'training', 'evaluation', 'try']);
/** @typedef {typeof STAGES[number]} Stage */

/**
 * `progress` is a share of 1, or null while it is unknown.
 * @typedef {object} StageState
 * @property {'idle'|'running'|'done'|'error'} state
 * @property {boolean} stale           made with other settings than the form has now
 * @property {number|null} progress
 * @property {WorkerError|null} error
 */

/** @type {Record<Stage, Stage[]>} */
export const NEEDS = {
  dataset: [],
  split: ['dataset'],
  model: [],
  tokens: ['split', 'model'],
  training: ['tokens'],
  evaluation: ['tokens'],
  try: ['model'],
};

/** The groups of settings that a stage depends on; a stage that is not listed depends on all of them. */
export const GROUPS = { dataset: ['data'], split: ['data', 'split'], tokens: ['data', 'split', 'tokens'] };
/** Settings in the form of the dataset that change the split only. */
export const SPLIT_SETTINGS = ['group_duplicates'];
/** Settings of other groups that the tokens depend on: the batches decide the amount of padding. */
export const BATCH_SETTINGS = ['per_device_train_batch_size', 'seed'];
