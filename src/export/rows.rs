//! The rows of a run.

use crate::data::Row;

/// The rows of a run, in the order of the run.
#[derive(Debug, Clone, Copy)]
pub struct RunRows<'a> {
    /// The rows that it trains on.
    pub train: &'a [&'a Row],
    /// The rows that its epochs are evaluated on; empty if they are evaluated on the test part.
    pub validation: &'a [&'a Row],
    /// The test part.
    pub test: &'a [&'a Row],
}
