//! A finding, its rows and its remedy, as the page shows them.

use crate::data::Dataset;
use serde::Serialize;
use serde_json::{Map, Value};

/// Rows that a finding shows; its remedy may change more.
const MAX_ROWS: usize = 50;

/// Characters of a shown text.
const MAX_CHARS: usize = 300;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The run fails, or its result says nothing.
    Error,
    /// The result misleads, or is worse than it could be.
    Warning,
    /// Worth knowing.
    Note,
}

/// Something about the data or the settings that the visitor should know, and what removes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Finding {
    /// The kind, e.g. `duplicates_across_split`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// How many rows (or what the kind counts) are concerned.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// The first 50 of the rows.
    pub rows: Vec<FindingRow>,
    /// The numbers and names in the text of the page.
    #[cfg_attr(
        test,
        ts(type = "Record<string, number | string | boolean | string[] | Record<string, number>>")
    )]
    pub params: Value,
    /// What one click does, if there is something.
    pub remedy: Option<Remedy>,
}

/// A row of a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FindingRow {
    /// The row of the dataset.
    pub row: usize,
    /// The beginning of its text, at most 300 characters.
    pub text: String,
    /// Its label id.
    pub label: usize,
    /// The row it repeats, or the label that is suggested.
    pub other: Option<usize>,
    /// Tokens, or a share.
    pub value: Option<f64>,
}

/// What one click does about a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remedy {
    /// Deletes rows.
    DeleteRows {
        /// The rows, ascending.
        rows: Vec<usize>,
    },
    /// Changes the labels of rows.
    Relabel {
        /// Pairs of a row and its new label id.
        rows: Vec<(usize, usize)>,
    },
    /// Gives the rows of some classes another label and deletes these classes.
    MergeLabels {
        /// The label ids that end.
        from: Vec<usize>,
        /// The label id that gets their rows.
        into: usize,
    },
    /// Changes settings.
    Settings {
        /// The values by name.
        #[cfg_attr(test, ts(type = "Values"))]
        values: Map<String, Value>,
    },
    /// Deletes a class and its rows.
    DeleteLabel {
        /// The label id.
        label: usize,
    },
}

impl Finding {
    /// A finding without rows and without a remedy.
    pub(crate) fn new(
        id: &'static str,
        severity: Severity,
        [count, of]: [usize; 2],
        params: Value,
    ) -> Self {
        Self {
            id,
            severity,
            count,
            of,
            rows: Vec::new(),
            params,
            remedy: None,
        }
    }

    /// Shows the first of `rows`: a row and, if there is one, its other row or label.
    pub(super) fn with_rows(
        self,
        dataset: &Dataset,
        rows: impl IntoIterator<Item = (usize, Option<usize>)>,
    ) -> Self {
        let rows = rows.into_iter().map(|(row, other)| (row, other, None));
        self.with_details(dataset, rows)
    }

    /// Shows the first of `rows`: a row and its value.
    pub(crate) fn with_values(
        self,
        dataset: &Dataset,
        rows: impl IntoIterator<Item = (usize, f64)>,
    ) -> Self {
        let rows = rows
            .into_iter()
            .map(|(row, value)| (row, None, Some(value)));
        self.with_details(dataset, rows)
    }

    /// Shows the first of `rows`: a row and, if there are any, its other row or label and its value.
    pub(crate) fn with_details(
        mut self,
        dataset: &Dataset,
        rows: impl IntoIterator<Item = (usize, Option<usize>, Option<f64>)>,
    ) -> Self {
        let rows = rows.into_iter().take(MAX_ROWS);
        self.rows = rows
            .map(|(row, other, value)| FindingRow {
                other,
                value,
                ..shown(dataset, row)
            })
            .collect();
        self
    }

    /// Adds what one click does.
    pub(crate) fn with_remedy(mut self, remedy: impl Into<Option<Remedy>>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

impl Remedy {
    /// Changes the settings of a JSON object.
    pub(super) fn settings(values: Value) -> Self {
        let values = match values {
            Value::Object(values) => values,
            _ => Map::new(),
        };
        Self::Settings { values }
    }

    /// Deletes `rows`, unless a class of at least two rows would keep fewer than two.
    pub(crate) fn delete_rows(dataset: &Dataset, rows: &[usize]) -> Option<Self> {
        let all = dataset.label_counts();
        let mut left = all.clone();
        for &row in rows {
            left[dataset.rows[row].label] -= 1;
        }
        let keeps = |(&all, &left): (&usize, &usize)| left >= all.min(2);
        all.iter().zip(&left).all(keeps).then(|| {
            let mut rows = rows.to_vec();
            rows.sort_unstable();
            Self::DeleteRows { rows }
        })
    }
}

fn shown(dataset: &Dataset, row: usize) -> FindingRow {
    let text = &dataset.rows[row].text;
    let end = text.char_indices().nth(MAX_CHARS).map(|(at, _)| at);
    FindingRow {
        row,
        text: text[..end.unwrap_or(text.len())].into(),
        label: dataset.rows[row].label,
        other: None,
        value: None,
    }
}

/// What the tests of the findings share.
#[cfg(test)]
pub(super) mod testing {
    use super::{Dataset, Finding};
    use crate::data::{DuplicateGroups, Row, duplicate_groups};

    /// Rows of `(text, label)`, with the labels `class 0`, `class 1` and so on.
    pub(in crate::data::audit) fn dataset(rows: &[(&str, usize)]) -> Dataset {
        let labels = rows.iter().map(|(_, label)| label + 1).max().unwrap_or(0);
        let rows = rows.iter().map(|&(text, label)| Row {
            text: text.into(),
            label,
        });
        Dataset {
            rows: rows.collect(),
            labels: (0..labels).map(|label| format!("class {label}")).collect(),
        }
    }

    /// Rows of distinct texts: as many of each label as `counts` gives.
    pub(in crate::data::audit) fn classes(counts: &[usize]) -> Dataset {
        let labels = counts.iter().enumerate();
        let labels = labels.flat_map(|(label, &count)| std::iter::repeat_n(label, count));
        let texts: Vec<(String, usize)> = labels
            .enumerate()
            .map(|(row, label)| (format!("text {row}"), label))
            .collect();
        let rows: Vec<(&str, usize)> = texts
            .iter()
            .map(|(text, label)| (text.as_str(), *label))
            .collect();
        let mut dataset = dataset(&rows);
        for label in dataset.labels.len()..counts.len() {
            dataset.labels.push(format!("class {label}"));
        }
        dataset
    }

    pub(in crate::data::audit) fn groups(dataset: &Dataset) -> DuplicateGroups {
        let texts: Vec<&str> = dataset.rows.iter().map(|row| row.text.as_str()).collect();
        duplicate_groups(&texts)
    }

    pub(in crate::data::audit) fn ids(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.id).collect()
    }

    /// The row and the other row or label of each shown row.
    pub(in crate::data::audit) fn pairs(finding: &Finding) -> Vec<(usize, Option<usize>)> {
        let rows = finding.rows.iter();
        rows.map(|row| (row.row, row.other)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_first_rows_and_the_beginning_of_a_text() {
        let long = "가".repeat(400);
        let dataset = testing::dataset(&[(&long, 0)]);
        let finding = Finding::new("x", Severity::Note, [60, 60], Value::Null)
            .with_rows(&dataset, (0..60).map(|_| (0, Some(7))));
        assert_eq!(finding.rows.len(), 50);
        assert_eq!(finding.rows[0].text.chars().count(), 300);
        assert_eq!(finding.rows[0].other, Some(7));
    }

    #[test]
    fn keeps_two_rows_of_each_class() {
        let dataset = testing::classes(&[3, 2, 1]);
        let deleted = |rows: &[usize]| Remedy::delete_rows(&dataset, rows);
        assert_eq!(deleted(&[0]), Some(Remedy::DeleteRows { rows: vec![0] }));
        assert_eq!(deleted(&[0, 1]), None);
        assert_eq!(deleted(&[3]), None);
        assert_eq!(deleted(&[5]), None, "the class would be empty");
    }

    #[test]
    fn serializes_as_in_the_protocol() {
        let finding = Finding::new("x", Severity::Warning, [1, 2], serde_json::json!({"a": 1}))
            .with_remedy(Remedy::Relabel { rows: vec![(3, 1)] });
        assert_eq!(
            serde_json::to_value(finding).unwrap(),
            serde_json::json!({
                "id": "x", "severity": "warning", "count": 1, "of": 2, "rows": [], "params": {"a": 1},
                "remedy": {"kind": "relabel", "rows": [[3, 1]]},
            })
        );
    }
}
