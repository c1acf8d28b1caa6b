// The state of the page: its types, its initial value, and the store that tells listeners what changed.

import { rememberedParts } from './export/parts.js';
import { LogHistory } from './log-history.js';
import { isSameModel } from './same-model.js';
import { STAGES } from './stages.js';

/** @typedef {import('./reports.js').EvaluationReport} EvaluationReport */
/** @typedef {import('./protocol.js').PlanView} PlanView */
/** @typedef {import('./protocol.js').ProgressEvent} ProgressEvent */
/** @typedef {import('./protocol.js').WorkerError} WorkerError */
/** @typedef {import('./stages.js').Stage} Stage */
/** @typedef {import('./stages.js').StageState} StageState */

/**
 * @typedef {object} RunProgress
 * @property {import('./protocol.js').RunState} state
 * @property {boolean} byHand  whether it waits for the visitor after each step
 * @property {number} step
 * @property {number} max_steps
 * @property {number} epoch
 * @property {number} tokens_per_second
 * @property {number} step_ms
 * @property {number} eta_ms
 * @property {{done: number, total: number}|null} evaluating
 */

/** @typedef {{kind: 'running', plan: PlanView|null} & RunProgress} RunningRun */
/** @typedef {{kind: 'done', plan: PlanView|null, result: import('./protocol.js').TrainResult} & LastSpeed} DoneRun */
/**
 * @typedef {{kind: 'failed', plan: PlanView|null, error: WorkerError, paused: boolean, step: number,
 *   max_steps: number} & LastSpeed} FailedRun  `paused`: whether it waited for the visitor
 */
/** @typedef {{tokens_per_second: number}} LastSpeed */

/**
 * The latest training run; `plan` is that of its own settings. A run that ends before its first step with an error is
 * refused, and leaves the state of the run before.
 * @typedef {{kind: 'idle'} | RunningRun | DoneRun | FailedRun} Run
 */

/**
 * The prediction of a sentence; `logs` and `step` are those of the run that its model is of, see prediction.js.
 * @typedef {{text: string, result: import('./protocol.js').PredictResult, logs: LogHistory, step: number}} Prediction
 */

/**
 * An exported archive; `blob` is null where the visitor has it as a file of the disk.
 * @typedef {import('./protocol.js').ExportResult & {blob: Blob|null}} Exported
 */

/**
 * @typedef {{kind: 'idle'}
 *   | {kind: 'writing', bytes: number, total: number}
 *   | {kind: 'done', exported: Exported}
 *   | {kind: 'stopped'}
 *   | {kind: 'failed', error: WorkerError}} Archive
 */

/** @typedef {import('./protocol.js').NotSavedReason} NotSavedReason */
/**
 * The steps whose checkpoints are saved, and why the latest one is not.
 * @typedef {{kept: number[], notSaved: {step: number, reason: NotSavedReason}|null}} Checkpoints
 */

/**
 * The stored state of a run.
 * @typedef {object} SavedState
 * @property {number} run      identifies the run
 * @property {number} step     updates done
 * @property {number} bytes    0 before the first state
 * @property {number} seconds  that saving took
 */

/**
 * A failure of a device or worker, and the step from which its run continues; null while the device is being opened.
 * @typedef {import('./recovery.js').Failure & {from: number|null}} Recovered
 */

/**
 * The comparison of every gradient with the CPU's.
 * @typedef {{kind: 'idle'}
 *   | {kind: 'running'}
 *   | {kind: 'done', result: import('./protocol.js').SelfTest}
 *   | {kind: 'failed', error: WorkerError}} Comparison
 */

/**
 * Where a model comes from. Two choices from the visitor's disk have different ids, also if their names are equal.
 * @typedef {{kind: 'site'}
 *   | {kind: 'hub', repo: string}
 *   | {kind: 'disk', id: number, name: string, folder?: string, files: import('./protocol.js').VisitorFile[]}} Origin
 *   `folder` is the one of several models that the visitor has chosen; `repo` is `owner/name` or `owner/name@revision`
 */

/**
 * Where the rows of the dataset come from: the settings of the toy, or the visitor. Every change of the visitor's rows
 * has a new revision.
 * @typedef {{kind: 'toy'} | {kind: 'own', revision: number}} DataSource
 */

/**
 * What a dataset is read from. The browser reads files again from the disk.
 * @typedef {{kind: 'files', name: string, files: import('./protocol.js').VisitorFile[]}
 *   | {kind: 'hub', dataset: string, config: string|null, split: string|null, max_rows: number}} ImportInput
 */

/**
 * A table that was read and is not the dataset yet.
 * @typedef {object} PendingImport
 * @property {ImportInput} input
 * @property {import('./protocol.js').ImportOptions} options
 * @property {import('./protocol.js').ImportView|null} view   the latest one; null before the first
 * @property {boolean} isRead                  whether `view` is that of `input` and `options`
 * @property {WorkerError|null} error
 */

/** @typedef {'toy'|'table'|'cards'|'hub'} DataTool */

/**
 * @typedef {object} AppState
 * @property {import('./i18n.js').Language} language
 * @property {import('./views.js').View} view   the one that is shown
 * @property {import('./depth.js').Depth} depth  how much is shown
 * @property {boolean} projector                large type and high contrast, for a wall
 * @property {number} theme                     counts changes of the colours, so that charts are redrawn
 * @property {import('./protocol.js').OpenResult|null} opened
 * @property {boolean} opening                  the device is being opened and checked
 * @property {WorkerError|null} openError       the device was refused
 * @property {WorkerError|null} fatal           the worker has stopped
 * @property {WorkerError|null} refused         why the last press of a button started nothing
 * @property {boolean} busy                     the worker does something that excludes everything else
 * @property {Record<Stage, StageState>} stages
 * @property {import('./protocol.js').DatasetView|null} dataset
 * @property {DataSource} source                of `dataset`
 * @property {number|null} savedRevision        of `source`, when its rows were last written to a file
 * @property {DataTool} dataTool                which way to bring data is shown
 * @property {PendingImport|null} pendingImport
 * @property {{name: string, unit: 'bytes'|'rows', done: number, total: number}|null} importing
 * @property {import('./protocol.js').SplitView|null} split
 * @property {import('./protocol.js').ModelView|null} model
 * @property {import('./protocol.js').HeadUse|null} head  what a run does with the model's own head
 * @property {Origin} origin                    of `model`, or of the model to load first
 * @property {Origin|null} attempted            the one that was loaded last, also in vain
 * @property {{attempt: number, wait_ms: number}|null} retry  the connection is lost and will be tried again
 * @property {string[]} notices                 codes of what the visitor should know about the download
 * @property {import('./protocol.js').StoredView|null} stored
 * @property {WorkerError|null} storedError
 * @property {Extract<ProgressEvent, {kind: 'download'}>|null} download
 * @property {string|null} phase                of loading the model
 * @property {import('./protocol.js').TokensView|null} tokens
 * @property {PlanView|null} plan               with the form's values
 * @property {Run} run
 * @property {string|null} runInputs            the settings that `run` is made from, as text; null where there is none
 * @property {LogHistory} logs                of `run`; grows in place while it runs
 * @property {EvaluationReport[]} evaluations
 * @property {string|null} shownEvaluation      its key, see reports.js; null is the latest
 * @property {Checkpoints} checkpoints          of `run`
 * @property {SavedState|null} saved            the stored state of the run in progress
 * @property {{step: number, reason: NotSavedReason}|null} stateNotSaved  why its state could not be saved
 * @property {import('./protocol.js').InterruptedRun[]} interrupted
 * @property {Recovered|null} recovered         the last failure of a device or worker in a run that was continued
 * @property {import('./protocol.js').TrainedState|null} trained  the weights that the worker holds, as it reports them
 * @property {import('./protocol.js').TrainedState|null} previous  the other weights that the worker keeps
 * @property {import('./run-view.js').RunView|null} previousView   what the page shows of their run
 * @property {boolean} exchanged                whether `previous` is the newer of both
 * @property {import('./export/parts.js').Plan|null} exportPlan  of `trained`; null before the view is shown
 * @property {import('./protocol.js').ExportPart[]} exportParts    those that are ticked
 * @property {Archive} archive                  of `trained`
 * @property {Comparison} comparison
 * @property {string} sentence                  in the "try it" field
 * @property {Prediction|null} prediction
 * @property {import('./audit.js').AuditState} audit
 * @property {import('./baselines.js').BaselinesState} baselines
 * @property {import('./recommendation.js').RecommendationState} recommendation
 */

/**
 * @param {import('./i18n.js').Language} language
 * @param {{depth?: import('./depth.js').Depth, projector?: boolean}} [appearance]
 * @returns {AppState}
 */
export function initialState(language, { depth = 'explore', projector = false } = {}) {
  const idle = STAGES.map((stage) => [stage, { state: 'idle', stale: false, progress: null, error: null }]);
  return {
    language,
    view: 'overview',
    depth,
    projector,
    theme: 0,
    opened: null,
    opening: false,
    openError: null,
    fatal: null,
    refused: null,
    busy: false,
    stages: Object.fromEntries(idle),
    dataset: null,
    source: { kind: 'toy' },
    savedRevision: null,
    dataTool: 'toy',
    pendingImport: null,
    importing: null,
    split: null,
    model: null,
    head: null,
    origin: { kind: 'site' },
    attempted: null,
    retry: null,
    notices: [],
    stored: null,
    storedError: null,
    download: null,
    phase: null,
    tokens: null,
    plan: null,
    run: { kind: 'idle' },
    runInputs: null,
    logs: new LogHistory(),
    evaluations: [],
    shownEvaluation: null,
    checkpoints: { kept: [], notSaved: null },
    saved: null,
    stateNotSaved: null,
    interrupted: [],
    recovered: null,
    trained: null,
    previous: null,
    previousView: null,
    exchanged: false,
    exportPlan: null,
    exportParts: rememberedParts(),
    archive: { kind: 'idle' },
    comparison: { kind: 'idle' },
    sentence: '',
    prediction: null,
    audit: { view: null, labels: null, labelsOf: null, looking: null, error: null, undo: null },
    baselines: { baselines: [], split: null, missing: false, embedding: null, declined: false, error: null },
    recommendation: { view: null, of: '', asking: false, minutes: null, error: null },
  };
}

/**
 * A store whose `update` merges. Listeners of changed keys run in one scheduled task: on the page, once a frame.
 * @template {object} S
 */
export class Store {
  #schedule;
  /** @type {Set<keyof S>} */
  #changed = new Set();
  /** @type {{keys: (keyof S)[], listener: (state: S) => void}[]} */
  #listeners = [];

  /**
   * @param {S} initial
   * @param {(task: () => void) => void} [schedule]
   */
  constructor(initial, schedule = queueMicrotask) {
    /** Replaced by `update`, never changed in place. */
    this.state = initial;
    this.#schedule = schedule;
  }

  /** @param {Partial<S>} patch */
  update(patch) {
    const idle = this.#changed.size === 0;
    for (const key of /** @type {(keyof S)[]} */ (Object.keys(patch))) this.#changed.add(key);
    this.state = { ...this.state, ...patch };
    if (idle && this.#changed.size > 0) this.#schedule(() => this.#flush());
  }

  /**
   * @param {(keyof S)[]} keys
   * @param {(state: S) => void} listener  also runs once now
   */
  watch(keys, listener) {
    this.#listeners.push({ keys, listener });
    listener(this.state);
  }

  #flush() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { keys, listener } of this.#listeners) {
      if (keys.some((key) => changed.has(key))) listener(this.state);
    }
  }
}

/**
 * Takes over what the worker holds.
 * @param {Store<AppState>} store
 * @param {import('./protocol.js').SessionState} session
 */
export function takeSessionState(store, { trained, previous, head }) {
  const known = store.state;
  if (known.head !== head) store.update({ head });
  if (!isSameModel(known.trained, trained)) store.update({ trained, exportPlan: null });
  if (!isSameModel(known.previous, previous)) store.update({ previous });
  if (!previous && known.previousView) store.update({ previousView: null, exchanged: false });
}

/**
 * @param {Store<AppState>} store
 * @param {Stage} stage
 * @param {Partial<StageState>} patch
 */
export function patchStage(store, stage, patch) {
  const { stages } = store.state;
  store.update({ stages: { ...stages, [stage]: { ...stages[stage], ...patch } } });
}

/**
 * Changes the progress of the run, if one is running.
 * @param {Store<AppState>} store
 * @param {Partial<RunProgress>} patch
 */
export function patchRun(store, patch) {
  const { run } = store.state;
  if (run.kind === 'running') store.update({ run: { ...run, ...patch } });
}

/** @param {AppState} state */
export const runningRun = ({ run }) => (run.kind === 'running' ? run : null);

/** Whether the worker cannot begin anything now. @param {Pick<AppState, 'busy'|'opened'|'fatal'>} state */
export const isBlocked = ({ busy, opened, fatal }) => busy || opened === null || fatal !== null;

/** The result of a run that ended without an error. @param {AppState} state */
export const runResult = ({ run }) => (run.kind === 'done' ? run.result : null);
