//! The stored models of Hubs.

use super::Session;
use crate::Result;
use crate::hub::{Environment, StoredModels, forget_model, stored_models};
use crate::train::MemoryProbe;

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Lists the stored models and how full the storage is.
    pub(super) async fn stored_models(&self) -> StoredModels {
        stored_models(self.disk.clone()).await
    }

    /// Deletes a stored model by its key, then lists the others. The model that is loaded stays loaded.
    ///
    /// # Errors
    /// [`crate::Error::NotReady`] where nothing can be stored.
    pub(super) async fn forget_model(&self, key: &str) -> Result<StoredModels> {
        forget_model(self.disk.clone(), key).await
    }
}
