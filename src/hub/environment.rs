//! What sources of files need from their environment: a network, a disk, a clock. `browser` implements them for the
//! page, and tests for themselves.

use std::collections::BTreeMap;
use std::ops::Range;

/// The host of a file, which decides how it is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// This site: requested as the page itself is, with the browser's cache.
    Site,
    /// The Hub, another site: requested without cookies, and without a second copy in the browser's cache.
    Hub,
}

/// The network, on behalf of one request of the visitor. Clones share its stop signal.
#[allow(
    async_fn_in_trait,
    reason = "awaited on one thread only: a browser's, or a test's"
)]
pub trait Fetch: Clone {
    /// A body that is read in pieces. Dropping it ends the transfer.
    type Body: Body;

    /// Sends a GET request, with a `Range` header where `range` is given.
    ///
    /// # Errors
    /// [`Unreachable`] when there is no answer.
    async fn get(
        &self,
        url: &str,
        range: Option<&str>,
        host: Host,
    ) -> Result<Response<Self::Body>, Unreachable>;

    /// Waits before a further attempt, or until the visitor stops.
    async fn sleep(&self, milliseconds: u64);

    /// Whether the visitor has stopped the request.
    fn is_stopped(&self) -> bool;
}

/// There is no answer, or the connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable;

/// Status, headers and body of an answer.
#[derive(Debug)]
pub struct Response<B> {
    /// HTTP status.
    pub status: u16,
    /// The address that answered, after redirects.
    pub url: String,
    /// Headers that the page may read, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// None where the answer has no body.
    pub body: Option<B>,
}

/// An answer's body.
#[allow(
    async_fn_in_trait,
    reason = "awaited on one thread only: a browser's, or a test's"
)]
pub trait Body {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// [`Unreachable`] when the connection breaks.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Unreachable>;
}

/// A folder of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Folder {
    /// Files by their content, and those that have arrived in part.
    Files,
    /// The pin of each stored model.
    Pins,
    /// Rows of datasets.
    Datasets,
    /// Saved checkpoints of training runs.
    Checkpoints,
    /// The state of training runs in progress, from which they continue after a crash.
    Runs,
}

/// The disk refuses: it is full, the file is not there, or another tab has it open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskError(pub String);

/// A disk that keeps files between visits. Clones are of the same disk.
#[allow(
    async_fn_in_trait,
    reason = "awaited on one thread only: a browser's, or a test's"
)]
pub trait Disk: Clone {
    /// A file that is open for writing.
    type File: OpenFile;
    /// A file that is only read.
    type Blob: Blob;
    /// Holds a lock. Dropping it gives the lock to the next one that waits, and so does the end of the tab.
    type Guard;

    /// Waits for an exclusive lock, which all tabs of this site share. A tab must not ask for a lock that it holds.
    ///
    /// # Errors
    /// [`DiskError`] where the browser has no locks.
    async fn lock(&self, name: &str) -> Result<Self::Guard, DiskError>;

    /// The names of the files in a folder.
    ///
    /// # Errors
    /// [`DiskError`].
    async fn names(&self, folder: Folder) -> Result<Vec<String>, DiskError>;

    /// A whole file, read when it is needed.
    ///
    /// # Errors
    /// [`DiskError`], also when it is not there.
    async fn blob(&self, folder: Folder, name: &str) -> Result<Self::Blob, DiskError>;

    /// Opens a file for writing, created when it is not there.
    ///
    /// # Errors
    /// [`DiskError`], also when another tab has it open.
    async fn open(&self, folder: Folder, name: &str) -> Result<Self::File, DiskError>;

    /// Removes a file.
    ///
    /// # Errors
    /// [`DiskError`], also when it is not there or a tab has it open.
    async fn remove(&self, folder: Folder, name: &str) -> Result<(), DiskError>;

    /// Bytes that this site stores, and bytes that it may store; none where that is unknown.
    async fn usage(&self) -> Option<(u64, u64)>;
}

/// A file that is open for writing. Dropping it closes it; what was written stays.
#[allow(
    async_fn_in_trait,
    reason = "awaited on one thread only: a browser's, or a test's"
)]
pub trait OpenFile {
    /// Bytes in the file.
    fn size(&self) -> u64;

    /// Fills `bytes` with those from `at` on.
    ///
    /// # Errors
    /// [`DiskError`], also when there are fewer.
    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), DiskError>;

    /// Writes all of `bytes` at `at`.
    ///
    /// # Errors
    /// [`DiskError`], also when only some fit.
    fn write(&self, bytes: &[u8], at: u64) -> Result<(), DiskError>;

    /// Cuts the file to `size` bytes, or fills it up with zeros.
    ///
    /// # Errors
    /// [`DiskError`].
    fn truncate(&self, size: u64) -> Result<(), DiskError>;

    /// Closes the file and renames it within its folder, in one step. A file that has this name already is replaced.
    ///
    /// # Errors
    /// [`DiskError`]. The file that has this name already is then as it was.
    async fn rename(self, name: &str) -> Result<(), DiskError>;
}

/// A file that is read when it is needed. Clones are of the same file.
pub trait Blob: Clone {
    /// Bytes in the file.
    fn size(&self) -> u64;

    /// The bytes of `range`.
    ///
    /// # Errors
    /// [`DiskError`], also when the file was moved or changed.
    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, DiskError>;
}

/// A clock that never goes backwards, and the queue of tasks of its thread.
#[allow(
    async_fn_in_trait,
    reason = "awaited on one thread only: a browser's, or a test's"
)]
pub trait Clock: Clone {
    /// Milliseconds since some moment, with fractions.
    fn now(&self) -> f64;

    /// Waits until the messages that have arrived by now were handled.
    async fn next_task(&self);

    /// Waits.
    async fn sleep(&self, milliseconds: f64);
}

/// The environment of a session.
pub trait Environment {
    /// The network of one request.
    type Fetch: Fetch;
    /// Where models are stored, and files of the visitor's own disk are read.
    type Disk: Disk;
    /// Times progress and training.
    type Clock: Clock;
}
