//! Where a model's files come from, as byte ranges, so that a checkpoint is never in memory as a whole.
//!
//! A [`Source`] is a folder of the site, a repository of the Hub, a folder or a zip of the disk. [`Repo`] names a model
//! of the Hub, [`Listing`] is what the Hub says about its files, [`Incoming`] is the state of a download that can break
//! and resume, [`Pin`] is what is stored of a model, and [`Store`] is where. The network, the disk and the clock are
//! the traits [`Fetch`], [`Disk`] and [`Clock`].

mod archive;
mod arrived;
mod blob_file;
mod context;
mod dataset;
mod download;
mod environment;
mod events;
mod hash;
mod head;
mod incoming;
mod inflate_file;
mod listing;
mod model_folder;
mod pin;
mod progress;
mod repo;
mod repository;
mod resolve;
mod services;
mod source;
mod source_file;
mod store;
mod stored;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub(crate) use blob_file::BlobFile;
pub use dataset::{DATASETS_ENDPOINT, DatasetConfig, DatasetLines, RowsRequest, fetch_rows};
pub use environment::{
    Blob, Body, Clock, Disk, DiskError, Environment, Fetch, Folder, Host, OpenFile, Response,
    Unreachable,
};
pub use events::{LoadEvent, NoticeCode};
pub use hash::{ContentHash, check_content, sha256_of};
pub use incoming::{Answer, Changed, Incoming, Next};
pub use listing::{Listing, RemoteFile, pickle_refused};
pub use pin::{PART_ENDING, Pin, PinnedFile, unreferenced};
pub use repo::{DEFAULT_ENDPOINT, Repo, endpoint};
pub use services::Services;
pub use source::{MOST_READINGS, Source};
pub use source_file::SourceFile;
pub use store::Store;
pub use stored::{StoredModel, StoredModels, forget_model, stored_models};
