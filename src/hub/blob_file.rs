//! A file of a disk, or a part of one, as a source of byte ranges.

use super::environment::Blob;
use crate::io::{ByteSource, ended_early};
use crate::{Error, Result};
use std::ops::Range;

/// A file of a disk, or the part of one that is an uncompressed entry of a zip.
pub(crate) struct BlobFile<B> {
    name: String,
    blob: B,
    range: Range<u64>,
}

impl<B: Blob> BlobFile<B> {
    /// A whole file under a name.
    pub(crate) fn whole(name: &str, blob: B) -> Self {
        let len = blob.size();
        Self::part(name, blob, 0..len)
    }

    /// The bytes of `range` under a name.
    pub(super) fn part(name: &str, blob: B, range: Range<u64>) -> Self {
        Self {
            name: name.into(),
            blob,
            range,
        }
    }
}

impl<B: Blob> ByteSource for BlobFile<B> {
    fn name(&self) -> &str {
        &self.name
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        Ok(Some(self.range.end - self.range.start))
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        let len = self.range.end - self.range.start;
        if range.end > len {
            return Err(ended_early(&self.name, len, range.end));
        }
        let start = self.range.start;
        let bytes = self.blob.read(start + range.start..start + range.end);
        bytes.map_err(|error| Error::Download {
            file: self.name.clone(),
            problem: error.0,
        })
    }
}
