//! A zip archive on a disk as a source of files. An uncompressed entry is read as a range of the archive.

use super::blob_file::BlobFile;
use super::environment::Blob;
use crate::io::MemoryFile;
use crate::{Error, Result};
use std::io::{Read, Seek, SeekFrom};
use zip::{CompressionMethod, ZipArchive};

/// An archive, such as the page's own export.
pub(super) struct Archive<B: Blob>(ZipArchive<BlobReader<B>>);

/// An entry of an archive.
pub(super) enum Entry<B> {
    /// Uncompressed: a range of the archive.
    Range(BlobFile<B>),
    /// Compressed: its content.
    Content(MemoryFile),
}

impl<B: Blob> Archive<B> {
    /// Reads the directory of an archive called `name`.
    ///
    /// # Errors
    /// [`Error::Download`] when it is no zip archive.
    pub(super) fn new(name: &str, blob: B) -> Result<Self> {
        let archive = ZipArchive::new(BlobReader::new(blob));
        archive.map(Self).map_err(|error| Error::Download {
            file: name.into(),
            problem: format!("it is no zip archive ({error})."),
        })
    }

    /// Opens the first entry of which `matches` accepts the path, under the name `name`.
    ///
    /// # Errors
    /// [`Error::Download`] when the archive is damaged.
    pub(super) fn open(
        &mut self,
        name: &str,
        matches: impl Fn(&str) -> bool,
    ) -> Result<Option<Entry<B>>> {
        let at = (0..self.0.len()).find(|&at| {
            let path = self.0.name_for_index(at);
            path.is_some_and(|path| path.is_ok_and(|path| matches(&path)))
        });
        let Some(at) = at else {
            return Ok(None);
        };
        let broken = |error: &dyn std::fmt::Display| Error::Download {
            file: name.into(),
            problem: format!("the archive is damaged ({error})."),
        };
        let mut entry = self.0.by_index(at).map_err(|error| broken(&error))?;
        if entry.compression() == CompressionMethod::Stored
            && let Some(start) = entry.data_start()
        {
            let range = start..start + entry.size();
            drop(entry);
            // `ZipArchive` does not lend its reader; a blob is a handle, cheap to clone.
            let blob = self.0.clone().into_inner().blob;
            return Ok(Some(Entry::Range(BlobFile::part(name, blob, range))));
        }
        let mut bytes = Vec::new();
        entry
            .read_to_end(&mut bytes)
            .map_err(|error| broken(&error))?;
        Ok(Some(Entry::Content(MemoryFile::new(name, bytes))))
    }
}

/// A blob with a position, for the zip reader.
#[derive(Clone)]
struct BlobReader<B> {
    blob: B,
    len: u64,
    position: u64,
}

impl<B: Blob> BlobReader<B> {
    fn new(blob: B) -> Self {
        Self {
            len: blob.size(),
            position: 0,
            blob,
        }
    }
}

impl<B: Blob> Read for BlobReader<B> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = self.len.min(self.position + buffer.len() as u64);
        if end <= self.position {
            return Ok(0);
        }
        let bytes = self.blob.read(self.position..end);
        let bytes = bytes.map_err(|error| std::io::Error::other(error.0))?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.position = end;
        Ok(bytes.len())
    }
}

impl<B: Blob> Seek for BlobReader<B> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
