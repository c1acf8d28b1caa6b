// Every message between the page and its worker. Generated from `src/session/protocol/`; do not edit.
// `WEBTUNE_UPDATE_PROTOCOL=1 cargo test --lib protocol` writes it, prettier formats it, and `cargo xtask test` fails
// when it is stale.

/** One value per setting, by name. */
export type Values = Record<string, number | boolean | string>;

/** The section of the page that has a setting in its form. */
export type Group = 'data' | 'split' | 'tokens' | 'training' | 'memory';

/** Type, default and bounds of a setting. */
export type Kind =
  | {
      type: 'integer';
      /** Default. */
      default: number;
      /** Smallest value. */
      min: number;
      /** Largest value. */
      max: number;
      /** Increment of an arrow key in the form. */
      step: number;
    }
  | {
      type: 'number';
      /** Default. */
      default: number;
      /** Smallest value. */
      min: number;
      /** Largest value. */
      max: number;
      /** Increment of an arrow key in the form. */
      step: number;
    }
  | {
      type: 'boolean';
      /** Default. */
      default: boolean;
    }
  | {
      type: 'choice';
      /** Default. */
      default: string;
      /** The allowed values. */
      choices: Array<string>;
    };

/** A hyper-parameter. */
export type Setting = {
  /** Its name; that of transformers, PEFT or scikit-learn if it exists there. */
  name: string;
  /** The section of the form. */
  group: Group;
  /** Whether the form shows it only under "more settings". */
  advanced: boolean;
  /** The explanation, one English sentence. */
  help: string;
} & (
  | {
      type: 'integer';
      /** Default. */
      default: number;
      /** Smallest value. */
      min: number;
      /** Largest value. */
      max: number;
      /** Increment of an arrow key in the form. */
      step: number;
    }
  | {
      type: 'number';
      /** Default. */
      default: number;
      /** Smallest value. */
      min: number;
      /** Largest value. */
      max: number;
      /** Increment of an arrow key in the form. */
      step: number;
    }
  | {
      type: 'boolean';
      /** Default. */
      default: boolean;
    }
  | {
      type: 'choice';
      /** Default. */
      default: string;
      /** The allowed values. */
      choices: Array<string>;
    }
);

/** A named set of values for every setting. */
export type Preset = {
  /** `recommended` or `article`. */
  id: string;
  /** A value for every setting. */
  values: Values;
};

/** The program: its version, settings and presets. */
export type DescribeResult = {
  /** Version of the crate. */
  version: string;
  /** Every setting. */
  settings: Array<Setting>;
  /** Named sets of values. */
  presets: Array<Preset>;
};

/** Kinds of devices. */
export type DeviceKind = 'webgpu' | 'cpu';

/** Why a device was chosen. */
export type DeviceReason =
  | 'requested'
  | 'webgpu_faster'
  | 'cpu_faster'
  | 'self_test_failed'
  | 'adapter_failed'
  | 'no_webgpu'
  | 'no_adapter'
  | 'device_refused';

/** What of a layer was timed on an adapter. */
export type TimedPart = 'layer' | 'products' | 'nothing';

/** The time of one encoder layer, forward and backward, on the CPU and on an adapter. */
export type DeviceSpeed = {
  /** Sequences of the batch. */
  batch: number;
  /** Tokens of each sequence. */
  seq: number;
  /** Milliseconds on the CPU. */
  cpu_ms: number;
  /** Milliseconds on the adapter, as `timed` says. */
  adapter_ms: number;
  /** What of the layer was timed on the adapter. */
  timed: TimedPart;
};

/** What computes. */
export type DeviceInfo = {
  /** Kind. */
  kind: DeviceKind;
  /** For the header, e.g. `nvidia ampere`, `google swiftshader (software)`, `CPU (WebAssembly SIMD, one thread)`. */
  name: string;
  /** As the adapter reports it; empty on the CPU. */
  vendor: string;
  /** As the adapter reports it; empty on the CPU. */
  architecture: string;
  /** A software adapter computes on the CPU: it is slow and is not a GPU. */
  software: boolean;
  /** Why it was chosen. */
  reason: DeviceReason;
  /** Name of the WebGPU adapter, also if the CPU is used; null where there is none or the browser was not asked. */
  adapter: string | null;
  /** Whether `adapter` is software, also if the CPU is used. */
  software_adapter: boolean;
  /** What the adapter answered when it refused a device, or the error of the operation that failed on it. */
  refusal: string | null;
  /** The times that decided; null where nothing was timed. */
  speed: DeviceSpeed | null;
  /** Bytes of the largest tensor that a kernel can bind; null on the CPU. */
  max_storage_buffer_binding_size: number | null;
  /** Bytes of the largest buffer; null on the CPU. */
  max_buffer_size: number | null;
  /** Whether kernels can compute in f16. */
  shader_f16: boolean;
};

/** The outcome of one check. */
export type Check = {
  /** Name of the computed quantity. */
  name: string;
  /** Largest absolute difference, relative to the largest expected value. */
  deviation: number;
  /** Largest deviation that passes. */
  tolerance: number;
  /** Whether the deviation is at most the tolerance. */
  passed: boolean;
};

/** A comparison of the device with the CPU. */
export type SelfTest = {
  /** Training is refused unless every check passed. */
  passed: boolean;
  /** In the order in which they ran. */
  checks: Array<Check>;
  /** How long it took, in milliseconds. */
  ms: number;
};

/** An open device and its start-up self-test. */
export type OpenResult = {
  /** What computes. */
  device: DeviceInfo;
  /** Kernels and one tiny training step, on this device and on the CPU. */
  self_test: SelfTest;
};

/** Something that the visitor should know before going on; nothing is refused. */
export type Warning = {
  /**
   * A short name: `warmup_longer_than_run`, `learning_rate_low_for_tuning`, `learning_rate_high`,
   * `learning_rate_high_for_tuning`, `texts_on_both_sides`, `class_missing_in_train`, `class_missing_in_test`,
   * `test_size_not_reached`.
   */
  code: string;
  /** One or two English sentences. */
  message: string;
  /** The numbers in the sentence, for a translation. */
  values: Record<string, number | string>;
};

/** One labeled text. */
export type Row = {
  /** The unmodified text. */
  text: string;
  /** Label id, an index into [`Dataset::labels`]. */
  label: number;
};

/** Where a dataset is from. */
export type DatasetSource = 'article' | 'reviews' | 'import' | 'hub' | 'cards' | 'rows';

/** The dataset. Its rows are requested page by page, because there may be many. */
export type DatasetView = {
  /** Number of rows. */
  num_rows: number;
  /** Label names by id. */
  labels: Array<string>;
  /** Rows by label id. */
  label_counts: Array<number>;
  /** Texts that differ from each other. */
  distinct_texts: number;
  /** Where it is from. */
  source: DatasetSource;
  /** Name of its file or dataset; empty where it has none. */
  name: string;
  /** Whether the visitor has changed it. */
  edited: boolean;
  /** Whether there is a change to take back. */
  can_undo: boolean;
  /** Whether there is a change to do again. */
  can_redo: boolean;
};

/** A row of the dataset. */
export type DatasetRow = {
  /** Its index in the dataset. */
  row: number;
  /** The unmodified text. */
  text: string;
  /** Label id. */
  label: number;
};

/** A page of the dataset. */
export type DatasetRows = {
  /** Position of the first row among those that are looked for. */
  offset: number;
  /** Rows that are looked for. */
  num_matching: number;
  /** The rows from there, in order. */
  rows: Array<DatasetRow>;
};

/** The format of a downloaded dataset. */
export type DownloadFormat = 'csv' | 'jsonl';

/** A file that was written of the dataset. */
export type DownloadResult = {
  /** Name of the file. */
  file: string;
  /** Its bytes. */
  bytes: number;
};

/** One edit of a dataset. Rows and labels are counted from 0. */
export type Edit =
  | {
      op: 'set';
      /** The row. */
      row: number;
      /** The new text. */
      text?: string;
      /** The new label id. */
      label?: number;
    }
  | {
      op: 'set_many';
      /** Pairs of a row and its new label id. */
      rows: Array<[number, number]>;
    }
  | {
      op: 'insert';
      /** The new rows. */
      rows: Array<Row>;
    }
  | {
      op: 'delete';
      /** The rows, in any order. */
      rows: Array<number>;
    }
  | {
      op: 'add_label';
      /** Its name. */
      name: string;
    }
  | {
      op: 'rename_label';
      /** The label id. */
      label: number;
      /** The new name. */
      name: string;
    }
  | {
      op: 'delete_label';
      /** The label id. */
      label: number;
    }
  | {
      op: 'merge_labels';
      /** The label ids that end. */
      from: Array<number>;
      /** The label id that gets their rows. */
      into: number;
    };

/** The encoding of a file. A byte order mark is no part of it. */
export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'cp949' | 'windows-1252';

/** The format of a file. */
export type TableFormat = 'csv' | 'tsv' | 'jsonl' | 'json';

/** What the visitor has chosen. `None` is detected. */
export type ImportOptions = {
  /** The encoding. */
  encoding: TextEncoding | null;
  /** The format. */
  format: TableFormat | null;
  /** The character between two cells, which is ASCII. */
  delimiter: string | null;
  /** Whether the first record names the columns. */
  header: boolean | null;
  /** Positions of the columns whose cells, joined with a blank, are the text. */
  text: Array<number> | null;
  /** Position of the column with the labels. */
  label: number | null;
};

/** What the file has been read with: the options, and what was detected for those that were `None`. */
export type Detected = {
  /** The encoding. */
  encoding: TextEncoding;
  /** The format. */
  format: TableFormat;
  /** The character between two cells. `None` for JSON. */
  delimiter: string | null;
  /** Whether the first record names the columns. `true` for JSON. */
  header: boolean;
  /** Names of the columns, as written in the header; `column 1`, … without one. */
  columns: Array<string>;
  /** Positions of the text's columns. */
  text: Array<number>;
  /** Position of the label's column. `None` if no column repeats its values. */
  label: number | null;
};

/** Why a record is no row. */
export type SkipReason =
  | { kind: 'empty_text' }
  | { kind: 'empty_label' }
  | {
      kind: 'ragged';
      /** The number of cells. */
      found: number;
      /** The number of cells of the first record. */
      expected: number;
    }
  | { kind: 'unclosed_quote' }
  | { kind: 'not_json' };

/** A record that is no row. */
export type SkippedRow = {
  /** The line on which the record begins, counted from 1. */
  line: number;
  /** Why it is no row. */
  reason: SkipReason;
  /** The beginning of the record, at most [`super::EXCERPT_CHARS`] characters. */
  excerpt: string;
};

/** A label and its rows. */
export type LabelCount = {
  /** Its name. */
  name: string;
  /** Its rows. */
  count: number;
};

/** A configuration of a dataset and its splits. */
export type DatasetConfig = {
  /** Its name, e.g. `default`. */
  config: string;
  /** The names of its splits, e.g. `train`. */
  splits: Array<string>;
};

/** Which rows of a dataset of the Hub were read. */
export type HubImportView = {
  /** Every configuration; empty when the Hub could not be asked. */
  configs: Array<DatasetConfig>;
  /** The configuration that was read. */
  config: string;
  /** The split that was read. */
  split: string;
  /** Rows of the whole split. */
  num_rows_total: number;
  /** Cells of which the Hub sent only the beginning. */
  truncated_cells: number;
};

/** A table that was read. */
export type ImportView = {
  /** Name of its file, folder or dataset. */
  name: string;
  /** How it was read. */
  detected: Detected;
  /** Cells of the first records, as they are written. */
  preview: Array<Array<string>>;
  /** Rows that can be used. */
  num_rows: number;
  /** Its labels by id. */
  labels: Array<LabelCount>;
  /** The first rows that cannot be used. */
  skipped: Array<SkippedRow>;
  /** Rows that cannot be used. */
  num_skipped: number;
  /** Ids of labels that differ only in blanks, case or number format. */
  same_labels: Array<Array<number>>;
  /** Bytes that were read. */
  bytes: number;
  /** Byte sequences that are invalid in the encoding. */
  num_malformed: number;
  /** Why the table cannot be used as it is read; null where it can. */
  problem: string | null;
  /** Where in the Hub it is from; null for a file. */
  hub: HubImportView | null;
};

/** How much a finding matters. */
export type Severity = 'error' | 'warning' | 'note';

/** A row of a finding. */
export type FindingRow = {
  /** The row of the dataset. */
  row: number;
  /** The beginning of its text, at most 300 characters. */
  text: string;
  /** Its label id. */
  label: number;
  /** The row it repeats, or the label that is suggested. */
  other: number | null;
  /** Tokens, or a share. */
  value: number | null;
};

/** What one click does about a finding. */
export type Remedy =
  | {
      kind: 'delete_rows';
      /** The rows, ascending. */
      rows: Array<number>;
    }
  | {
      kind: 'relabel';
      /** Pairs of a row and its new label id. */
      rows: Array<[number, number]>;
    }
  | {
      kind: 'merge_labels';
      /** The label ids that end. */
      from: Array<number>;
      /** The label id that gets their rows. */
      into: number;
    }
  | {
      kind: 'settings';
      /** The values by name. */
      values: Values;
    }
  | {
      kind: 'delete_label';
      /** The label id. */
      label: number;
    };

/** Something about the data or the settings that the visitor should know, and what removes it. */
export type Finding = {
  /** The kind, e.g. `duplicates_across_split`. */
  id: string;
  /** How much it matters. */
  severity: Severity;
  /** How many rows (or what the kind counts) are concerned. */
  count: number;
  /** Of how many. */
  of: number;
  /** The first 50 of the rows. */
  rows: Array<FindingRow>;
  /** The numbers and names in the text of the page. */
  params: Record<string, number | string | boolean | string[] | Record<string, number>>;
  /** What one click does, if there is something. */
  remedy: Remedy | null;
};

/** Problems that were found. */
export type AuditView = {
  /** The problems. */
  findings: Array<Finding>;
  /** Whether the split was looked at. */
  has_split: boolean;
  /** Whether the tokens were looked at. */
  has_tokens: boolean;
  /** Rows that were looked at. */
  num_rows: number;
};

/** A simple classifier, evaluated on the test part. */
export type BaselineView = {
  /** `majority`, `tfidf` or `embeddings`. */
  id: string;
  /** Share of the rows that it labels correctly. */
  eval_accuracy: number;
  /** Mean F1 of the classes. */
  macro_f1: number;
  /** Mean loss. */
  eval_loss: number;
  /** Milliseconds of fitting and evaluation. */
  ms: number;
};

/** The baselines that there are. */
export type BaselinesView = {
  /** The baselines, the simplest first. */
  baselines: Array<BaselineView>;
  /** Rows of the training part that they were fitted on. */
  train_rows: number;
  /** Rows of the test part that they were evaluated on. */
  test_rows: number;
};

/** Why a setting has its value. */
export type Reason = {
  /** Name of the setting. */
  setting: string;
  /** Code of the reason, see the module. */
  code: string;
  /** Numbers of the sentence. */
  params: Record<string, number>;
};

/** Values for a run, and why. */
export type Recommendation = {
  /** The settings that the rule decides; the others keep their values. */
  values: Values;
  /** One for each of them. */
  reasons: Array<Reason>;
  /** Updates of the run. */
  num_steps: number;
};

/** The training part and the test part. */
export type SplitView = {
  /** Rows of the training part. */
  train_rows: number;
  /** Rows of the test part. */
  test_rows: number;
  /** Label ids of the training part in the order of the split; null for a dataset of more than 500 rows. */
  train_labels: Array<number> | null;
  /** Label ids of the test part; null for a dataset of more than 500 rows. */
  test_labels: Array<number> | null;
  /** Training rows by label id. */
  train_label_counts: Array<number>;
  /** Test rows by label id. */
  test_label_counts: Array<number>;
  /** Test rows whose text is also in the training part. */
  test_rows_seen_in_train: number;
  /** What the visitor should know. */
  warnings: Array<Warning>;
};

/** A dataset that arrived already split. */
export type RowsResult = {
  /** Its rows. */
  dataset: DatasetView;
  /** Its parts. */
  split: SplitView;
};

/** What a run does with the head of the checkpoint. */
export type HeadUse = 'new' | 'kept' | 'reordered' | 'replaced';

/** The model that is loaded. */
export type ModelView = {
  /** e.g. `all-MiniLM-L6-v2`. */
  name: string;
  /** Where its files come from. */
  source: string;
  /** SPDX identifier, or `not stated`. */
  license: string;
  /** Of the file's tensors: `F16`, `F32`, ... */
  dtype: string;
  /** Bytes of the weights file. */
  bytes: number;
  /** Tensors in the file. */
  tensors: number;
  /** Parameters of the classifier that was built, its head included. */
  parameters: number;
  /** Whether the file has a pooler; else the pooler is new and random. */
  pooler: boolean;
  /** Whether the file has a classifier head; else the head is new and random. */
  classifier: boolean;
  /** The labels of that head, by which it answers before fine-tuning; null if it has none that chooses one label. */
  labels: Array<string> | null;
  /** What the visitor should know about how it was loaded. */
  notices: Array<Warning>;
  /** Tensors of the file that are not used. */
  skipped: Array<string>;
  /** The values of config.json under their own names. */
  config: Record<string, number | string | null>;
};

/** A part of the dataset. */
export type Part = 'train' | 'test';

/** A row as the model reads it, padded as in its batch of the first epoch. */
export type TokenRow = {
  /** Row index in the dataset. */
  row: number;
  /** Its part. */
  part: Part;
  /** WordPiece tokens, with `[CLS]`, `[SEP]` and any `[PAD]`. */
  tokens: Array<string>;
  /** Token ids. */
  input_ids: Array<number>;
  /** 1 for a token, 0 for padding. */
  attention_mask: Array<number>;
  /** Whether tokens beyond `max_length` were cut off. */
  truncated: boolean;
};

/** The rows as token ids. The rows themselves are requested page by page, because there may be many. */
export type TokensView = {
  /** Rows of both parts. */
  num_rows: number;
  /** Rows of which tokens beyond `max_length` were cut off. */
  truncated_rows: number;
  /** Tokens of one training epoch without padding. */
  real_tokens: number;
  /** Padding tokens of one training epoch with these settings. */
  padding_tokens: number;
  /** Tokens of the longest row. */
  longest: number;
  /** The limit that was used. */
  max_length: number;
  /** What the visitor should know: `unknown_tokens`, a vocabulary that does not suit the texts. */
  warnings: Array<Warning>;
};

/** A page of the tokenized rows. */
export type TokenRows = {
  /** Position of the first row: the training part comes first, then the test part. */
  offset: number;
  /** The rows from there, in the order of the split. */
  rows: Array<TokenRow>;
};

/** The device memory that a run needs, in bytes. */
export type MemoryPlan = {
  /** Parameters of the checkpoint and of adapters. */
  parameters: number;
  /** Copies of the trainable ones: of the loaded network if it is kept, and of the best epoch if it is restored. */
  original: number;
  /** The parameters of the model that was trained before and is kept. */
  kept: number;
  /** One gradient of each trainable parameter, and the accumulated gradients if there are several batches an update. */
  gradients: number;
  /** AdamW's two moments of each trainable parameter. */
  optimizer: number;
  /** What the forward pass stores for the backward pass, and the temporaries of both, at the widest batch. */
  activations: number;
  /** What does not depend on the run: the kernels' scalars and the buffers of read-backs. */
  runtime: number;
  /** The bytes of all buffers at the peak; less than the sum where gradients reuse buffers of activations. */
  total: number;
  /**
   * The largest tensor that depends on the batch. A kernel binds at most `maxStorageBufferBindingSize` bytes at
   * once.
   */
  largest: number;
};

/** Why a run does not fit into the memory of a device. All numbers are bytes. */
export type Shortage =
  | {
      kind: 'binding';
      /** Size of the tensor. */
      needs: number;
      /** The limit. */
      offered: number;
    }
  | {
      kind: 'memory';
      /** Size of the run. */
      needs: number;
      /** Memory that is available to it. */
      offered: number;
    }
  | {
      kind: 'kept';
      /** Size of the run and of that model. */
      needs: number;
      /** Size of that model. */
      kept: number;
      /** Memory that is available to both. */
      offered: number;
    };

/** What a [`Suggestion`] changes. */
export type SuggestionKind =
  'smaller_batch' | 'gradient_checkpointing' | 'smaller_batch_and_checkpointing' | 'lora' | 'freeze' | 'head';

/** A change of settings under which a run needs less memory. */
export type Suggestion = {
  /** What is changed. */
  kind: SuggestionKind;
  /** The settings to change, with their new values. */
  settings: Values;
  /** The memory that the run needs with them. */
  plan: MemoryPlan;
};

/** The memory that a run needs, whether the device has it, and what to change otherwise. */
export type MemoryReport = {
  /** Rows of the widest batch. */
  rows: number;
  /** Columns of the widest batch, in tokens. */
  tokens: number;
  /** Why it does not fit; none if it fits or has not been tried. */
  shortage: Shortage | null;
  /** Changes of settings with which the run needs less memory and fits, as far as is known. */
  suggestions: Array<Suggestion>;
  /** Parameters of the checkpoint and of adapters. */
  parameters: number;
  /** Copies of the trainable ones: of the loaded network if it is kept, and of the best epoch if it is restored. */
  original: number;
  /** The parameters of the model that was trained before and is kept. */
  kept: number;
  /** One gradient of each trainable parameter, and the accumulated gradients if there are several batches an update. */
  gradients: number;
  /** AdamW's two moments of each trainable parameter. */
  optimizer: number;
  /** What the forward pass stores for the backward pass, and the temporaries of both, at the widest batch. */
  activations: number;
  /** What does not depend on the run: the kernels' scalars and the buffers of read-backs. */
  runtime: number;
  /** The bytes of all buffers at the peak; less than the sum where gradients reuse buffers of activations. */
  total: number;
  /**
   * The largest tensor that depends on the batch. A kernel binds at most `maxStorageBufferBindingSize` bytes at
   * once.
   */
  largest: number;
};

/** The learning rate over the updates of a run. It has no entry for each update, because there may be many. */
export type Schedule = {
  /** Its type. */
  lr_scheduler_type: string;
  /** The highest learning rate that the run reaches. */
  peak: number;
  /**
   * Update (from 1) and its learning rate, in the order of the updates: the first, the last, the end of the warmup,
   * and some between them.
   */
  points: Array<[number, number]>;
};

/** What a run with the given settings will do. */
export type PlanView = {
  /** Updates in one pass over the rows. */
  steps_per_epoch: number;
  /** Updates in total. */
  max_steps: number;
  /** Updates of the warmup. */
  warmup_steps: number;
  /** The learning rates. */
  schedule: Schedule;
  /** What the visitor should know. */
  warnings: Array<Warning>;
  /** Null before a model is loaded. */
  memory: MemoryReport | null;
};

/** The log of one update, under transformers' names. */
export type StepLog = {
  /** Epochs done after this update. */
  epoch: number;
  /**
   * Norm of all gradients before clipping. With `fp16` it may be infinite or NaN: then the update was skipped and
   * the loss scale halved.
   */
  grad_norm: number;
  /**
   * Learning rate of the update; with `head_learning_rate` that of the body, as the Trainer logs the rate of the
   * first parameter group.
   */
  learning_rate: number;
  /** Mean loss over the rows of the update, before the update. */
  loss: number;
  /** Updates done, including this one. */
  step: number;
};

/** Precision, recall and F1 of one class. */
export type ClassReport = {
  /** Name. */
  label: string;
  /** 0 where no row was predicted to be of this class. */
  precision: number;
  /** 0 where no row is of this class. */
  recall: number;
  /** Harmonic mean of precision and recall. */
  f1: number;
  /** Rows of this class. */
  support: number;
};

/** The unweighted mean over the classes that occur among the labels or the predictions. */
export type MacroAverage = {
  /** Mean precision. */
  precision: number;
  /** Mean recall. */
  recall: number;
  /** Mean F1. */
  f1: number;
};

/** A row whose prediction is not its label. */
export type MisclassifiedRow = {
  /** Row index in the dataset. */
  row: number;
  /** Its text. */
  text: string;
  /** Its label id. */
  label: number;
  /** The predicted label id. */
  predicted: number;
  /** Probabilities by label id. */
  probabilities: Array<number>;
};

/** An evaluation of the test or validation part. Names and units are those of transformers and scikit-learn. */
export type EvaluationReport = {
  /** Updates done before it. */
  step: number;
  /** Passes over the training rows done before it. */
  epoch: number;
  /** Mean loss over the rows. */
  eval_loss: number;
  /** Share of rows whose prediction is their label. */
  eval_accuracy: number;
  /** By label id. */
  classes: Array<ClassReport>;
  /** The unweighted mean over the classes. */
  macro: MacroAverage;
  /** Rows by `confusion[label][predicted]`. */
  confusion: Array<Array<number>>;
  /** Number of rows whose prediction is not their label. */
  num_misclassified: number;
  /** The first of these rows, at most 100: a run has many reports, which the page keeps. */
  misclassified: Array<MisclassifiedRow>;
  /** Logits of each row, in order; null unless the request asks for them. */
  logits: Array<Array<number>> | null;
  /** Seconds. */
  eval_runtime: number;
  /** Rows per second. */
  eval_samples_per_second: number;
  /** Batches per second. */
  eval_steps_per_second: number;
};

/** The best evaluation at the end of an epoch. */
export type BestEvaluation = {
  /** Updates before it (`best_global_step`). */
  best_step: number;
  /** Passes over the training rows before it. */
  best_epoch: number;
  /** Its value of `metric_for_best_model`. */
  best_metric: number;
  /** Whether the model has the weights of this step (`load_best_model_at_end`). */
  restored: boolean;
};

/** The rows of an evaluation. */
export type EvaluatedPart = 'validation' | 'test';

/** Why a checkpoint could not be saved. */
export type NotSavedReason = 'no_storage' | 'storage_full';

/** What one call of the trainer did; `www/run.js` adds rates to a step before the page gets it. */
export type RunEvent =
  | {
      kind: 'step';
      /** Logs that were read from the device with this update. */
      logs: Array<StepLog>;
      /** Updates done. */
      step: number;
      /** Updates in total. */
      max_steps: number;
      /** Passes over the training rows done. */
      epoch: number;
      /** Tokens of the update, without padding. */
      tokens: number;
    }
  | {
      kind: 'evaluating';
      /** Rows done. */
      done: number;
      /** Rows in total. */
      total: number;
    }
  | {
      kind: 'evaluation';
      /** Its report. */
      report: EvaluationReport;
      /** The rows that were evaluated. */
      part: EvaluatedPart;
    }
  | {
      kind: 'saved';
      /** Updates done: the checkpoint is `results/checkpoint-{step}`. */
      step: number;
      /** Its bytes. */
      bytes: number;
      /** The steps of all saved checkpoints of the run, without those that `save_total_limit` has removed. */
      kept: Array<number>;
    }
  | {
      kind: 'not_saved';
      /** Updates done. */
      step: number;
      /** Why. */
      reason: NotSavedReason;
    }
  | {
      kind: 'state_saved';
      /** Identifies the stored run. */
      run: number;
      /** Updates done. */
      step: number;
      /** Bytes of the state; 0 before the first one. */
      bytes: number;
      /** Seconds that saving took. */
      seconds: number;
    }
  | {
      kind: 'state_not_saved';
      /** Updates done. */
      step: number;
      /** Why. */
      reason: NotSavedReason;
    }
  | { kind: 'finished' };

/** How a model is found again. */
export type ModelLocator =
  | {
      kind: 'site';
      /** Its address. */
      base: string;
    }
  | {
      kind: 'hub';
      /** `owner/name` or `owner/name@revision`. */
      repo: string;
    }
  | { kind: 'disk' };

/** An interrupted run. */
export type InterruptedSummary = {
  /** Name of its model. */
  model: string;
  /** Where its model is. */
  locator: ModelLocator;
  /** Name of its dataset; empty if it has none. */
  dataset: string;
  /** Where its rows are from. */
  source: DatasetSource;
  /** Rows of its dataset. */
  num_rows: number;
  /** Updates after which its state was saved; 0 if it was not. */
  step: number;
  /** Updates in total. */
  max_steps: number;
  /** The device that it was trained on. */
  device: string;
  /** Bytes of its last state. */
  bytes: number;
};

/** A run that ended before its last update, because its tab was closed or crashed, or its device failed. */
export type InterruptedRun = {
  /** Identifies it among the stored runs. */
  id: number;
  /** What is known of it; null where its files cannot be read. */
  summary: InterruptedSummary | null;
  /** Why it cannot be continued; null if it can. */
  problem: string | null;
};

/** The rows and the settings of an interrupted run, which are those of the session now. */
export type ResumeData = {
  /** The dataset. */
  dataset: DatasetView;
  /** Its split. */
  split: SplitView;
  /** The settings. */
  values: Values;
  /** Where its model is. */
  locator: ModelLocator;
};

/** An evaluation that the page was told of. */
export type ReportedEvaluation = {
  /** Its report. */
  report: EvaluationReport;
  /** The rows that were evaluated. */
  part: EvaluatedPart;
};

/** Where a run continues, and what the page shows of its steps before. */
export type ResumedRun = {
  /** Identifies it among the stored runs. */
  run: number;
  /** Bytes of the state that it continues from; 0 if it starts from its first step. */
  bytes: number;
  /** Updates done. */
  step: number;
  /** Updates in total. */
  max_steps: number;
  /** Passes over the training rows done. */
  epoch: number;
  /** Logs of at most 1,000 updates: all of them, or every n-th and the last one. */
  logs: Array<StepLog>;
  /** The evaluations. */
  evaluations: Array<ReportedEvaluation>;
};

/** The Trainer's summary at the end of a run. */
export type TrainResult = {
  /** Whether the visitor stopped the run before its end. */
  stopped: boolean;
  /** Whether it ended before its last update because the evaluations did not improve (`early_stopping_patience`). */
  stopped_early: boolean;
  /**
   * The evaluation that decided the best epoch; null without `load_best_model_at_end`, early stopping and
   * `save_strategy` best.
   */
  best: BestEvaluation | null;
  /** Updates done. */
  global_step: number;
  /** Updates in total. */
  max_steps: number;
  /** Passes over the training rows done. */
  epoch: number;
  /** Mean loss over the updates. */
  train_loss: number;
  /** Seconds, without pauses. */
  train_runtime: number;
  /** Training rows per second. */
  train_samples_per_second: number;
  /** Updates per second. */
  train_steps_per_second: number;
  /** Milliseconds from the start of the run to the end of its first step. */
  first_step_ms: number;
  /** The evaluation of the final weights; null when nothing was trained or the visitor stopped it. */
  evaluation: EvaluationReport | null;
};

/** Probabilities of a text. */
export type PredictResult = {
  /** WordPiece tokens. */
  tokens: Array<string>;
  /** Whether tokens beyond the model's limit were cut off. */
  truncated: boolean;
  /** Label names of the model by id: of the rows that it was trained on, or will be. */
  labels: Array<string>;
  /** By label id, of the model before training. */
  before: Array<number>;
  /** By label id, of the current model; null when nothing was trained. */
  after: Array<number> | null;
};

/** A file of an exported archive. */
export type ExportedFile = {
  /** Path inside the archive. */
  name: string;
  /** Bytes. */
  bytes: number;
};

/** A part of the folder. */
export type ExportPart =
  'model' | 'adapter' | 'onnx' | 'onnx_fp16' | 'onnx_quantized' | 'demo' | 'scripts' | 'logs' | 'results';

/** Why a part cannot be exported. */
export type UnavailableReason =
  'no_adapters' | 'adapters_of_mean_pooling' | 'adapters_of_new_pooler' | 'not_in_onnx' | 'no_checkpoints';

/** A part of the folder that can be exported. */
export type PlannedPart = {
  /** Which. */
  part: ExportPart;
  /** Its files; those of `demo` are the library that the page gives. */
  files: Array<ExportedFile>;
  /** Why it cannot be exported; null if it can. */
  unavailable: UnavailableReason | null;
};

/** What an export can contain. */
export type ExportPlan = {
  /** Name of the archive. */
  file: string;
  /** Every part, in the order of the form. */
  parts: Array<PlannedPart>;
};

/** An exported archive, whose bytes have arrived as `piece` events. */
export type ExportResult = {
  /** Name of the archive. */
  file: string;
  /** Bytes of the archive. */
  bytes: number;
  /** Files inside it. */
  files: Array<ExportedFile>;
};

/** A stored model of the Hub. */
export type StoredModel = {
  /** Names it when it is to be deleted. */
  key: string;
  /** The Hub's address. */
  endpoint: string;
  /** `owner/name`. */
  repo: string;
  /** As it was asked for. */
  revision: string;
  /** The commit that the revision was then. */
  commit: string;
  /** Whether every file is stored; otherwise a part is, from which a download continues. */
  complete: boolean;
  /** Bytes of its files. */
  bytes: number;
};

/** Every stored model, and how full the storage is. */
export type StoredView = {
  /** Whether the browser stores models for this page. */
  available: boolean;
  /** By repository and revision. */
  models: Array<StoredModel>;
  /** Bytes that this site stores, everything counted. */
  usage: number;
  /** Bytes that this site may store; 0 where that is unknown. */
  quota: number;
};

/** What a [`LoadEvent::Notice`] is about. */
export type NoticeCode = 'not_stored' | 'storage_full' | 'not_pinned';

/** A report about a model that is being loaded. */
export type LoadEvent =
  | {
      kind: 'phase';
      /** A short name, such as `hub`, `config`, `tokenizer` or `weights`. */
      phase: string;
    }
  | {
      kind: 'download';
      /** File name inside the model folder. */
      file: string;
      /** Bytes of it that are there. */
      loaded: number;
      /** Bytes of the whole file; 0 where the server does not say. */
      total: number;
      /** Mean rate since the connection was made. */
      bytes_per_second: number;
    }
  | {
      kind: 'retry';
      /** File name inside the model folder. */
      file: string;
      /** Requests in a row that brought no new byte. */
      attempt: number;
      /** Milliseconds until the next request. */
      wait_ms: number;
    }
  | {
      kind: 'notice';
      /** What it is. */
      code: NoticeCode;
    }
  | {
      kind: 'pinned';
      /** The commit's hash. */
      commit: string;
      /** Whether every file of it is stored, so that no network is needed. */
      stored: boolean;
    };

/** Progress of work on many rows. */
export type WorkEvent =
  | {
      kind: 'importing';
      /** Bytes done. */
      done: number;
      /** Bytes in total. */
      total: number;
    }
  | {
      kind: 'importing_rows';
      /** Rows done. */
      done: number;
      /** Rows in total. */
      total: number;
    }
  | {
      kind: 'tokenizing';
      /** Rows done. */
      done: number;
      /** Rows in total. */
      total: number;
    }
  | {
      kind: 'embedding';
      /** Rows done. */
      done: number;
      /** Rows in total. */
      total: number;
    }
  | {
      kind: 'evaluating';
      /** Rows done. */
      done: number;
      /** Rows in total. */
      total: number;
    };

/** Progress that the session reports. */
export type SessionEvent = LoadEvent | WorkEvent;

/** The trained model that the session holds. */
export type TrainedState = {
  /** `seed` of its run. */
  seed: number;
  /** Updates done. */
  global_step: number;
  /** Updates in total. */
  max_steps: number;
  /** Passes over the training rows done. */
  epoch: number;
};

/** What the session holds. The worker sends it with every answer and error, because the page keeps no copy of it. */
export type SessionState = {
  /** Rows of the dataset; null before there is one. */
  dataset_rows: number | null;
  /** Whether the dataset is split. */
  split: boolean;
  /** Name of the model; null before one is loaded. */
  model: string | null;
  /** What a run on the dataset does with the head of the model's checkpoint; null before there are both. */
  head: HeadUse | null;
  /** Whether the rows are tokenized. */
  tokenized: boolean;
  /** The model that can be classified with, evaluated and exported; null before a run has done a step. */
  trained: TrainedState | null;
  /** The model that was trained before it; null when there is none. `restore_previous` exchanges both. */
  previous: TrainedState | null;
};

/** An error as the page shows it. */
export type WorkerError = {
  /** A short name, e.g. `model_file`, `settings`, `device`, `stopped`. */
  code: string;
  /** What was wrong, where, what was expected and what to do. */
  message: string;
  /** The setting at fault, if one is. */
  field: string | null;
  /** The folders of the models among which the visitor has to choose; absent for any other error. */
  folders?: Array<string>;
};

/** One of the trained models that the session holds. */
export type KeptModel = 'trained' | 'previous';

/**
 * A request that the session answers. `values` names every setting with its value.
 *
 * The worker answers the others: `describe` and `open` come before there is a session, `load_files`, `import_files`
 * and `export` have `Blob`s, which are not JSON, and `train`, `resume` and `control` are many calls of the session.
 */
export type SessionRequest =
  | {
      type: 'dataset';
      /** The settings. */
      values: Values;
    }
  | {
      type: 'split';
      /** The settings. */
      values: Values;
    }
  | {
      type: 'rows';
      /** Rows of the training part. */
      train: Array<Row>;
      /** Rows of the test part. */
      test: Array<Row>;
      /** Label names by id. */
      labels: Array<string>;
    }
  | {
      type: 'dataset_rows';
      /** Position of the first row. */
      offset: number;
      /** Rows, at most 100. */
      count: number;
      /** Rows whose text contains this, whatever its case. */
      query?: string;
      /** Rows of this label only. */
      label?: number | null;
    }
  | {
      type: 'import_hub';
      /** Address of the rows API; empty for that of the Hub. */
      endpoint: string;
      /** `owner/name`. */
      dataset: string;
      /** Configuration; null takes `default`, or the first. */
      config: string | null;
      /** Split; null takes `train`, or the first. */
      split: string | null;
      /** The most rows. */
      max_rows: number;
      /** How to read them. */
      options: ImportOptions;
    }
  | {
      type: 'use_import';
      /** Whether the visitor agrees to leave out the rows that cannot be used. */
      skip_bad_rows: boolean;
      /** Whether labels that differ only in blanks, case or number format become one. */
      merge_labels: boolean;
    }
  | {
      type: 'new_dataset';
      /** Names of the classes. */
      labels: Array<string>;
    }
  | {
      type: 'edit';
      /** The change. */
      edit: Edit;
    }
  | { type: 'undo' }
  | { type: 'redo' }
  | {
      type: 'download_dataset';
      /** Format of the file. */
      format: DownloadFormat;
    }
  | {
      type: 'audit';
      /** The settings. */
      values: Values;
    }
  | { type: 'audit_labels' }
  | {
      type: 'baselines';
      /** Whether to compute embeddings, which takes a forward pass over the rows. */
      embeddings: boolean;
    }
  | {
      type: 'recommend';
      /** Seconds that a run may take; null for no limit. */
      budget_seconds: number | null;
      /** Seconds of a unit of work on this device; null when that is not known. */
      seconds_per_unit: number | null;
    }
  | {
      type: 'load_model';
      /** Address of the folder. */
      base: string;
    }
  | {
      type: 'load_hub';
      /** Address of the Hub. */
      endpoint: string;
      /** `owner/name` or `owner/name@revision`. */
      repo: string;
    }
  | { type: 'stored' }
  | {
      type: 'forget';
      /** The `key` of its entry in the list. */
      key: string;
    }
  | {
      type: 'tokenize';
      /** The settings. */
      values: Values;
    }
  | {
      type: 'tokens';
      /** Position of the first row. */
      offset: number;
      /** Rows, at most 100. */
      count: number;
    }
  | {
      type: 'plan';
      /** The settings. */
      values: Values;
    }
  | {
      type: 'evaluate';
      /** Whether the report has the logits of each row. */
      logits?: boolean;
    }
  | {
      type: 'predict';
      /** The text. */
      text: string;
    }
  | { type: 'plan_export' }
  | { type: 'restore_previous' }
  | {
      type: 'discard';
      /** Which. */
      model: KeptModel;
    }
  | { type: 'interrupted' }
  | {
      type: 'resume_data';
      /** The `id` of its entry in the list. */
      run: number;
    }
  | {
      type: 'discard_interrupted';
      /** The `id` of its entry in the list. */
      run: number;
    }
  | { type: 'compare' };

/** A file of the visitor's disk; `path` is its path inside its folder. */
export type VisitorFile = { path: string; blob: Blob };

/** A file of the demo, which is written to `demo/` under its name. */
export type LibraryFile = { name: string; file: Blob };

/** What the visitor does to a run. `stop` also stops the loading of a model, an import and other long work. */
export type ControlAction = 'pause' | 'resume' | 'step' | 'stop';

export type RunState = 'running' | 'paused' | 'stopped';

/** A request that the worker answers with more than one call of the session, or before there is one. */
export type WorkerRequest =
  | { type: 'describe' }
  | { type: 'open'; device: 'auto' | 'webgpu' | 'cpu'; threads?: number }
  | { type: 'load_files'; name: string; files: VisitorFile[]; folder?: string }
  | { type: 'import_files'; name: string; files: VisitorFile[]; options: Partial<ImportOptions> }
  | { type: 'export'; parts: ExportPart[]; library: LibraryFile[] }
  | { type: 'train'; values: Values; paused: boolean }
  | { type: 'resume'; run: number; paused: boolean }
  | { type: 'control'; action: ControlAction };

/** `control` is answered at once; every other request waits for the one before it. */
export type RequestBody = SessionRequest | WorkerRequest;

export type Request = RequestBody & { id: number };

/** One update, or several of which only the last is reported, with the rate of the run. */
export type StepEvent = Omit<Extract<RunEvent, { kind: 'step' }>, 'tokens'> & {
  tokens_per_second: number;
  step_ms: number;
  eta_ms: number;
};

/** Progress of the request with the same id. */
export type ProgressEvent =
  | SessionEvent
  | StepEvent
  | Extract<RunEvent, { kind: 'evaluation' | 'saved' | 'not_saved' | 'state_saved' | 'state_not_saved' }>
  | ({ kind: 'resumed' } & ResumedRun)
  | { kind: 'run'; state: RunState }
  | { kind: 'piece'; bytes: Uint8Array<ArrayBuffer> };

/** What each request resolves to. */
export type Results = {
  describe: DescribeResult;
  open: OpenResult;
  dataset: DatasetView;
  dataset_rows: DatasetRows;
  import_files: ImportView;
  import_hub: ImportView;
  use_import: DatasetView;
  new_dataset: DatasetView;
  edit: DatasetView;
  undo: DatasetView;
  redo: DatasetView;
  download_dataset: DownloadResult;
  audit: AuditView;
  audit_labels: AuditView;
  baselines: BaselinesView;
  recommend: Recommendation;
  split: SplitView;
  rows: RowsResult;
  load_model: ModelView;
  load_hub: ModelView;
  load_files: ModelView;
  stored: StoredView;
  forget: StoredView;
  tokenize: TokensView;
  tokens: TokenRows;
  plan: PlanView;
  train: TrainResult;
  resume: TrainResult;
  evaluate: EvaluationReport;
  predict: PredictResult;
  plan_export: ExportPlan;
  export: ExportResult;
  restore_previous: TrainedState;
  interrupted: InterruptedRun[];
  resume_data: ResumeData;
  discard_interrupted: InterruptedRun[];
  discard: null;
  compare: SelfTest;
  control: { state: RunState };
};

/** What the worker sends. `state` is what the session holds after the request; null before a device is open. */
export type Reply =
  | { type: 'result'; id: number; result: any; state: SessionState | null }
  | { type: 'error'; id: number; error: WorkerError; state: SessionState | null }
  | { type: 'event'; id: number; event: ProgressEvent }
  | { type: 'log'; level: 'log' | 'info' | 'warn' | 'error'; text: string }
  | { type: 'fatal'; error: WorkerError };
