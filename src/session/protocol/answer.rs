//! What a request resolves to.

use super::{
    AuditView, BaselinesView, DatasetRows, DatasetView, DownloadResult, EvaluationReport,
    ExportPlan, HeadUse, ImportView, InterruptedRun, ModelView, PlanView, PredictResult,
    ResumeData, RowsView, SelfTestView, SplitView, TokenRows, TokensView,
};
use crate::Error;
use crate::hub::StoredModels;
use crate::settings::Recommendation;
use serde::Serialize;

/// The answer to a [`Request`](super::Request), as plain JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "each variant is named after its request")]
pub enum Answer {
    Dataset(DatasetView),
    DatasetRows(DatasetRows),
    Import(Box<ImportView>),
    Download(DownloadResult),
    Audit(AuditView),
    Baselines(BaselinesView),
    Recommendation(Recommendation),
    Split(SplitView),
    Rows(RowsView),
    Model(Box<ModelView>),
    Stored(StoredModels),
    Tokenized(TokensView),
    Tokens(TokenRows),
    Plan(PlanView),
    Evaluation(EvaluationReport),
    Prediction(PredictResult),
    ExportPlan(ExportPlan),
    Comparison(SelfTestView),
    Restored(TrainedState),
    Interrupted(Vec<InterruptedRun>),
    ResumeData(Box<ResumeData>),
    /// Nothing: the state says what is left.
    Discarded,
}

/// An error as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkerError {
    /// A short name, e.g. `model_file`, `settings`, `device`, `stopped`.
    #[cfg_attr(test, ts(as = "String"))]
    pub code: &'static str,
    /// What was wrong, where, what was expected and what to do.
    pub message: String,
    /// The setting at fault, if one is.
    pub field: Option<String>,
    /// The folders of the models among which the visitor has to choose; absent for any other error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<String>>"))]
    pub folders: Vec<String>,
}

impl From<&Error> for WorkerError {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            field: error.field().map(str::to_string),
            folders: error.folders().to_vec(),
        }
    }
}

/// What the session holds. The worker sends it with every answer and error, because the page keeps no copy of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionState {
    /// Rows of the dataset; null before there is one.
    pub dataset_rows: Option<usize>,
    /// Whether the dataset is split.
    pub split: bool,
    /// Name of the model; null before one is loaded.
    pub model: Option<String>,
    /// What a run on the dataset does with the head of the model's checkpoint; null before there are both.
    pub head: Option<HeadUse>,
    /// Whether the rows are tokenized.
    pub tokenized: bool,
    /// The model that can be classified with, evaluated and exported; null before a run has done a step.
    pub trained: Option<TrainedState>,
    /// The model that was trained before it; null when there is none. `restore_previous` exchanges both.
    pub previous: Option<TrainedState>,
}

/// The trained model that the session holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrainedState {
    /// `seed` of its run.
    pub seed: u32,
    /// Updates done.
    pub global_step: usize,
    /// Updates in total.
    pub max_steps: usize,
    /// Passes over the training rows done.
    pub epoch: f64,
}
