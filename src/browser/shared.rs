//! What the downloads of one model share: whose files they are, what is known of them, where they are kept, and whom to tell.

use super::http::{AbortSignal, Whose};
use super::store::Store;
use crate::hub::{Pin, Repo};
use js_sys::Function;
use std::cell::{Cell, RefCell};

/// Where the files of a model come from.
pub(super) enum Origin {
    /// A repository of the Hub at this address.
    Hub { endpoint: String, repo: Repo },
    /// A folder of this site, below an address that ends in `/`.
    Site { base: String },
}

/// What the downloads of one model share.
pub(super) struct Shared {
    pub origin: Origin,
    pub pin: RefCell<Pin>,
    /// None where nothing is stored: the browser does not let it, or its own cache does.
    pub store: Option<Store>,
    pub signal: AbortSignal,
    pub on_event: Function,
    /// Whether a file turned out to be another one while it was read.
    changed: Cell<bool>,
}

impl Shared {
    /// Of an origin, of whose files `pin` knows something.
    pub(super) fn new(
        origin: Origin,
        pin: Pin,
        store: Option<Store>,
        signal: AbortSignal,
        on_event: Function,
    ) -> Self {
        Self {
            origin,
            pin: RefCell::new(pin),
            store,
            signal,
            on_event,
            changed: Cell::new(false),
        }
    }

    /// The downloads of a folder of this site. The browser's cache keeps them, as it keeps the page; a folder has no commit, so its pin
    /// holds only what these downloads learn.
    pub(super) fn of_site(base: String, signal: AbortSignal, on_event: Function) -> Self {
        let nameless = Repo {
            id: String::new(),
            revision: String::new(),
        };
        let pin = Pin::bare(&base, &nameless, "");
        Self::new(Origin::Site { base }, pin, None, signal, on_event)
    }

    /// Where a file is: in a repository, that of the pinned commit.
    pub(super) fn url(&self, file: &str) -> String {
        match &self.origin {
            Origin::Hub { endpoint, repo } => {
                repo.resolve_url(endpoint, &self.pin.borrow().commit, file)
            }
            Origin::Site { base } => format!("{base}{file}"),
        }
    }

    /// How its files are asked for.
    pub(super) fn whose(&self) -> Whose {
        match self.origin {
            Origin::Hub { .. } => Whose::Hub,
            Origin::Site { .. } => Whose::Site,
        }
    }

    /// Keeps the pin as it is now.
    pub(super) async fn save(&self) {
        if let Some(store) = &self.store {
            let pin = self.pin.borrow().clone();
            store.save(&pin).await;
        }
    }

    /// Notes that a file that was read became another one, so that the model has to be read anew.
    pub(super) fn set_changed(&self) {
        self.changed.set(true);
    }

    /// Whether that was noted. Asking forgets it.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.take()
    }
}
