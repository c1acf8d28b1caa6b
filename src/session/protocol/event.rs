//! Progress of a request, while it is being answered.

use crate::hub::LoadEvent;
use serde::Serialize;

/// Progress that the session reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum SessionEvent {
    /// A model is being loaded.
    Load(LoadEvent),
    /// An evaluation or a comparison is under way.
    Work(WorkEvent),
}

/// Progress of work on the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkEvent {
    /// Rows of the test part have been evaluated.
    Evaluating {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
}
