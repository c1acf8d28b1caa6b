//! Labeled texts: the table of rows, its edits, downloads, duplicates and audit, the toy datasets, and the split into a
//! training and a test part.

pub mod audit;
mod download;
mod duplicates;
mod edit;
pub mod import;
mod reviews;
mod split;
mod toy;

pub use download::{DownloadFormat, write_dataset};
pub use duplicates::{DuplicateGroups, DuplicateSearch, duplicate_groups, find_duplicates};
pub use edit::{Edit, Editor, RowFilter};
pub use reviews::{ReviewLanguage, ReviewOptions, review_dataset};
pub use split::{Split, SplitOptions, grouped_split, groups_can_be_split, train_test_split};
pub use toy::{NEGATIVE_SENTENCE, POSITIVE_SENTENCE, toy_dataset};

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// One labeled text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Row {
    /// The unmodified text.
    pub text: String,
    /// Label id, an index into [`Dataset::labels`].
    pub label: usize,
}

/// A table of labeled texts and the names of its labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// The rows in the order of the source.
    pub rows: Vec<Row>,
    /// Label names by id.
    pub labels: Vec<String>,
}

impl Dataset {
    /// Returns the number of rows of each label, by label id.
    pub fn label_counts(&self) -> Vec<usize> {
        count_labels(self.rows.iter(), self.labels.len())
    }

    /// Checks that a classifier can be trained on the rows: they have at least two labels, and each label has a name.
    ///
    /// # Errors
    /// [`Error::Dataset`] for no rows, rows of a single class, or a label without a name.
    pub fn check(&self) -> Result<()> {
        if self.rows.is_empty() {
            return Err(Error::Dataset(
                "it has no rows. Give it at least two rows of each class.".into(),
            ));
        }
        if let Some((at, row)) = self
            .rows
            .iter()
            .enumerate()
            .find(|(_, row)| row.label >= self.labels.len())
        {
            return Err(Error::Dataset(format!(
                "row {} has label {}, but there are names for {} labels only.",
                at + 1,
                row.label,
                self.labels.len()
            )));
        }
        let counts = self.label_counts();
        let present: Vec<usize> = (0..counts.len())
            .filter(|&label| counts[label] > 0)
            .collect();
        if let [only] = present[..] {
            return Err(Error::Dataset(format!(
                "all {} rows are of one class, \"{}\". A classifier needs rows of at least two classes.",
                self.rows.len(),
                self.labels[only]
            )));
        }
        Ok(())
    }
}

/// Returns the number of `rows` of each of `num_labels` label ids. Rows of other ids are ignored.
pub fn count_labels<'a>(rows: impl Iterator<Item = &'a Row>, num_labels: usize) -> Vec<usize> {
    let mut counts = vec![0; num_labels];
    for row in rows {
        if let Some(count) = counts.get_mut(row.label) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(labels: &[usize]) -> Dataset {
        let rows = labels
            .iter()
            .map(|&label| Row {
                text: "x".into(),
                label,
            })
            .collect();
        Dataset {
            rows,
            labels: vec!["negative".into(), "positive".into()],
        }
    }

    #[test]
    fn refuses_rows_that_cannot_train_a_classifier() {
        assert!(dataset(&[0, 1]).check().is_ok());
        let message = |labels: &[usize]| dataset(labels).check().unwrap_err().to_string();
        assert!(message(&[]).contains("no rows"));
        assert!(message(&[1, 1]).contains("one class, \"positive\""));
        assert!(message(&[0, 1, 2]).contains("row 3 has label 2"));
    }
}
