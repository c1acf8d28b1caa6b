//! What the page shows of rows, parts and tokens.

use crate::Warning;
use crate::data::{Dataset, Row, Split, count_labels};
use serde::Serialize;
use std::collections::HashSet;

/// The dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DatasetView {
    /// Every row, in order.
    pub rows: Vec<Row>,
    /// Label names by id.
    pub labels: Vec<String>,
    /// Rows by label id.
    pub label_counts: Vec<usize>,
    /// Texts that differ from each other.
    pub distinct_texts: usize,
}

impl DatasetView {
    pub(crate) fn new(dataset: &Dataset) -> Self {
        let texts: HashSet<&str> = dataset.rows.iter().map(|row| row.text.as_str()).collect();
        Self {
            label_counts: dataset.label_counts(),
            distinct_texts: texts.len(),
            rows: dataset.rows.clone(),
            labels: dataset.labels.clone(),
        }
    }
}

/// The training part and the test part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SplitView {
    /// Row indices of the training part, in the order of the split.
    pub train: Vec<usize>,
    /// Row indices of the test part.
    pub test: Vec<usize>,
    /// Training rows by label id.
    pub train_label_counts: Vec<usize>,
    /// Test rows by label id.
    pub test_label_counts: Vec<usize>,
    /// Test rows whose text is also in the training part.
    pub test_rows_seen_in_train: usize,
    /// What the visitor should know.
    pub warnings: Vec<Warning>,
}

impl SplitView {
    pub(crate) fn new(dataset: &Dataset, split: &Split) -> Self {
        let counts = |part: &[usize]| {
            let rows = part.iter().map(|&row| &dataset.rows[row]);
            count_labels(rows, dataset.labels.len())
        };
        Self {
            train_label_counts: counts(&split.train),
            test_label_counts: counts(&split.test),
            test_rows_seen_in_train: split.test_rows_seen_in_train(dataset),
            warnings: split.warnings(dataset),
            train: split.train.clone(),
            test: split.test.clone(),
        }
    }
}

/// A dataset that arrived already split.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "RowsResult"))]
pub struct RowsView {
    /// Its rows.
    pub dataset: DatasetView,
    /// Its parts.
    pub split: SplitView,
}

/// A part of the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Trained on.
    Train,
    /// Evaluated on.
    Test,
}

/// A row as the model reads it, padded as in its batch of the first epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TokenRow {
    /// Row index in the dataset.
    pub row: usize,
    /// Its part.
    pub part: Part,
    /// WordPiece tokens, with `[CLS]`, `[SEP]` and any `[PAD]`.
    pub tokens: Vec<String>,
    /// Token ids.
    pub input_ids: Vec<u32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
    /// Whether tokens beyond `max_length` were cut off.
    pub truncated: bool,
}

/// Every row as token ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TokensView {
    /// The training part, then the test part.
    pub rows: Vec<TokenRow>,
    /// Tokens of one training epoch without padding.
    pub real_tokens: usize,
    /// Padding tokens of one training epoch with these settings.
    pub padding_tokens: usize,
    /// Tokens of the longest row.
    pub longest: usize,
    /// The limit that was used.
    pub max_length: usize,
}
