//! What the page shows before, during and after a run.

use crate::Warning;
use crate::export::{ExportPart, UnavailableReason};
use crate::train::{MemoryReport, Schedule, StepLog};
use serde::{Deserialize, Serialize};

/// What a run with the given settings will do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PlanView {
    /// Updates in one pass over the rows.
    pub steps_per_epoch: usize,
    /// Updates in total.
    pub max_steps: usize,
    /// Updates of the warmup.
    pub warmup_steps: usize,
    /// The learning rates.
    pub schedule: Schedule,
    /// What the visitor should know.
    pub warnings: Vec<Warning>,
    /// Null before a model is loaded.
    pub memory: Option<MemoryReport>,
}

/// What one call of the trainer did; `www/run.js` adds rates to a step before the page gets it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunEvent {
    /// One update.
    Step {
        /// Logs that were read from the device with this update.
        logs: Vec<StepLog>,
        /// Updates done.
        step: usize,
        /// Updates in total.
        max_steps: usize,
        /// Passes over the training rows done.
        epoch: f64,
        /// Tokens of the update, without padding.
        tokens: usize,
    },
    /// One batch of an evaluation.
    Evaluating {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
    /// The evaluation at the end of an epoch or of the run is done.
    Evaluation {
        /// Its report.
        report: EvaluationReport,
        /// The rows that were evaluated.
        part: EvaluatedPart,
    },
    /// A checkpoint is saved (`save_strategy`).
    Saved {
        /// Updates done: the checkpoint is `results/checkpoint-{step}`.
        step: usize,
        /// Its bytes.
        bytes: u64,
        /// The steps of all saved checkpoints of the run, without those that `save_total_limit` has removed.
        kept: Vec<usize>,
    },
    /// A checkpoint could not be saved. The run goes on, and the checkpoints before it stay.
    NotSaved {
        /// Updates done.
        step: usize,
        /// Why.
        reason: NotSavedReason,
    },
    /// The state of the run is saved, so that it can be continued after a crash.
    StateSaved {
        /// Identifies the stored run.
        run: usize,
        /// Updates done.
        step: usize,
        /// Bytes of the state; 0 before the first one.
        bytes: u64,
        /// Seconds that saving took.
        seconds: f64,
    },
    /// The state of the run could not be saved. The run continues, and the states before it stay.
    StateNotSaved {
        /// Updates done.
        step: usize,
        /// Why.
        reason: NotSavedReason,
    },
    /// The run has done all its steps.
    Finished,
}

/// Why a checkpoint could not be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NotSavedReason {
    /// The browser does not let the page store files. Nothing is saved for the rest of the run.
    NoStorage,
    /// It does not fit into the storage.
    StorageFull,
}

/// The rows of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum EvaluatedPart {
    /// The rows that `validation_size` holds out of the training part.
    Validation,
    /// The test part.
    Test,
}

/// Precision, recall and F1 of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "ClassReport"))]
pub struct ClassView {
    /// Name.
    pub label: String,
    /// 0 where no row was predicted to be of this class.
    pub precision: f64,
    /// 0 where no row is of this class.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Rows of this class.
    pub support: usize,
}

/// The unweighted mean over the classes that occur among the labels or the predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "MacroAverage"))]
pub struct MacroView {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
}

/// A row whose prediction is not its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "MisclassifiedRow"))]
pub struct MisclassifiedView {
    /// Row index in the dataset.
    pub row: usize,
    /// Its text.
    pub text: String,
    /// Its label id.
    pub label: usize,
    /// The predicted label id.
    pub predicted: usize,
    /// Probabilities by label id.
    pub probabilities: Vec<f32>,
}

/// The most misclassified rows of a report.
pub(crate) const MAX_MISCLASSIFIED: usize = 100;

/// An evaluation of the test or validation part. Names and units are those of transformers and scikit-learn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EvaluationReport {
    /// Updates done before it.
    pub step: usize,
    /// Passes over the training rows done before it.
    pub epoch: f64,
    /// Mean loss over the rows.
    pub eval_loss: f64,
    /// Share of rows whose prediction is their label.
    pub eval_accuracy: f64,
    /// By label id.
    pub classes: Vec<ClassView>,
    /// The unweighted mean over the classes.
    #[serde(rename = "macro")]
    pub macro_average: MacroView,
    /// Rows by `confusion[label][predicted]`.
    pub confusion: Vec<Vec<usize>>,
    /// Number of rows whose prediction is not their label.
    pub num_misclassified: usize,
    /// The first of these rows, at most 100: a run has many reports, which the page keeps.
    pub misclassified: Vec<MisclassifiedView>,
    /// Logits of each row, in order; null unless the request asks for them.
    pub logits: Option<Vec<Vec<f32>>>,
    /// Seconds.
    pub eval_runtime: f64,
    /// Rows per second.
    pub eval_samples_per_second: f64,
    /// Batches per second.
    pub eval_steps_per_second: f64,
}

/// The best evaluation at the end of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "BestEvaluation"))]
pub struct BestView {
    /// Updates before it (`best_global_step`).
    pub best_step: usize,
    /// Passes over the training rows before it.
    pub best_epoch: f64,
    /// Its value of `metric_for_best_model`.
    pub best_metric: f64,
    /// Whether the model has the weights of this step (`load_best_model_at_end`).
    pub restored: bool,
}

/// The Trainer's summary at the end of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrainResult {
    /// Whether the visitor stopped the run before its end.
    pub stopped: bool,
    /// Whether it ended before its last update because the evaluations did not improve (`early_stopping_patience`).
    pub stopped_early: bool,
    /// The evaluation that decided the best epoch; null without `load_best_model_at_end`, early stopping and
    /// `save_strategy` best.
    pub best: Option<BestView>,
    /// Updates done.
    pub global_step: usize,
    /// Updates in total.
    pub max_steps: usize,
    /// Passes over the training rows done.
    pub epoch: f64,
    /// Mean loss over the updates.
    pub train_loss: f64,
    /// Seconds, without pauses.
    pub train_runtime: f64,
    /// Training rows per second.
    pub train_samples_per_second: f64,
    /// Updates per second.
    pub train_steps_per_second: f64,
    /// Milliseconds from the start of the run to the end of its first step.
    pub first_step_ms: f64,
    /// The evaluation of the final weights; null when nothing was trained or the visitor stopped it.
    pub evaluation: Option<EvaluationReport>,
}

/// Probabilities of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PredictResult {
    /// WordPiece tokens.
    pub tokens: Vec<String>,
    /// Whether tokens beyond the model's limit were cut off.
    pub truncated: bool,
    /// Label names of the model by id: of the rows that it was trained on, or will be.
    pub labels: Vec<String>,
    /// By label id, of the model before training.
    pub before: Vec<f32>,
    /// By label id, of the current model; null when nothing was trained.
    pub after: Option<Vec<f32>>,
}

/// A file of an exported archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ExportedFile {
    /// Path inside the archive.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
}

/// An exported archive, whose bytes have arrived as `piece` events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ExportResult {
    /// Name of the archive.
    pub file: String,
    /// Bytes of the archive.
    pub bytes: u64,
    /// Files inside it.
    pub files: Vec<ExportedFile>,
}

/// A part of the folder that can be exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PlannedPart {
    /// Which.
    pub part: ExportPart,
    /// Its files; those of `demo` are the library that the page gives.
    pub files: Vec<ExportedFile>,
    /// Why it cannot be exported; null if it can.
    pub unavailable: Option<UnavailableReason>,
}

/// What an export can contain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ExportPlan {
    /// Name of the archive.
    pub file: String,
    /// Every part, in the order of the form.
    pub parts: Vec<PlannedPart>,
}
