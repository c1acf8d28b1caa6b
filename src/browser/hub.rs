//! A model of the Hub as a source of files: from the disk what is stored, from the network the rest, all of one commit.

use super::download::Download;
use super::http::{AbortSignal, Response, Whose};
use super::progress::send;
use super::shared::{Origin, Shared};
use super::source::{DiskFile, SourceFile};
use super::store::Store;
use crate::hub::{Incoming, Listing, Next, Pin, Repo};
use crate::{Error, Result};
use js_sys::Function;
use serde::Serialize;
use std::rc::Rc;

/// Requests for the Hub's list of files, before the model is looked for without it.
const LISTING_TRIES: u32 = 3;

/// A repository at the commit that its revision was when it was first asked for.
pub(super) struct HubSource {
    shared: Rc<Shared>,
}

#[derive(Serialize)]
struct Pinned<'a> {
    kind: &'static str,
    commit: &'a str,
    stored: bool,
}

impl HubSource {
    /// Finds out which commit is meant. A model that is stored whole needs no network for it, and is never another one.
    ///
    /// # Errors
    /// [`Error::Download`] when there is no such repository or the Hub cannot be reached, [`Error::Stopped`].
    pub(super) async fn open(
        endpoint: String,
        repo: Repo,
        signal: AbortSignal,
        on_event: Function,
    ) -> Result<Self> {
        let store = Store::open().await;
        let saved = match &store {
            Some(store) => match store.pin(&Pin::key_of(&endpoint, &repo)).await {
                Some(pin) => Some(checked(pin, store).await),
                None => None,
            },
            None => None,
        };
        let pin = match saved {
            Some(pin) if pin.complete => pin,
            saved => {
                let found = resolve(&endpoint, &repo, &signal).await;
                match (found, saved) {
                    (Ok(mut pin), Some(saved)) => {
                        pin.take_over(saved);
                        pin
                    }
                    (Ok(pin), None) => pin,
                    // The files of a known commit can be had without the list.
                    (Err(error), Some(saved)) => {
                        if matches!(error, Error::Stopped(_)) {
                            return Err(error);
                        }
                        saved
                    }
                    (Err(error), None) => return Err(error),
                }
            }
        };
        let event = Pinned {
            kind: "pinned",
            commit: &pin.commit,
            stored: pin.complete,
        };
        send(&on_event, &event);
        let origin = Origin::Hub { endpoint, repo };
        let source = Self {
            shared: Rc::new(Shared::new(origin, pin, store, signal, on_event)),
        };
        // Before the first file: whatever arrives then belongs to a pin.
        source.shared.save().await;
        Ok(source)
    }

    /// The pin as it is now.
    pub(super) fn pin(&self) -> Pin {
        self.shared.pin.borrow().clone()
    }

    /// Opens a file; none where the repository has no such file.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be had, [`Error::Stopped`].
    pub(super) async fn open_file(&self, name: &str) -> Result<Option<SourceFile>> {
        let (has, file) = {
            let pin = self.shared.pin.borrow();
            (pin.has(name), pin.file(name).cloned())
        };
        if has == Some(false) {
            return Ok(None);
        }
        if let Some(file) = file
            && let Some(content) = &file.content
            && let Some(store) = &self.shared.store
            && let Some(blob) = store.blob(content, file.bytes).await
        {
            self.need(name);
            return Ok(Some(SourceFile::Disk(DiskFile::whole(name, blob))));
        }
        let download = Download::open(self.shared.clone(), name).await?;
        if download.is_some() {
            self.need(name);
        }
        Ok(download.map(|download| SourceFile::Remote(Box::new(download))))
    }

    /// Notes that the model is built of this file.
    fn need(&self, name: &str) {
        self.shared.pin.borrow_mut().file_mut(name).needed = true;
    }

    /// Whether a file that was read became another one, so that the model has to be read anew. Asking forgets it.
    pub(super) fn take_changed(&self) -> bool {
        self.shared.take_changed()
    }

    /// A model was built of it: what it needs is stored, and nothing else has to be.
    pub(super) async fn built(&self) {
        let Some(store) = &self.shared.store else {
            return;
        };
        let pin = {
            let mut pin = self.shared.pin.borrow_mut();
            pin.complete = pin.is_stored();
            pin.clone()
        };
        store.save(&pin).await;
        store.sweep().await;
    }
}

/// The pin without the files that the storage has lost.
async fn checked(mut pin: Pin, store: &Store) -> Pin {
    for file in &mut pin.files {
        if let Some(content) = &file.content
            && store.blob(content, file.bytes).await.is_none()
        {
            (file.content, file.bytes, pin.complete) = (None, 0, false);
        }
    }
    pin
}

/// Asks which commit a revision is: the Hub's list says so, and what its files are. Where there is no list, the head of a file does.
async fn resolve(endpoint: &str, repo: &Repo, signal: &AbortSignal) -> Result<Pin> {
    if let Some(text) = ask(&repo.listing_url(endpoint), repo, LISTING_TRIES, signal)
        .await?
        .text()
        .await
        && let Ok(listing) = Listing::from_json(&repo.id, &text)
    {
        return Ok(Pin::listed(endpoint, repo, listing));
    }
    signal.check()?;
    let url = repo.resolve_url(endpoint, &repo.revision, "config.json");
    match ask(&url, repo, u32::MAX, signal).await? {
        Asked::Answered(response) => {
            let commit = response.header("x-repo-commit");
            Ok(Pin::bare(
                endpoint,
                repo,
                commit.as_deref().unwrap_or(&repo.revision),
            ))
        }
        Asked::Refused(problem) => Err(Error::Download {
            file: format!("{}@{}", repo.id, repo.revision),
            problem,
        }),
    }
}

enum Asked {
    Answered(Response),
    Refused(String),
}

impl Asked {
    async fn text(self) -> Option<String> {
        let Self::Answered(response) = self else {
            return None;
        };
        let mut body = response.body()?;
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await.ok()? {
            bytes.extend(piece.to_vec());
        }
        String::from_utf8(bytes).ok()
    }
}

/// Asks for a small file until there is an answer, `tries` times at most.
async fn ask(url: &str, repo: &Repo, tries: u32, signal: &AbortSignal) -> Result<Asked> {
    let mut incoming = Incoming::default();
    loop {
        signal.check()?;
        let response = Response::get(url, None, Whose::Hub, signal).await;
        signal.check()?;
        let mut retry_after = None;
        if let Ok(response) = response {
            let answer = response.answer();
            match incoming.answered(&answer) {
                Next::Append | Next::StartOver | Next::AskAgain => {
                    return Ok(Asked::Answered(response));
                }
                Next::Fail(problem) => return Ok(Asked::Refused(problem)),
                Next::Retry => retry_after = answer.retry_after,
            }
        }
        let wait = incoming.broken(retry_after);
        match wait {
            Some(wait) if incoming.failures() < tries => signal.sleep(wait as f64).await?,
            _ => {
                return Ok(Asked::Refused(format!(
                    "the Hub cannot be reached to ask for {}. Check the connection and try again.",
                    repo.id
                )));
            }
        }
    }
}
