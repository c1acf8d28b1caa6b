//! The dataset and its split.

use super::Session;
use super::protocol::{DatasetRows, DatasetView, RowsView, SplitView};
use crate::Result;
use crate::data::{Dataset, Row, Split, toy_dataset, train_test_split};
use crate::hub::Environment;
use crate::settings::{RunSettings, Values};
use crate::train::MemoryProbe;

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Generates the toy dataset. Split and tokens of the one before are dropped.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] for a setting out of bounds, [`crate::Error::Dataset`] for rows that cannot be trained
    /// on.
    pub(super) fn generate_dataset(&mut self, values: &Values) -> Result<DatasetView> {
        let settings = RunSettings::from_values(values)?;
        let dataset = toy_dataset(settings.num_rows, settings.dataset_seed);
        dataset.check()?;
        let view = DatasetView::new(&dataset);
        self.dataset = Some(dataset.into());
        (self.split, self.tokens) = (None, None);
        Ok(view)
    }

    /// A page of the dataset.
    ///
    /// # Errors
    /// [`crate::Error::NotReady`] without a dataset.
    pub(super) fn dataset_rows(&self, offset: usize, count: usize) -> Result<DatasetRows> {
        Ok(DatasetRows::new(self.require_dataset()?, offset, count))
    }

    /// Splits the dataset into a training and a test part.
    ///
    /// # Errors
    /// [`crate::Error::Split`] when a part would be empty or cannot be stratified.
    pub(super) fn split_dataset(&mut self, values: &Values) -> Result<SplitView> {
        let settings = RunSettings::from_values(values)?;
        let dataset = self.require_dataset()?;
        let split = train_test_split(dataset, settings.split)?;
        let view = SplitView::new(dataset, &split);
        self.split = Some(split.into());
        self.tokens = None;
        Ok(view)
    }

    /// Uses rows that are already split.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] for rows that cannot be trained on.
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
        let view = RowsView {
            dataset: DatasetView::new(&dataset),
            split: SplitView::new(&dataset, &split),
        };
        (self.dataset, self.split) = (Some(dataset.into()), Some(split.into()));
        self.tokens = None;
        Ok(view)
    }
}
