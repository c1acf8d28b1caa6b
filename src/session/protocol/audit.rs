//! What the page shows of the audit and of the baselines.

use crate::data::audit::Finding;
use serde::Serialize;

/// Problems that were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AuditView {
    /// The problems.
    pub findings: Vec<Finding>,
    /// Whether the split was looked at.
    pub has_split: bool,
    /// Whether the tokens were looked at.
    pub has_tokens: bool,
    /// Rows that were looked at.
    pub num_rows: usize,
}

/// The baselines that there are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BaselinesView {
    /// The baselines, the simplest first.
    pub baselines: Vec<BaselineView>,
    /// Rows of the training part that they were fitted on.
    pub train_rows: usize,
    /// Rows of the test part that they were evaluated on.
    pub test_rows: usize,
}

/// A simple classifier, evaluated on the test part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BaselineView {
    /// `majority`, `tfidf` or `embeddings`.
    #[cfg_attr(test, ts(as = "String"))]
    pub id: &'static str,
    /// Share of the rows that it labels correctly.
    pub eval_accuracy: f64,
    /// Mean F1 of the classes.
    pub macro_f1: f64,
    /// Mean loss.
    pub eval_loss: f64,
    /// Milliseconds of fitting and evaluation.
    pub ms: f64,
}
