//! What the downloads of one model share: where its files are, what is known of them, and where they are stored.

use super::environment::{Environment, Host};
use super::pin::Pin;
use super::repo::Repo;
use super::services::Services;
use super::store::Store;
use std::cell::{Cell, RefCell};

/// Where the files of a model come from.
pub(super) enum Origin {
    /// A repository of the Hub at this address.
    Hub { endpoint: String, repo: Repo },
    /// A folder of this site, below an address that ends in `/`.
    Site { base: String },
}

/// What the downloads of one model share.
pub(super) struct Context<E: Environment> {
    pub origin: Origin,
    pub pin: RefCell<Pin>,
    /// None where nothing is stored: there is no disk, or the browser's cache keeps the files.
    pub store: Option<Store<E::Disk>>,
    pub services: Services<E>,
    /// Whether a file changed on the server while it was read.
    changed: Cell<bool>,
}

impl<E: Environment> Context<E> {
    /// A repository of the Hub. Its files are stored where there is a disk.
    pub(super) fn hub(endpoint: String, repo: Repo, pin: Pin, services: Services<E>) -> Self {
        Self {
            origin: Origin::Hub { endpoint, repo },
            pin: RefCell::new(pin),
            store: services.disk.clone().map(Store::new),
            services,
            changed: Cell::new(false),
        }
    }

    /// A folder of this site. The browser's cache keeps its files, as it keeps the page. A folder has no commit, so its
    /// pin holds only what the downloads find out.
    pub(super) fn site(base: String, services: Services<E>) -> Self {
        let nameless = Repo {
            id: String::new(),
            revision: String::new(),
        };
        Self {
            pin: RefCell::new(Pin::bare(&base, &nameless, "")),
            origin: Origin::Site { base },
            store: None,
            services,
            changed: Cell::new(false),
        }
    }

    /// The address of a file: in a repository, at the pinned commit.
    pub(super) fn url(&self, file: &str) -> String {
        match &self.origin {
            Origin::Hub { endpoint, repo } => {
                repo.resolve_url(endpoint, &self.pin.borrow().commit, file)
            }
            Origin::Site { base } => format!("{base}{file}"),
        }
    }

    /// Which host its files are requested from.
    pub(super) fn host(&self) -> Host {
        match self.origin {
            Origin::Hub { .. } => Host::Hub,
            Origin::Site { .. } => Host::Site,
        }
    }

    /// Stores the pin as it is now, or tells the visitor why it is not stored.
    pub(super) async fn save(&self) {
        if let Some(store) = &self.store {
            let pin = self.pin.borrow().clone();
            if let Err(reason) = store.save(&pin).await {
                self.services.notice(reason);
            }
        }
    }

    /// Notes that a file changed after parts of it were read, so that the model has to be read again.
    pub(super) fn set_changed(&self) {
        self.changed.set(true);
    }

    /// Whether that was noted. Asking clears it.
    pub(super) fn take_changed(&self) -> bool {
        self.changed.take()
    }
}
