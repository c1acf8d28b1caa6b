//! The training part and the test part.

use super::Session;
use super::protocol::SplitView;
use crate::Result;
use crate::data::{grouped_split, train_test_split};
use crate::hub::Environment;
use crate::settings::{RunSettings, Values};
use crate::train::MemoryProbe;

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Splits the dataset into a training and a test part.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] for rows that cannot be trained on, [`crate::Error::Split`] when a part would be empty
    /// or cannot be stratified, [`crate::Error::Stopped`].
    pub(super) async fn split_dataset(
        &mut self,
        values: &Values,
        fetch: &E::Fetch,
    ) -> Result<SplitView> {
        let options = RunSettings::from_values(values)?.split;
        self.require_dataset()?.check()?;
        let split = match options.group_duplicates {
            true => {
                let groups = self.duplicate_groups(fetch).await?;
                grouped_split(self.require_dataset()?, &groups, options)?
            }
            false => train_test_split(self.require_dataset()?, options)?,
        };
        let mut view = SplitView::new(self.require_dataset()?, &split);
        view.warnings.extend(split.size_warning(options.test_size));
        self.split = Some(split.into());
        self.tokens = None;
        Ok(view)
    }
}
