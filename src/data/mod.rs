//! Rows of text and label: where they come from and how they are divided into a training and a test part.

mod split;
mod toy;

pub use split::{Split, SplitOptions, train_test_split};
pub use toy::{NEGATIVE_SENTENCE, POSITIVE_SENTENCE, toy_dataset};

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// One labelled text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The text as it was given.
    pub text: String,
    /// Label id, an index into [`Dataset::labels`].
    pub label: usize,
}

/// A table of labelled texts and the names of its labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// The rows in their order.
    pub rows: Vec<Row>,
    /// Label names by id.
    pub labels: Vec<String>,
}

impl Dataset {
    /// How many rows have each label, by label id.
    pub fn label_counts(&self) -> Vec<usize> {
        count_labels(self.rows.iter(), self.labels.len())
    }

    /// Checks that a classifier can be trained on the rows: there are some, and of at least two labels.
    ///
    /// # Errors
    /// [`Error::Dataset`] for no rows, rows of one class only, or a label without a name.
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
        let present: Vec<usize> = (0..self.labels.len())
            .filter(|&label| self.label_counts()[label] > 0)
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

/// How many of `rows` have each of `num_labels` label ids.
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
    fn refuses_what_cannot_be_learned_from() {
        assert!(dataset(&[0, 1]).check().is_ok());
        let message = |labels: &[usize]| dataset(labels).check().unwrap_err().to_string();
        assert!(message(&[]).contains("no rows"));
        assert!(message(&[1, 1]).contains("one class, \"positive\""));
        assert!(message(&[0, 1, 2]).contains("row 3 has label 2"));
    }
}
