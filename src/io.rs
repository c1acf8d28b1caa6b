//! Files that are read in byte ranges: in memory, on a disk or on a server.

use crate::{Error, Result};
use std::ops::Range;

/// A file that is read in byte ranges.
#[allow(async_fn_in_trait, reason = "awaited on one thread only")]
pub trait ByteSource {
    /// Returns the file's name, for messages.
    fn name(&self) -> &str;

    /// Returns the size of the file in bytes, or `None` if the source cannot determine it.
    ///
    /// # Errors
    /// [`Error::Download`] if the file cannot be reached.
    async fn size(&mut self) -> Result<Option<u64>>;

    /// Reads the bytes of `range`. Reads in ascending order are the cheapest.
    ///
    /// # Errors
    /// [`Error::Download`] if the file ends before the range does or cannot be reached.
    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>>;

    /// Ends the reads. A download fetches its remaining bytes and verifies the file.
    ///
    /// # Errors
    /// [`Error::Download`] if the remaining bytes cannot be fetched or the verification fails.
    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The beginning of the text that Git LFS leaves in the place of a large file.
pub(crate) const LFS_POINTER: &str = "version https://git-lfs";

/// Why such a text is refused.
pub(crate) const LFS_PROBLEM: &str = "it is only the pointer that Git LFS leaves when a repository is cloned without \
    it, not the file. Run `git lfs pull` in the clone, or download the file from the repository's page.";

/// A file in memory.
pub struct MemoryFile {
    name: String,
    bytes: Vec<u8>,
}

impl MemoryFile {
    /// Creates a file of `bytes` with a name.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            bytes,
        }
    }
}

impl ByteSource for MemoryFile {
    fn name(&self) -> &str {
        &self.name
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        Ok(Some(self.bytes.len() as u64))
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        let bytes = usize::try_from(range.start)
            .ok()
            .zip(usize::try_from(range.end).ok())
            .and_then(|(start, end)| self.bytes.get(start..end));
        bytes
            .map(<[u8]>::to_vec)
            .ok_or_else(|| ended_early(&self.name, self.bytes.len() as u64, range.end))
    }
}

/// Returns the error for a file that ends after `arrived` bytes although `needed` are needed.
pub fn ended_early(file: &str, arrived: u64, needed: u64) -> Error {
    Error::Download {
        file: file.into(),
        problem: format!(
            "it ended after {arrived} bytes, but at least {needed} are needed. The file is truncated or the \
             connection broke; try again."
        ),
    }
}
