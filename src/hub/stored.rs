//! The list of stored models, as the page shows it.

use super::environment::Disk;
use super::store::Store;
use crate::{Error, Result};
use serde::Serialize;

/// A stored model of the Hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StoredModel {
    /// Names it when it is to be deleted.
    pub key: String,
    /// The Hub's address.
    pub endpoint: String,
    /// `owner/name`.
    pub repo: String,
    /// As it was asked for.
    pub revision: String,
    /// The commit that the revision was then.
    pub commit: String,
    /// Whether every file is stored; otherwise a part is, from which a download continues.
    pub complete: bool,
    /// Bytes of its files.
    pub bytes: u64,
}

/// Every stored model, and how full the storage is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(rename = "StoredView"))]
pub struct StoredModels {
    /// Whether the browser stores models for this page.
    pub available: bool,
    /// By repository and revision.
    pub models: Vec<StoredModel>,
    /// Bytes that this site stores, everything counted.
    pub usage: u64,
    /// Bytes that this site may store; 0 where that is unknown.
    pub quota: u64,
}

/// Lists the models of a disk; none of them without one.
pub async fn stored_models<D: Disk>(disk: Option<D>) -> StoredModels {
    let Some(store) = disk.map(Store::new) else {
        return StoredModels::default();
    };
    let mut models = Vec::new();
    for pin in store.pins().await {
        models.push(StoredModel {
            key: pin.key(),
            bytes: store.bytes(&pin).await,
            endpoint: pin.endpoint,
            repo: pin.repo,
            revision: pin.revision,
            commit: pin.commit,
            complete: pin.complete,
        });
    }
    let (usage, quota) = store.usage().await.unwrap_or_default();
    StoredModels {
        available: true,
        models,
        usage,
        quota,
    }
}

/// Deletes a stored model by its key, and lists the others.
///
/// # Errors
/// [`Error::NotReady`] without a disk.
pub async fn forget_model<D: Disk>(disk: Option<D>, key: &str) -> Result<StoredModels> {
    let disk = disk.ok_or_else(|| {
        Error::NotReady("This browser does not let the page store anything.".into())
    })?;
    Store::new(disk.clone()).forget(key).await;
    Ok(stored_models(Some(disk)).await)
}
