//! What the import is told and what it returns.

use super::{MAX_LABELS, MIN_LABELS};
use crate::data::{Dataset, Row};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The encoding of a file. A byte order mark is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum TextEncoding {
    /// UTF-8, ASCII included.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little-endian.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big-endian.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Korean Windows, of which EUC-KR is a part.
    #[serde(rename = "cp949")]
    Cp949,
    /// Western European Windows, of which ISO 8859-1 is a part.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum TableFormat {
    /// Cells between commas, semicolons or vertical bars.
    Csv,
    /// Cells between tabs.
    Tsv,
    /// One JSON object a line.
    Jsonl,
    /// An array of JSON objects, or one of the other layouts of a JSON document that hold rows.
    Json,
}

/// What the visitor has chosen. `None` is detected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImportOptions {
    /// The encoding.
    pub encoding: Option<TextEncoding>,
    /// The format.
    pub format: Option<TableFormat>,
    /// The character between two cells, which is ASCII.
    pub delimiter: Option<char>,
    /// Whether the first record names the columns.
    pub header: Option<bool>,
    /// Positions of the columns whose cells, joined with a blank, are the text.
    pub text: Option<Vec<usize>>,
    /// Position of the column with the labels.
    pub label: Option<usize>,
}

impl ImportOptions {
    /// Reads the options that the page sends.
    ///
    /// # Errors
    /// [`Error::Dataset`] for another form.
    pub fn from_json(options: serde_json::Value) -> Result<Self> {
        serde_json::from_value(options).map_err(|problem| {
            Error::Dataset(format!(
                "the options of the import cannot be used ({problem})."
            ))
        })
    }
}

/// What the file has been read with: the options, and what was detected for those that were `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Detected {
    /// The encoding.
    pub encoding: TextEncoding,
    /// The format.
    pub format: TableFormat,
    /// The character between two cells. `None` for JSON.
    pub delimiter: Option<char>,
    /// Whether the first record names the columns. `true` for JSON.
    pub header: bool,
    /// Names of the columns, as written in the header; `column 1`, … without one.
    pub columns: Vec<String>,
    /// Positions of the text's columns.
    pub text: Vec<usize>,
    /// Position of the label's column. `None` if no column repeats its values.
    pub label: Option<usize>,
}

/// Why a record is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum SkipReason {
    /// The text is empty, blank, null, a list, or absent.
    EmptyText,
    /// The label is empty, blank, null, a list, or absent.
    EmptyLabel,
    /// The number of cells differs from that of the first record.
    Ragged {
        /// The number of cells.
        found: usize,
        /// The number of cells of the first record.
        expected: usize,
    },
    /// A quote is opened on the line and never closed.
    UnclosedQuote,
    /// The record is no JSON object.
    NotJson,
}

/// A record that is no row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SkippedRow {
    /// The line on which the record begins, counted from 1.
    pub line: usize,
    /// Why it is no row.
    pub reason: SkipReason,
    /// The beginning of the record, at most [`super::EXCERPT_CHARS`] characters.
    pub excerpt: String,
}

/// A file that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedTable {
    /// What the file was read with.
    pub detected: Detected,
    /// Cells of the first [`super::PREVIEW_RECORDS`] records below the header, as written. A cell is cut after
    /// [`super::PREVIEW_CELL_CHARS`] characters.
    pub preview: Vec<Vec<String>>,
    /// The accepted rows. Empty if there is no label column.
    pub rows: Vec<Row>,
    /// Label names by id: ascending if all are numbers, false before true if all are booleans, otherwise by code
    /// points.
    pub labels: Vec<String>,
    /// The first [`super::MAX_SKIPPED`] records that are no rows.
    pub skipped: Vec<SkippedRow>,
    /// The number of records that are no rows.
    pub num_skipped: usize,
    /// Groups of label ids whose names differ only in blanks, case or number format.
    pub same_labels: Vec<Vec<usize>>,
    /// The size of the file.
    pub bytes: u64,
    /// The number of byte sequences that are invalid in the encoding. Each is read as U+FFFD.
    pub num_malformed: usize,
}

impl ImportedTable {
    /// Checks that a classifier can be trained on the rows: the table has a label column with at least two labels.
    ///
    /// # Errors
    /// [`Error::Dataset`] with the columns to choose from, or with the only label.
    pub fn check(&self) -> Result<()> {
        let columns = self.detected.columns.join(", ");
        let Some(label) = self.detected.label else {
            return Err(Error::Dataset(format!(
                "no column repeats its values, so that none can be the label. Choose the column with the label of each \
                 row: {columns}."
            )));
        };
        if self.labels.len() < MIN_LABELS {
            return Err(Error::Dataset(format!(
                "column {} (\"{}\") has one distinct label only, \"{}\", in {} rows. A classifier needs {MIN_LABELS} \
                 to {MAX_LABELS} classes: choose the column with the label ({columns}), or add rows of another class.",
                label + 1,
                self.detected.columns[label],
                self.labels.first().map_or("", String::as_str),
                self.rows.len()
            )));
        }
        Ok(())
    }

    /// Returns the rows and labels. With `merge_labels`, each group of [`ImportedTable::same_labels`] becomes one label
    /// under its most frequent name (the first in the order of the labels, if several are equally frequent).
    pub fn into_dataset(self, merge_labels: bool) -> Dataset {
        let ImportedTable {
            mut rows,
            labels,
            same_labels,
            ..
        } = self;
        if !merge_labels || same_labels.is_empty() {
            return Dataset { rows, labels };
        }
        let mut counts = vec![0usize; labels.len()];
        for row in &rows {
            counts[row.label] += 1;
        }
        let mut merged: Vec<usize> = (0..labels.len()).collect();
        for group in &same_labels {
            let kept = group
                .iter()
                .copied()
                .max_by_key(|&label| (counts[label], std::cmp::Reverse(label)));
            for &label in group {
                merged[label] = kept.unwrap_or(label);
            }
        }
        let mut ids = vec![0; labels.len()];
        let mut names = Vec::new();
        for (label, name) in labels.into_iter().enumerate() {
            if merged[label] == label {
                ids[label] = names.len();
                names.push(name);
            }
        }
        for row in &mut rows {
            row.label = ids[merged[row.label]];
        }
        Dataset {
            rows,
            labels: names,
        }
    }
}
