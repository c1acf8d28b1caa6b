//! What the page shows of a table that was read and is not used yet.

use crate::data::import::{Detected, SkippedRow};
use crate::hub::DatasetConfig;
use serde::Serialize;

/// A table that was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImportView {
    /// Name of its file, folder or dataset.
    pub name: String,
    /// How it was read.
    pub detected: Detected,
    /// Cells of the first records, as they are written.
    pub preview: Vec<Vec<String>>,
    /// Rows that can be used.
    pub num_rows: usize,
    /// Its labels by id.
    pub labels: Vec<LabelCount>,
    /// The first rows that cannot be used.
    pub skipped: Vec<SkippedRow>,
    /// Rows that cannot be used.
    pub num_skipped: usize,
    /// Ids of labels that differ only in blanks, case or number format.
    pub same_labels: Vec<Vec<usize>>,
    /// Bytes that were read.
    pub bytes: u64,
    /// Byte sequences that are invalid in the encoding.
    pub num_malformed: usize,
    /// Why the table cannot be used as it is read; null where it can.
    pub problem: Option<String>,
    /// Where in the Hub it is from; null for a file.
    pub hub: Option<HubImportView>,
}

/// A label and its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LabelCount {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub count: usize,
}

/// Which rows of a dataset of the Hub were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct HubImportView {
    /// Every configuration; empty when the Hub could not be asked.
    pub configs: Vec<DatasetConfig>,
    /// The configuration that was read.
    pub config: String,
    /// The split that was read.
    pub split: String,
    /// Rows of the whole split.
    pub num_rows_total: usize,
    /// Cells of which the Hub sent only the beginning.
    pub truncated_cells: usize,
}
