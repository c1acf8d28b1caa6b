//! Edits of a dataset in place, with undo and redo.

mod filter;
mod step;
#[cfg(test)]
mod tests;

pub use filter::RowFilter;

use super::{Dataset, Row};
use crate::{Error, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use step::{Change, Step};

/// Bytes of texts and indices that the history keeps. The newest edit can always be undone, however large it is.
const MAX_HISTORY_BYTES: usize = 32_000_000;

/// Edits that the history keeps.
const MAX_HISTORY_EDITS: usize = 1_000;

/// One edit of a dataset. Rows and labels are counted from 0.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Edit {
    /// Changes the text or the label of a row, or both.
    Set {
        /// The row.
        row: usize,
        /// The new text.
        #[cfg_attr(test, ts(optional))]
        text: Option<String>,
        /// The new label id.
        #[cfg_attr(test, ts(optional))]
        label: Option<usize>,
    },
    /// Changes the labels of many rows; of two entries of one row the later one counts.
    SetMany {
        /// Pairs of a row and its new label id.
        rows: Vec<(usize, usize)>,
    },
    /// Adds rows at the end.
    Insert {
        /// The new rows.
        rows: Vec<Row>,
    },
    /// Deletes rows.
    Delete {
        /// The rows, in any order.
        rows: Vec<usize>,
    },
    /// Adds a class without rows at the end.
    AddLabel {
        /// Its name.
        name: String,
    },
    /// Renames a class.
    RenameLabel {
        /// The label id.
        label: usize,
        /// The new name.
        name: String,
    },
    /// Deletes a class and its rows. The ids of the classes after it decrease by one.
    DeleteLabel {
        /// The label id.
        label: usize,
    },
    /// Gives the rows of some classes another label and deletes these classes. The ids of the classes after them
    /// decrease.
    MergeLabels {
        /// The label ids that end.
        from: Vec<usize>,
        /// The label id that gets their rows.
        into: usize,
    },
}

/// Applies edits to one dataset and keeps what undoes them.
///
/// The history holds differences: what an edit has replaced or removed is moved into it, never copied, so that it takes
/// no more memory than the edits have freed. When it exceeds 32 MB or 1,000 edits, the oldest edits can no longer be
/// undone. An editor belongs to one dataset: after another one has replaced it, a new editor is needed.
#[derive(Debug)]
pub struct Editor {
    undo: VecDeque<Change>,
    redo: Vec<Change>,
    max_bytes: usize,
    max_edits: usize,
}

impl Default for Editor {
    fn default() -> Self {
        Self::new()
    }
}

impl Editor {
    /// An editor without a history.
    pub fn new() -> Self {
        Self::with_limits(MAX_HISTORY_BYTES, MAX_HISTORY_EDITS)
    }

    fn with_limits(max_bytes: usize, max_edits: usize) -> Self {
        Self {
            undo: VecDeque::new(),
            redo: Vec::new(),
            max_bytes,
            max_edits,
        }
    }

    /// Applies `edit`. An edit that changes nothing leaves the history as it is. The dataset may become empty or keep a
    /// single class: training checks that later.
    ///
    /// # Errors
    /// [`Error::Edit`] for a row or label that does not exist, a blank text, a label name that is blank or taken, and
    /// for deleting the only class. The dataset is unchanged then.
    pub fn apply(&mut self, dataset: &mut Dataset, edit: Edit) -> Result<()> {
        let steps = steps_of(dataset, edit)?;
        if steps.is_empty() {
            return Ok(());
        }
        self.redo.clear();
        self.undo.push_back(Change::apply(steps, dataset));
        self.forget_oldest();
        Ok(())
    }

    /// Undoes the newest edit. Returns whether there was one.
    pub fn undo(&mut self, dataset: &mut Dataset) -> bool {
        let Some(change) = self.undo.pop_back() else {
            return false;
        };
        self.redo.push(change.revert(dataset));
        true
    }

    /// Repeats the edit that was undone last. Returns whether there was one.
    pub fn redo(&mut self, dataset: &mut Dataset) -> bool {
        let Some(change) = self.redo.pop() else {
            return false;
        };
        self.undo.push_back(change.revert(dataset));
        true
    }

    /// Whether there is an edit to undo.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Whether there is an undone edit to repeat.
    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    fn forget_oldest(&mut self) {
        let mut bytes: usize = self.undo.iter().map(Change::bytes).sum();
        while self.undo.len() > 1 && (bytes > self.max_bytes || self.undo.len() > self.max_edits) {
            bytes -= self.undo.pop_front().map_or(0, |oldest| oldest.bytes());
        }
    }
}

/// Checks `edit` and returns the steps that make it; none if it changes nothing.
fn steps_of(dataset: &Dataset, edit: Edit) -> Result<Vec<Step>> {
    match edit {
        Edit::Set { row, text, label } => set(dataset, row, text, label),
        Edit::SetMany { rows } => set_labels(dataset, rows),
        Edit::Insert { rows } => insert(dataset, rows),
        Edit::Delete { rows } => {
            let rows = BTreeSet::from_iter(rows);
            rows.iter().try_for_each(|&row| check_row(dataset, row))?;
            Ok(remove_rows(rows.into_iter().collect()))
        }
        Edit::AddLabel { name } => {
            let name = checked_name(dataset, &name, None)?;
            let at = dataset.labels.len();
            Ok(vec![Step::InsertLabel { at, name }])
        }
        Edit::RenameLabel { label, name } => {
            check_label(dataset, label)?;
            let name = checked_name(dataset, &name, Some(label))?;
            if dataset.labels[label] == name {
                return Ok(Vec::new());
            }
            Ok(vec![Step::RenameLabel { at: label, name }])
        }
        Edit::DeleteLabel { label } => delete_label(dataset, label),
        Edit::MergeLabels { from, into } => merge_labels(dataset, from, into),
    }
}

fn set(
    dataset: &Dataset,
    row: usize,
    text: Option<String>,
    label: Option<usize>,
) -> Result<Vec<Step>> {
    check_row(dataset, row)?;
    let mut steps = Vec::new();
    if let Some(text) = text {
        check_text(&text)?;
        if text != dataset.rows[row].text {
            steps.push(Step::SetText { row, text });
        }
    }
    if let Some(label) = label {
        steps.extend(set_labels(dataset, vec![(row, label)])?);
    }
    Ok(steps)
}

fn set_labels(dataset: &Dataset, rows: Vec<(usize, usize)>) -> Result<Vec<Step>> {
    for &(row, label) in &rows {
        check_row(dataset, row)?;
        check_label(dataset, label)?;
    }
    // A map, so that each row is in the step once: the step undoes itself only then.
    let labels: Vec<(usize, usize)> = BTreeMap::from_iter(rows)
        .into_iter()
        .filter(|&(row, label)| dataset.rows[row].label != label)
        .collect();
    if labels.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Step::SetLabels(labels)])
}

fn insert(dataset: &Dataset, rows: Vec<Row>) -> Result<Vec<Step>> {
    for row in &rows {
        check_text(&row.text)?;
        check_label(dataset, row.label)?;
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let start = dataset.rows.len();
    let rows = rows.into_iter().enumerate();
    let rows = rows.map(|(at, row)| (start + at, row)).collect();
    Ok(vec![Step::InsertRows(rows)])
}

fn delete_label(dataset: &Dataset, label: usize) -> Result<Vec<Step>> {
    check_label(dataset, label)?;
    if dataset.labels.len() == 1 {
        return Err(Error::Edit(format!(
            "\"{}\" is the only class. Add another class before you delete it, or rename it.",
            dataset.labels[label]
        )));
    }
    let rows = 0..dataset.rows.len();
    let rows = rows.filter(|&row| dataset.rows[row].label == label);
    let mut steps = remove_rows(rows.collect());
    steps.push(Step::RemoveLabel { at: label });
    Ok(steps)
}

fn merge_labels(dataset: &Dataset, from: Vec<usize>, into: usize) -> Result<Vec<Step>> {
    let from = BTreeSet::from_iter(from);
    for &label in from.iter().chain([&into]) {
        check_label(dataset, label)?;
    }
    if from.contains(&into) {
        return Err(Error::Edit(format!(
            "class \"{}\" cannot be merged into itself. Choose another class to merge.",
            dataset.labels[into]
        )));
    }
    let rows = 0..dataset.rows.len();
    let rows = rows.filter(|&row| from.contains(&dataset.rows[row].label));
    let mut steps = set_labels(dataset, rows.map(|row| (row, into)).collect())?;
    // From the last one, so that the ids of the others stay valid.
    steps.extend(from.into_iter().rev().map(|at| Step::RemoveLabel { at }));
    Ok(steps)
}

fn remove_rows(rows: Vec<usize>) -> Vec<Step> {
    if rows.is_empty() {
        return Vec::new();
    }
    vec![Step::RemoveRows(rows)]
}

fn check_row(dataset: &Dataset, row: usize) -> Result<()> {
    let rows = dataset.rows.len();
    if row < rows {
        return Ok(());
    }
    Err(Error::Edit(format!(
        "there is no row {}: the dataset has {rows} rows.",
        row.saturating_add(1)
    )))
}

fn check_label(dataset: &Dataset, label: usize) -> Result<()> {
    let labels = dataset.labels.len();
    if label < labels {
        return Ok(());
    }
    Err(Error::Edit(format!(
        "there is no class with id {label}: the dataset has {labels} classes, counted from 0."
    )))
}

fn check_text(text: &str) -> Result<()> {
    if !text.trim().is_empty() {
        return Ok(());
    }
    Err(Error::Edit(
        "a row needs a text. Type one, or delete the row.".into(),
    ))
}

/// The trimmed name, which no class but `own` may have.
fn checked_name(dataset: &Dataset, name: &str, own: Option<usize>) -> Result<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Error::Edit("a class needs a name.".into()));
    }
    let taken = dataset.labels.iter().position(|label| label == name);
    if taken.is_some_and(|label| Some(label) != own) {
        return Err(Error::Edit(format!(
            "there is a class \"{name}\" already. Choose another name, or merge the two classes."
        )));
    }
    Ok(name.into())
}
