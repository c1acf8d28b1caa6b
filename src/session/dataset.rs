//! The dataset: where it is from, its edits, and a page of its rows.

use super::protocol::{DatasetRow, DatasetRows, DatasetSource, DatasetView, page};
use super::{Listener, STOPPED, Session, check_stop};
use crate::data::{
    Dataset, DownloadFormat, DuplicateGroups, DuplicateSearch, Edit, Editor, Row, RowFilter, Split,
    ToyDataset, write_dataset,
};
use crate::hub::Environment;
use crate::session::protocol::{DownloadResult, RowsView, SplitView};
use crate::settings::{RunSettings, Values};
use crate::train::MemoryProbe;
use crate::{Error, Result};
use std::collections::HashSet;
use std::rc::Rc;

/// The dataset of a session.
pub(super) struct HeldDataset {
    /// The rows. Runs that were trained on them share them.
    pub rows: Rc<Dataset>,
    source: DatasetSource,
    name: String,
    editor: Editor,
    pub is_edited: bool,
    /// The groups of equal and nearly equal texts, once they are found.
    groups: Option<Rc<DuplicateGroups>>,
}

impl HeldDataset {
    pub(super) fn new(rows: Dataset, source: DatasetSource, name: String) -> Self {
        Self {
            rows: rows.into(),
            source,
            name,
            editor: Editor::new(),
            is_edited: false,
            groups: None,
        }
    }

    pub(super) fn view(&self) -> DatasetView {
        let rows = &self.rows.rows;
        let texts: HashSet<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        DatasetView {
            label_counts: self.rows.label_counts(),
            distinct_texts: texts.len(),
            num_rows: rows.len(),
            labels: self.rows.labels.clone(),
            source: self.source,
            name: self.name.clone(),
            edited: self.is_edited,
            can_undo: self.editor.can_undo(),
            can_redo: self.editor.can_redo(),
        }
    }

    /// Changes the rows. A run that was trained on them keeps them as they were.
    fn change(
        &mut self,
        change: impl FnOnce(&mut Editor, &mut Dataset) -> Result<()>,
    ) -> Result<()> {
        change(&mut self.editor, Rc::make_mut(&mut self.rows))?;
        self.is_edited = true;
        self.groups = None;
        Ok(())
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Generates toy reviews. Split and tokens of the dataset before are dropped.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of bounds, [`Error::Dataset`] for rows that cannot be trained on.
    pub(super) fn generate_dataset(&mut self, values: &Values) -> Result<DatasetView> {
        let settings = RunSettings::from_values(values)?;
        let source = match settings.toy_dataset {
            ToyDataset::Article { .. } => DatasetSource::Article,
            ToyDataset::Reviews(_) => DatasetSource::Reviews,
        };
        let dataset = settings.toy_dataset.generate();
        dataset.check()?;
        Ok(self.replace_dataset(HeldDataset::new(dataset, source, String::new())))
    }

    /// Makes a dataset the session's, and drops split and tokens of the one before.
    pub(super) fn replace_dataset(&mut self, dataset: HeldDataset) -> DatasetView {
        let view = dataset.view();
        self.dataset = Some(dataset);
        (self.split, self.tokens) = (None, None);
        view
    }

    /// Makes a dataset of classes without rows, to be taught by examples.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a name that is empty or twice there.
    pub(super) fn new_dataset(&mut self, labels: Vec<String>) -> Result<DatasetView> {
        let mut dataset = Dataset {
            rows: Vec::new(),
            labels: Vec::new(),
        };
        let mut editor = Editor::new();
        for name in labels {
            editor.apply(&mut dataset, Edit::AddLabel { name })?;
        }
        let held = HeldDataset::new(dataset, DatasetSource::Cards, String::new());
        Ok(self.replace_dataset(held))
    }

    /// Changes the dataset. Split and tokens are dropped.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a row or a label that is not there, [`Error::NotReady`] without a dataset. The dataset is
    /// then as it was.
    pub(super) fn edit_dataset(&mut self, edit: Edit) -> Result<DatasetView> {
        self.change_dataset(|editor, dataset| editor.apply(dataset, edit))
    }

    /// Takes the last edit back; without one, nothing changes.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a dataset.
    pub(super) fn undo_edit(&mut self) -> Result<DatasetView> {
        let held = self.dataset.as_ref().ok_or_else(no_dataset)?;
        if !held.editor.can_undo() {
            return Ok(held.view());
        }
        self.change_dataset(|editor, dataset| {
            editor.undo(dataset);
            Ok(())
        })
    }

    /// Does the edit again that was taken back last; without one, nothing changes.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a dataset.
    pub(super) fn redo_edit(&mut self) -> Result<DatasetView> {
        let held = self.dataset.as_ref().ok_or_else(no_dataset)?;
        if !held.editor.can_redo() {
            return Ok(held.view());
        }
        self.change_dataset(|editor, dataset| {
            editor.redo(dataset);
            Ok(())
        })
    }

    fn change_dataset(
        &mut self,
        change: impl FnOnce(&mut Editor, &mut Dataset) -> Result<()>,
    ) -> Result<DatasetView> {
        self.require_dataset()?;
        let held = self.dataset.as_mut().ok_or_else(no_dataset)?;
        held.change(change)?;
        let view = held.view();
        (self.split, self.tokens) = (None, None);
        Ok(view)
    }

    /// The groups of equal and nearly equal texts, found once for the rows as they are.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a dataset, [`Error::Stopped`].
    pub(super) async fn duplicate_groups(
        &mut self,
        fetch: &E::Fetch,
    ) -> Result<Rc<DuplicateGroups>> {
        let held = self.dataset.as_ref().ok_or_else(no_dataset)?;
        if let Some(groups) = &held.groups {
            return Ok(groups.clone());
        }
        let texts: Vec<&str> = held.rows.rows.iter().map(|row| row.text.as_str()).collect();
        let mut search = DuplicateSearch::new();
        while !search.step(&texts) {
            check_stop(&self.clock, fetch, STOPPED).await?;
        }
        let groups = Rc::new(search.finish());
        if let Some(held) = &mut self.dataset {
            held.groups = Some(groups.clone());
        }
        Ok(groups)
    }

    /// A page of the rows that `filter` keeps.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a dataset.
    pub(super) fn dataset_rows(
        &self,
        offset: usize,
        count: usize,
        filter: &RowFilter,
    ) -> Result<DatasetRows> {
        let dataset = self.require_dataset()?;
        let matching: Vec<usize> = (0..dataset.rows.len())
            .filter(|&row| filter.matches(&dataset.rows[row]))
            .collect();
        let range = page(offset, count, matching.len());
        let row = |&row: &usize| {
            let Row { text, label } = dataset.rows[row].clone();
            DatasetRow { row, text, label }
        };
        Ok(DatasetRows {
            offset: range.start,
            num_matching: matching.len(),
            rows: matching[range].iter().map(row).collect(),
        })
    }

    /// Writes the dataset as a file, piece by piece to the listener.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a dataset, and the listener's error.
    pub(super) fn download_dataset(
        &self,
        format: DownloadFormat,
        listener: &dyn Listener,
    ) -> Result<DownloadResult> {
        let dataset = self.require_dataset()?;
        let mut bytes = 0;
        write_dataset(dataset, format, &mut |piece| {
            bytes += piece.len() as u64;
            listener.piece(piece)
        })?;
        let file = match format {
            DownloadFormat::Csv => "dataset.csv",
            DownloadFormat::Jsonl => "dataset.jsonl",
        };
        Ok(DownloadResult {
            file: file.into(),
            bytes,
        })
    }

    /// Uses rows that are already split.
    ///
    /// # Errors
    /// [`Error::Dataset`] for rows that cannot be trained on.
    pub(super) fn use_rows(
        &mut self,
        train: Vec<Row>,
        test: Vec<Row>,
        labels: Vec<String>,
    ) -> Result<RowsView> {
        let train_rows = train.len();
        let dataset = Dataset {
            rows: [train, test].concat(),
            labels,
        };
        dataset.check()?;
        let split = Split {
            train: (0..train_rows).collect(),
            test: (train_rows..dataset.rows.len()).collect(),
        };
        let split_view = SplitView::new(&dataset, &split);
        let held = HeldDataset::new(dataset, DatasetSource::Rows, String::new());
        let dataset = self.replace_dataset(held);
        self.split = Some(split.into());
        Ok(RowsView {
            dataset,
            split: split_view,
        })
    }
}

pub(super) fn no_dataset() -> Error {
    Error::NotReady("There is no dataset yet. Make it first.".into())
}
