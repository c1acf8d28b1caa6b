//! A repository of the Hub as a source of files: stored files from the disk, the others from the network, all of one
//! commit.

use super::blob_file::BlobFile;
use super::context::Context;
use super::download::Download;
use super::environment::Environment;
use super::events::{LoadEvent, NoticeCode};
use super::model_folder::{configs_by_depth, only_folder, topmost_folder};
use super::pin::Pin;
use super::repo::Repo;
use super::resolve::resolve;
use super::services::Services;
use super::source_file::{BlobOf, SourceFile};
use super::store::Store;
use crate::{Error, Result};
use std::cell::Cell;
use std::rc::Rc;

/// A repository at the commit that its revision was when it was first asked for.
pub(super) struct Repository<E: Environment> {
    context: Rc<Context<E>>,
    /// Whether nothing of it was stored before this request.
    is_new: bool,
    /// Whether a stored file is used only if its server still has it: the commit is not known.
    asks_again: bool,
    /// Whether a file is missing that the model needs.
    is_incomplete: Cell<bool>,
}

impl<E: Environment> Repository<E> {
    /// Finds out which commit is meant. A model that is stored completely needs no network for it, and stays at its
    /// commit. Where the Hub does not name the commit, the files are asked for again, if there is a network.
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
        let is_stored = saved.as_ref().is_some_and(|pin| pin.complete);
        let (pin, asks_again) = match saved {
            Some(pin) if pin.complete && pin.is_pinned() => (pin, false),
            saved => match (resolve(&endpoint, &repo, is_stored, &services).await, saved) {
                (Ok(mut pin), saved) => {
                    if let Some(saved) = saved {
                        pin.take_over(saved);
                    }
                    let asks_again = !pin.is_pinned();
                    (pin, asks_again)
                }
                // The files of a known commit can be downloaded without the list.
                (Err(Error::Download { .. }), Some(saved)) if is_stored || saved.is_pinned() => {
                    (saved, false)
                }
                (Err(error), _) => return Err(error),
            },
        };
        if !pin.is_pinned() {
            services.notice(NoticeCode::NotPinned);
        }
        (services.on_event)(LoadEvent::Pinned {
            commit: pin.commit.clone(),
            stored: pin.complete,
        });
        let context = Context::hub(endpoint, repo, pin, services);
        // Saved before the first file, so that a pin names every file that arrives: `sweep` would remove it otherwise.
        if stored.as_ref() != Some(&*context.pin.borrow()) {
            context.save().await;
        }
        Ok(Self {
            context: Rc::new(context),
            is_new: stored.is_none(),
            asks_again,
            is_incomplete: Cell::new(false),
        })
    }

    /// The pin as it is now.
    pub(super) fn pin(&self) -> Pin {
        self.context.pin.borrow().clone()
    }

    /// The folder of the model, empty or with a `/` at its end: the one nearest to the top whose `config.json` has a
    /// text that `is_model` accepts. Only a repository with several of them is asked for their texts.
    ///
    /// # Errors
    /// [`Error::ModelFolder`] when two are equally near to the top, and those of [`open_file`](Self::open_file).
    pub(super) async fn model_folder(&self, is_model: impl Fn(&str) -> bool) -> Result<String> {
        let paths: Vec<String> = {
            let pin = self.context.pin.borrow();
            let names = pin.files.iter().map(|file| file.remote.name.clone());
            names.filter(|name| pin.has(name) == Some(true)).collect()
        };
        let groups = configs_by_depth(&paths);
        if groups.iter().map(Vec::len).sum::<usize>() > 1 {
            for group in groups {
                let mut models = Vec::new();
                for path in group {
                    let Some(file) = self.open_file(path).await? else {
                        continue;
                    };
                    if is_model(&file.text().await?) {
                        models.push(path);
                    }
                }
                if let Some(folder) = only_folder(&models)? {
                    return Ok(folder);
                }
            }
        }
        Ok(topmost_folder(&paths))
    }

    /// Opens a file; none where the repository has no such file.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be downloaded, [`Error::Stopped`].
    pub(super) async fn open_file(&self, name: &str) -> Result<Option<SourceFile<E>>> {
        let (has, file) = {
            let pin = self.context.pin.borrow();
            (pin.has(name), pin.file(name).cloned())
        };
        if has == Some(false) {
            return Ok(None);
        }
        let stored = match (file.as_ref().and_then(|file| file.content.as_ref()), &file) {
            (Some(content), Some(file)) => self.blob(content, file.bytes).await,
            _ => None,
        };
        if let (Some(blob), false) = (&stored, self.asks_again) {
            self.need(name);
            return Ok(Some(SourceFile::disk(BlobFile::whole(name, blob.clone()))));
        }
        let Some(download) = Download::open(self.context.clone(), name).await? else {
            return Ok(None);
        };
        self.need(name);
        let etag = file.and_then(|file| file.etag);
        Ok(Some(match stored {
            // Dropping the download ends the transfer.
            Some(blob) if etag.is_some() && etag.as_deref() == download.etag() => {
                SourceFile::disk(BlobFile::whole(name, blob))
            }
            _ => SourceFile::from(download),
        }))
    }

    async fn blob(&self, content: &str, bytes: u64) -> Option<BlobOf<E>> {
        self.context.store.as_ref()?.blob(content, bytes).await
    }

    /// Notes that the model is built from this file.
    fn need(&self, name: &str) {
        self.context.pin.borrow_mut().file_mut(name).needed = true;
    }

    /// Whether a file changed after parts of it were read, so that the model has to be read again. Asking clears it.
    pub(super) fn take_changed(&self) -> bool {
        self.context.take_changed()
    }

    /// Notes that the model needs a file that the repository does not have.
    pub(super) fn set_incomplete(&self) {
        self.is_incomplete.set(true);
    }

    /// Notes that no model was built. Nothing stays of a model that was refused, or of which nothing has arrived, if
    /// nothing of it was stored before.
    pub(super) async fn failed(&self, error: &Error) {
        let Some(store) = &self.context.store else {
            return;
        };
        let pin = self.pin();
        let is_refused = self.is_incomplete.get()
            || matches!(
                error,
                Error::Config(_)
                    | Error::ModelFolder { .. }
                    | Error::Tokenizer { .. }
                    | Error::WeightsFile { .. }
                    | Error::Tensor { .. }
            );
        if self.is_new && (is_refused || store.bytes(&pin).await == 0) {
            store.forget_incomplete(&pin.key()).await;
        }
    }

    /// Notes that a model was built: every file that it needs is stored, and files that no pin names are removed.
    pub(super) async fn built(&self) {
        let Some(store) = &self.context.store else {
            return;
        };
        {
            let mut pin = self.context.pin.borrow_mut();
            pin.complete = pin.is_stored();
        }
        self.context.save().await;
        store.sweep().await;
    }
}
