//! A repository of the Hub as a source of files: stored files from the disk, the others from the network, all of one
//! commit.

use super::blob_file::BlobFile;
use super::context::Context;
use super::download::Download;
use super::environment::Environment;
use super::events::LoadEvent;
use super::pin::Pin;
use super::repo::Repo;
use super::resolve::resolve;
use super::services::Services;
use super::source_file::SourceFile;
use super::store::Store;
use crate::{Error, Result};
use std::rc::Rc;

/// A repository at the commit that its revision was when it was first asked for.
pub(super) struct Repository<E: Environment>(Rc<Context<E>>);

impl<E: Environment> Repository<E> {
    /// Finds out which commit is meant. A model that is stored completely needs no network for it, and stays at its
    /// commit.
    ///
    /// # Errors
    /// [`Error::Download`] when there is no such repository or the Hub cannot be reached, [`Error::Stopped`].
    pub(super) async fn open(endpoint: String, repo: Repo, services: Services<E>) -> Result<Self> {
        let store = services.disk.clone().map(Store::new);
        let stored = match &store {
            Some(store) => store.pin(&Pin::key_of(&endpoint, &repo)).await,
            None => None,
        };
        let saved = match (&store, stored.clone()) {
            (Some(store), Some(pin)) => Some(store.existing(pin).await),
            _ => None,
        };
        let pin = match saved {
            Some(pin) if pin.complete => pin,
            saved => match (resolve(&endpoint, &repo, &services).await, saved) {
                (Ok(mut pin), saved) => {
                    if let Some(saved) = saved {
                        pin.take_over(saved);
                    }
                    pin
                }
                // The files of a known commit can be downloaded without the list.
                (Err(Error::Download { .. }), Some(saved)) => saved,
                (Err(error), _) => return Err(error),
            },
        };
        (services.on_event)(LoadEvent::Pinned {
            commit: pin.commit.clone(),
            stored: pin.complete,
        });
        let context = Context::hub(endpoint, repo, pin, services);
        // Saved before the first file, so that a pin names every file that arrives: `sweep` would remove it otherwise.
        if stored.as_ref() != Some(&*context.pin.borrow()) {
            context.save().await;
        }
        Ok(Self(Rc::new(context)))
    }

    /// The pin as it is now.
    pub(super) fn pin(&self) -> Pin {
        self.0.pin.borrow().clone()
    }

    /// Opens a file; none where the repository has no such file.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be downloaded, [`Error::Stopped`].
    pub(super) async fn open_file(&self, name: &str) -> Result<Option<SourceFile<E>>> {
        let (has, file) = {
            let pin = self.0.pin.borrow();
            (pin.has(name), pin.file(name).cloned())
        };
        if has == Some(false) {
            return Ok(None);
        }
        if let Some(file) = file
            && let Some(content) = &file.content
            && let Some(store) = &self.0.store
            && let Some(blob) = store.blob(content, file.bytes).await
        {
            self.need(name);
            return Ok(Some(SourceFile::disk(BlobFile::whole(name, blob))));
        }
        let download = Download::open(self.0.clone(), name).await?;
        if download.is_some() {
            self.need(name);
        }
        Ok(download.map(SourceFile::from))
    }

    /// Notes that the model is built from this file.
    fn need(&self, name: &str) {
        self.0.pin.borrow_mut().file_mut(name).needed = true;
    }

    /// Whether a file changed after parts of it were read, so that the model has to be read again. Asking clears it.
    pub(super) fn take_changed(&self) -> bool {
        self.0.take_changed()
    }

    /// Notes that a model was built: every file that it needs is stored, and files that no pin names are removed.
    pub(super) async fn built(&self) {
        let Some(store) = &self.0.store else {
            return;
        };
        {
            let mut pin = self.0.pin.borrow_mut();
            pin.complete = pin.is_stored();
        }
        self.0.save().await;
        store.sweep().await;
    }
}
