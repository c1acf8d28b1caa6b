//! A zip archive on a disk as a source of files. An entry is read as ranges of the archive, and inflated if it is
//! deflated.

use super::blob_file::BlobFile;
use super::environment::Blob;
use super::inflate_file::{Deflated, InflateFile};
use crate::{Error, Result};
use std::io::{Read, Seek, SeekFrom};
use zip::{CompressionMethod, ZipArchive};

/// An archive, such as the page's own export.
pub(super) struct Archive<B: Blob> {
    zip: ZipArchive<BlobReader<B>>,
    /// The path of each entry, with `/` between its parts.
    paths: Vec<String>,
}

/// An entry of an archive.
pub(super) enum Entry<B> {
    /// Uncompressed: a range of the archive.
    Range(BlobFile<B>),
    /// Deflated.
    Deflated(Box<InflateFile<B>>),
}

impl<B: Blob> Archive<B> {
    /// Reads the directory of an archive called `name`.
    ///
    /// # Errors
    /// [`Error::Download`] when it is no zip archive.
    pub(super) fn new(name: &str, blob: B) -> Result<Self> {
        let zip = ZipArchive::new(BlobReader::new(blob)).map_err(|error| Error::Download {
            file: name.into(),
            problem: format!("it is no zip archive ({error})."),
        })?;
        let path = |at| match zip.name_for_index(at) {
            Some(Ok(path)) => path.replace('\\', "/"),
            _ => String::new(),
        };
        Ok(Self {
            paths: (0..zip.len()).map(path).collect(),
            zip,
        })
    }

    /// The paths of the entries.
    pub(super) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// The first `most` bytes of an entry; none where it is not there or cannot be read.
    pub(super) fn beginning(&self, path: &str, most: u64) -> Option<Vec<u8>> {
        let at = self.position(path)?;
        let mut bytes = Vec::new();
        // A clone shares the directory; a blob is a handle.
        let mut zip = self.zip.clone();
        let read = zip.by_index(at).ok()?.take(most).read_to_end(&mut bytes);
        read.ok().map(|_| bytes)
    }

    fn position(&self, path: &str) -> Option<usize> {
        self.paths.iter().position(|found| found == path)
    }

    /// Opens the entry with this path, under the name `name`; none where it is not there.
    ///
    /// # Errors
    /// [`Error::Download`] when the archive is damaged, or the entry is encrypted or compressed in another way than by
    /// deflate.
    pub(super) fn open(&mut self, path: &str, name: &str) -> Result<Option<Entry<B>>> {
        let Some(at) = self.position(path) else {
            return Ok(None);
        };
        let refuse = |problem: String| Error::Download {
            file: name.into(),
            problem,
        };
        let damaged = |problem: &dyn std::fmt::Display| {
            refuse(format!("the archive is damaged ({problem})."))
        };
        let entry = self.zip.by_index_raw(at).map_err(|error| damaged(&error))?;
        if entry.encrypted() {
            return Err(refuse(
                "it is encrypted. Make the archive without a password.".into(),
            ));
        }
        let (size, crc, method) = (entry.size(), entry.crc32(), entry.compression());
        let (start, len) = (entry.data_start(), entry.compressed_size());
        drop(entry);
        // `ZipArchive` does not lend its reader.
        let blob = self.zip.clone().into_inner().blob;
        let end = start.and_then(|start| start.checked_add(len));
        let (Some(start), Some(end)) = (start, end.filter(|&end| end <= blob.size())) else {
            return Err(damaged(&"it ends too early"));
        };
        match method {
            CompressionMethod::Stored => {
                Ok(Some(Entry::Range(BlobFile::part(name, blob, start..end))))
            }
            CompressionMethod::Deflated => {
                let range = start..end;
                let file = InflateFile::new(name, blob, Deflated { range, size, crc });
                Ok(Some(Entry::Deflated(Box::new(file))))
            }
            other => Err(refuse(format!(
                "it is compressed by {other}, which this page does not read. \
                 Make the archive with deflate or without compression."
            ))),
        }
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
