//! Files that are read a range at a time, wherever they are: in memory, on a disk, on a server.

use crate::{Error, Result};
use std::ops::Range;

/// One file that is read a range at a time.
#[allow(
    async_fn_in_trait,
    reason = "awaited on one thread only: a browser's, or a test's"
)]
pub trait ByteSource {
    /// The file's name, for messages.
    fn name(&self) -> &str;

    /// Bytes in the whole file, when the source knows.
    async fn size(&mut self) -> Result<Option<u64>>;

    /// The bytes of `range`. Ranges asked for in ascending order are cheapest.
    ///
    /// # Errors
    /// [`Error::Download`] when the file ends before the range does or cannot be reached.
    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>>;

    /// Says that nothing more will be read: what is left of a download still arrives, and is checked.
    ///
    /// # Errors
    /// [`Error::Download`] when the rest cannot be had, or the whole is not what it should be.
    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A file that is in memory already.
pub struct MemoryFile {
    name: String,
    bytes: Vec<u8>,
}

impl MemoryFile {
    /// Wraps `bytes` under a name.
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

/// The error for a file that ends after `arrived` bytes although `needed` are needed.
pub fn ended_early(file: &str, arrived: u64, needed: u64) -> Error {
    Error::Download {
        file: file.into(),
        problem: format!(
            "it ended after {arrived} bytes, but at least {needed} are needed. The file is truncated or the connection broke; try again."
        ),
    }
}
