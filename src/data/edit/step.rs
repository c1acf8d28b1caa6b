//! The steps that edits consist of. Doing a step returns the step that undoes it.

use crate::data::{Dataset, Row};

/// The smallest changes. The rows of a step are ascending and distinct.
#[derive(Debug)]
pub(super) enum Step {
    /// Replaces the text of a row.
    SetText { row: usize, text: String },
    /// Replaces the labels of rows.
    SetLabels(Vec<(usize, usize)>),
    /// Removes rows.
    RemoveRows(Vec<usize>),
    /// Inserts rows at the positions that they have afterwards.
    InsertRows(Vec<(usize, Row)>),
    /// Inserts a label that no row has; the ids from `at` on increase by one.
    InsertLabel { at: usize, name: String },
    /// Removes a label that no row has; the ids after `at` decrease by one.
    RemoveLabel { at: usize },
    /// Replaces the name of a label.
    RenameLabel { at: usize, name: String },
}

impl Step {
    /// Changes `dataset` and returns the inverse step.
    fn apply(self, dataset: &mut Dataset) -> Step {
        match self {
            Step::SetText { row, mut text } => {
                std::mem::swap(&mut dataset.rows[row].text, &mut text);
                Step::SetText { row, text }
            }
            Step::SetLabels(mut labels) => {
                for (row, label) in &mut labels {
                    std::mem::swap(&mut dataset.rows[*row].label, label);
                }
                Step::SetLabels(labels)
            }
            Step::RemoveRows(positions) => Step::InsertRows(remove_rows(dataset, positions)),
            Step::InsertRows(rows) => Step::RemoveRows(insert_rows(dataset, rows)),
            Step::InsertLabel { at, name } => {
                dataset.labels.insert(at, name);
                let moved = dataset.rows.iter_mut().filter(|row| row.label >= at);
                moved.for_each(|row| row.label += 1);
                Step::RemoveLabel { at }
            }
            Step::RemoveLabel { at } => {
                let name = dataset.labels.remove(at);
                let moved = dataset.rows.iter_mut().filter(|row| row.label > at);
                moved.for_each(|row| row.label -= 1);
                Step::InsertLabel { at, name }
            }
            Step::RenameLabel { at, mut name } => {
                std::mem::swap(&mut dataset.labels[at], &mut name);
                Step::RenameLabel { at, name }
            }
        }
    }

    /// Bytes that the step keeps.
    fn bytes(&self) -> usize {
        let heap = match self {
            Step::SetText { text, .. } => text.capacity(),
            Step::SetLabels(labels) => size_of::<(usize, usize)>() * labels.capacity(),
            Step::RemoveRows(rows) => size_of::<usize>() * rows.capacity(),
            Step::InsertRows(rows) => {
                let texts: usize = rows.iter().map(|(_, row)| row.text.capacity()).sum();
                texts + size_of::<(usize, Row)>() * rows.capacity()
            }
            Step::InsertLabel { name, .. } | Step::RenameLabel { name, .. } => name.capacity(),
            Step::RemoveLabel { .. } => 0,
        };
        size_of::<Step>() + heap
    }
}

/// Removes the rows at `positions` and returns them with their positions.
fn remove_rows(dataset: &mut Dataset, positions: Vec<usize>) -> Vec<(usize, Row)> {
    let mut removed = Vec::with_capacity(positions.len());
    let mut next = positions.into_iter().peekable();
    let rows = std::mem::take(&mut dataset.rows);
    for (at, row) in rows.into_iter().enumerate() {
        match next.next_if_eq(&at) {
            Some(_) => removed.push((at, row)),
            None => dataset.rows.push(row),
        }
    }
    removed
}

/// Inserts `rows` and returns their positions.
fn insert_rows(dataset: &mut Dataset, rows: Vec<(usize, Row)>) -> Vec<usize> {
    let positions = rows.iter().map(|(at, _)| *at).collect();
    let mut present = std::mem::take(&mut dataset.rows).into_iter();
    dataset.rows.reserve(present.len() + rows.len());
    for (at, row) in rows {
        let before = at - dataset.rows.len();
        dataset.rows.extend(present.by_ref().take(before));
        dataset.rows.push(row);
    }
    dataset.rows.extend(present);
    positions
}

/// The steps that undo an edit (or repeat an undone one), in the order in which they are done.
#[derive(Debug)]
pub(super) struct Change(Vec<Step>);

impl Change {
    /// Does `steps` and returns the change that undoes them.
    pub(super) fn apply(steps: Vec<Step>, dataset: &mut Dataset) -> Self {
        let inverse = steps.into_iter().map(|step| step.apply(dataset));
        let mut inverse: Vec<Step> = inverse.collect();
        inverse.reverse();
        Self(inverse)
    }

    /// Does the change and returns the one that undoes it.
    pub(super) fn revert(self, dataset: &mut Dataset) -> Self {
        Self::apply(self.0, dataset)
    }

    /// Bytes that the change keeps.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(Step::bytes).sum()
    }
}
