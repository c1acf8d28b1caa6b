//! What the page shows of runs that were interrupted.

use super::{DatasetSource, DatasetView, EvaluatedPart, EvaluationReport, SplitView};
use crate::settings::Values;
use crate::train::StepLog;
use serde::{Deserialize, Serialize};

/// How a model is found again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelLocator {
    /// A folder of a site.
    Site {
        /// Its address.
        base: String,
    },
    /// A repository of a Hub.
    Hub {
        /// `owner/name` or `owner/name@revision`.
        repo: String,
    },
    /// Files of the visitor's disk, which only the page can read again.
    Disk,
}

/// A run that ended before its last update, because its tab was closed or crashed, or its device failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InterruptedRun {
    /// Identifies it among the stored runs.
    pub id: usize,
    /// What is known of it; null where its files cannot be read.
    pub summary: Option<InterruptedSummary>,
    /// Why it cannot be continued; null if it can.
    pub problem: Option<String>,
}

/// An interrupted run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct InterruptedSummary {
    /// Name of its model.
    pub model: String,
    /// Where its model is.
    pub locator: ModelLocator,
    /// Name of its dataset; empty if it has none.
    pub dataset: String,
    /// Where its rows are from.
    pub source: DatasetSource,
    /// Rows of its dataset.
    pub num_rows: usize,
    /// Updates after which its state was saved; 0 if it was not.
    pub step: usize,
    /// Updates in total.
    pub max_steps: usize,
    /// The device that it was trained on.
    pub device: String,
    /// Bytes of its last state.
    pub bytes: u64,
}

/// The rows and the settings of an interrupted run, which are those of the session now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ResumeData {
    /// The dataset.
    pub dataset: DatasetView,
    /// Its split.
    pub split: SplitView,
    /// The settings.
    #[cfg_attr(test, ts(type = "Values"))]
    pub values: Values,
    /// Where its model is.
    pub locator: ModelLocator,
}

/// Where a run continues, and what the page shows of its steps before.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ResumedRun {
    /// Identifies it among the stored runs.
    pub run: usize,
    /// Bytes of the state that it continues from; 0 if it starts from its first step.
    pub bytes: u64,
    /// Updates done.
    pub step: usize,
    /// Updates in total.
    pub max_steps: usize,
    /// Passes over the training rows done.
    pub epoch: f64,
    /// Logs of at most 1,000 updates: all of them, or every n-th and the last one.
    pub logs: Vec<StepLog>,
    /// The evaluations.
    pub evaluations: Vec<ReportedEvaluation>,
}

/// An evaluation that the page was told of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ReportedEvaluation {
    /// Its report.
    pub report: EvaluationReport,
    /// The rows that were evaluated.
    pub part: EvaluatedPart,
}
