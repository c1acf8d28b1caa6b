// The types that every panel shares, and what the page knows before anything has happened.

import { STAGES } from './stages.js';

/** @typedef {import('./protocol.js').WorkerError} WorkerError */

/**
 * A training run under way.
 * @typedef {object} Run
 * @property {import('./protocol.js').RunState} state
 * @property {number} step
 * @property {number} max_steps
 * @property {number} epoch
 * @property {number} tokens_per_second
 * @property {number} step_ms
 * @property {number} eta_ms
 * @property {{done: number, total: number}|null} evaluating
 */

/**
 * What was exported: kept, so that it can be saved again.
 * @typedef {import('./protocol.js').ExportResult & {blob: Blob}} Exported
 */

/**
 * @typedef {object} AppState
 * @property {import('./i18n.js').Language} language
 * @property {number} theme                     counts changes of the colours: charts draw again
 * @property {import('./protocol.js').OpenResult|null} opened
 * @property {boolean} opening                  the device is being opened and checked
 * @property {WorkerError|null} openError       the device was refused
 * @property {WorkerError|null} fatal           the worker is gone
 * @property {WorkerError|null} refused         why the last press of a button started nothing
 * @property {boolean} busy                     a run of one stage or more is under way
 * @property {Record<import('./stages.js').Stage, import('./stages.js').StageState>} stages
 * @property {import('./protocol.js').DatasetView|null} dataset
 * @property {import('./protocol.js').SplitView|null} split
 * @property {import('./protocol.js').ModelView|null} model
 * @property {boolean} ownModel                 the model came from the visitor's disk
 * @property {string} modelSource               where the model comes from: `site`, `disk`, or its name on the Hub
 * @property {{attempt: number, wait_ms: number}|null} retry  the connection is lost and will be tried again
 * @property {string[]} notices                 codes of what the visitor should know about the download
 * @property {import('./protocol.js').StoredView|null} stored
 * @property {WorkerError|null} storedError
 * @property {Extract<import('./protocol.js').ProgressEvent, {kind: 'download'}>|null} download
 * @property {string|null} phase                of loading the model
 * @property {import('./protocol.js').TokensView|null} tokens
 * @property {import('./protocol.js').PlanView|null} plan         with the form's values
 * @property {import('./protocol.js').PlanView|null} trainedPlan  with the last run's values
 * @property {Run|null} run
 * @property {number} speed                     tokens a second, of the run under way or of the last one
 * @property {import('./protocol.js').StepLog[]} logs  grows in place during a run
 * @property {import('./protocol.js').EvaluationReport[]} evaluations
 * @property {number|null} shownEvaluation      index; null is the latest
 * @property {import('./protocol.js').TrainResult|null} result
 * @property {{seed: number, step: number}|null} trained  the run whose weights the worker has
 * @property {{bytes: number}|null} exporting   bytes so far
 * @property {Exported|null} exported
 * @property {WorkerError|null} exportError
 * @property {boolean} comparing                every gradient, with the CPU's
 * @property {import('./protocol.js').SelfTest|null} comparison
 * @property {WorkerError|null} comparisonError
 * @property {string} sentence                  in the "try it" field
 * @property {{text: string, result: import('./protocol.js').PredictResult}|null} prediction
 */

/**
 * What a panel is given.
 * @typedef {object} App
 * @property {import('./state.js').Store<AppState>} store
 * @property {import('./state.js').Settings} settings
 * @property {import('./workflow.js').Workflow} workflow
 * @property {import('./session.js').Session} session
 */

/**
 * @param {import('./i18n.js').Language} language
 * @param {string} sentence
 * @returns {AppState}
 */
export function initialState(language, sentence) {
  const idle = STAGES.map((stage) => [stage, { state: 'idle', stale: false, progress: null, error: null }]);
  return {
    language,
    theme: 0,
    opened: null,
    opening: false,
    openError: null,
    fatal: null,
    refused: null,
    busy: false,
    stages: Object.fromEntries(idle),
    dataset: null,
    split: null,
    model: null,
    ownModel: false,
    modelSource: 'site',
    retry: null,
    notices: [],
    stored: null,
    storedError: null,
    download: null,
    phase: null,
    tokens: null,
    plan: null,
    trainedPlan: null,
    run: null,
    speed: 0,
    logs: [],
    evaluations: [],
    shownEvaluation: null,
    result: null,
    trained: null,
    exporting: null,
    exported: null,
    exportError: null,
    comparing: false,
    comparison: null,
    comparisonError: null,
    sentence,
    prediction: null,
  };
}
