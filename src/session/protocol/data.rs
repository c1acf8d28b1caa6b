//! What the page shows of rows, parts and tokens.

use crate::Warning;
use crate::data::{Dataset, Split, count_labels};
use serde::{Deserialize, Serialize};

/// The most rows that one request is answered with: a page has no more, and a message stays small.
pub const MAX_ROWS_PER_REQUEST: usize = 100;
/// The most rows whose labels a [`SplitView`] has.
pub const MAX_SPLIT_LABELS: usize = 500;

/// The rows `offset..offset + count` of `rows` rows, as far as they exist; at most [`MAX_ROWS_PER_REQUEST`].
pub(crate) fn page(offset: usize, count: usize, rows: usize) -> std::ops::Range<usize> {
    let start = offset.min(rows);
    start..rows.min(start + count.min(MAX_ROWS_PER_REQUEST))
}

/// Where a dataset is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum DatasetSource {
    /// The article's two sentences.
    Article,
    /// Generated reviews.
    Reviews,
    /// A file of the visitor's disk, or text that was pasted.
    Import,
    /// A dataset of the Hub.
    Hub,
    /// Classes that are taught by examples.
    Cards,
    /// Rows that arrived already split.
    Rows,
}

/// The dataset. Its rows are requested page by page, because there may be many.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DatasetView {
    /// Number of rows.
    pub num_rows: usize,
    /// Label names by id.
    pub labels: Vec<String>,
    /// Rows by label id.
    pub label_counts: Vec<usize>,
    /// Texts that differ from each other.
    pub distinct_texts: usize,
    /// Where it is from.
    pub source: DatasetSource,
    /// Name of its file or dataset; empty where it has none.
    pub name: String,
    /// Whether the visitor has changed it.
    pub edited: bool,
    /// Whether there is a change to take back.
    pub can_undo: bool,
    /// Whether there is a change to do again.
    pub can_redo: bool,
}

/// A row of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DatasetRow {
    /// Its index in the dataset.
    pub row: usize,
    /// The unmodified text.
    pub text: String,
    /// Label id.
    pub label: usize,
}

/// A page of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DatasetRows {
    /// Position of the first row among those that are looked for.
    pub offset: usize,
    /// Rows that are looked for.
    pub num_matching: usize,
    /// The rows from there, in order.
    pub rows: Vec<DatasetRow>,
}

/// A file that was written of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DownloadResult {
    /// Name of the file.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
}

/// The training part and the test part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SplitView {
    /// Rows of the training part.
    pub train_rows: usize,
    /// Rows of the test part.
    pub test_rows: usize,
    /// Label ids of the training part in the order of the split; null for a dataset of more than 500 rows.
    pub train_labels: Option<Vec<usize>>,
    /// Label ids of the test part; null for a dataset of more than 500 rows.
    pub test_labels: Option<Vec<usize>>,
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
        let is_short = split.train.len() + split.test.len() <= MAX_SPLIT_LABELS;
        let labels = |part: &[usize]| {
            let labels = part.iter().map(|&row| dataset.rows[row].label);
            is_short.then(|| labels.collect())
        };
        Self {
            train_rows: split.train.len(),
            test_rows: split.test.len(),
            train_labels: labels(&split.train),
            test_labels: labels(&split.test),
            train_label_counts: counts(&split.train),
            test_label_counts: counts(&split.test),
            test_rows_seen_in_train: split.test_rows_seen_in_train(dataset),
            warnings: split.warnings(dataset),
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

/// The rows as token ids. The rows themselves are requested page by page, because there may be many.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TokensView {
    /// Rows of both parts.
    pub num_rows: usize,
    /// Rows of which tokens beyond `max_length` were cut off.
    pub truncated_rows: usize,
    /// Tokens of one training epoch without padding.
    pub real_tokens: usize,
    /// Padding tokens of one training epoch with these settings.
    pub padding_tokens: usize,
    /// Tokens of the longest row.
    pub longest: usize,
    /// The limit that was used.
    pub max_length: usize,
    /// What the visitor should know: `unknown_tokens`, a vocabulary that does not suit the texts.
    pub warnings: Vec<Warning>,
}

/// A page of the tokenized rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TokenRows {
    /// Position of the first row: the training part comes first, then the test part.
    pub offset: usize,
    /// The rows from there, in the order of the split.
    pub rows: Vec<TokenRow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_rows_that_exist_and_at_most_the_limit() {
        assert_eq!(page(0, 10, 25), 0..10);
        assert_eq!(page(20, 10, 25), 20..25);
        assert_eq!(page(30, 10, 25), 25..25);
        assert_eq!(page(0, usize::MAX, 1000), 0..MAX_ROWS_PER_REQUEST);
        assert_eq!(page(usize::MAX, usize::MAX, 1000), 1000..1000);
    }
}
