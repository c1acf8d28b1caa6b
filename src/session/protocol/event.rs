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
    /// Rows are being read, tokenized or computed with.
    Work(WorkEvent),
}

/// Progress of work on many rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkEvent {
    /// Bytes of a table have been read.
    Importing {
        /// Bytes done.
        done: u64,
        /// Bytes in total.
        total: u64,
    },
    /// Rows of a dataset of the Hub have arrived.
    ImportingRows {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
    /// Rows have been tokenized.
    Tokenizing {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
    /// Embeddings of rows have been computed.
    Embedding {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
    /// Rows of the test part have been evaluated.
    Evaluating {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
}
