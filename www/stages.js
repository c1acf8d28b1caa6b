// The stages in the order in which text flows through them, and what each one needs.

/** @typedef {import('./protocol.js').WorkerError} WorkerError */

export const STAGES = /** @type {const} */ (['dataset', 'split', 'model', 'tokens', 'training', 'evaluation', 'try']);
/** @typedef {typeof STAGES[number]} Stage */

/**
 * `progress` is a share of 1, or null while nobody can know it.
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

/** Settings outside of a stage's own group that change what it makes: batches decide how much is padding. */
export const GROUPS = { dataset: ['data'], split: ['data', 'split'], tokens: ['data', 'split', 'tokens'] };
export const BATCH_SETTINGS = ['per_device_train_batch_size', 'seed'];

/** A model of the Hub, `owner/name` or `owner/name@revision`. @typedef {{repo: string}} HubOrigin */

/**
 * A model from the visitor's disk; two that were chosen have different ids, whatever their names.
 * @typedef {{id: number, name: string, files: import('./protocol.js').ModelFile[]}} Origin
 */
