//! Where a model's files come from, as byte ranges, so that a checkpoint never has to be in memory whole.
//!
//! [`Repo`] names a model of the Hub, [`Listing`] is what the Hub says about its files, [`Incoming`] is a download that can break and go on,
//! [`Pin`] is what is kept of it, and [`ShardIndex`] puts the parts of a large one together. The network and the storage are the browser's.

mod environment;
mod hash;
mod incoming;
mod listing;
mod pin;
mod repo;

pub use environment::{
    Blob, Body, Clock, Disk, DiskError, Environment, Fetch, Folder, Host, OpenFile, Response,
    Unreachable,
};
pub use hash::{ContentHash, check_content, sha256_of};
pub use incoming::{Answer, Changed, Incoming, Next};
pub use listing::{Listing, RemoteFile, pickle_refused};
pub use pin::{PART_ENDING, Pin, PinnedFile, unreferenced};
pub use repo::{DEFAULT_ENDPOINT, Repo, endpoint};
