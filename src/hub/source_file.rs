//! One open file of a source.

use super::blob_file::BlobFile;
use super::download::Download;
use super::environment::{Disk, Environment};
use super::inflate_file::InflateFile;
use crate::io::{ByteSource, LFS_POINTER, LFS_PROBLEM};
use crate::{Error, Result};
use std::ops::Range;

/// A file of an environment's disk.
pub(super) type BlobOf<E> = <<E as Environment>::Disk as Disk>::Blob;

/// Bytes of the longest text file that is read whole: a tokenizer with a large vocabulary has some ten million.
const MOST_TEXT: u64 = 64 << 20;

/// One open file of a [`Source`](super::Source).
pub struct SourceFile<E: Environment>(Place<E>);

enum Place<E: Environment> {
    Remote(Box<Download<E>>),
    Disk(BlobFile<BlobOf<E>>),
    Deflated(Box<InflateFile<BlobOf<E>>>),
}

impl<E: Environment> SourceFile<E> {
    /// Reads the whole file.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be read, [`Error::Stopped`].
    pub async fn bytes(mut self) -> Result<Vec<u8>> {
        match self.0 {
            Place::Remote(file) => file.rest().await,
            Place::Disk(_) | Place::Deflated(_) => {
                let len = self.size().await?.unwrap_or(0);
                let bytes = self.read(0..len).await?;
                self.finish().await?;
                Ok(bytes)
            }
        }
    }

    /// Reads the whole file as text.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be read, is not UTF-8 or is too long, [`Error::Stopped`].
    pub async fn text(mut self) -> Result<String> {
        let name = self.name().to_string();
        if let Some(size) = self.size().await?.filter(|&size| size > MOST_TEXT) {
            return Err(Error::Download {
                file: name,
                problem: format!(
                    "it has {size} bytes, and a text file of a model at most {MOST_TEXT}."
                ),
            });
        }
        let refuse = |problem: &str| Error::Download {
            file: name.clone(),
            problem: problem.into(),
        };
        let bytes = self.bytes().await?;
        let text = String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8 text."))?;
        if text.starts_with(LFS_POINTER) {
            return Err(refuse(LFS_PROBLEM));
        }
        Ok(text)
    }
}

impl<E: Environment> From<Download<E>> for SourceFile<E> {
    fn from(file: Download<E>) -> Self {
        Self(Place::Remote(Box::new(file)))
    }
}

impl<E: Environment> SourceFile<E> {
    pub(super) fn disk(file: BlobFile<BlobOf<E>>) -> Self {
        Self(Place::Disk(file))
    }

    pub(super) fn deflated(file: Box<InflateFile<BlobOf<E>>>) -> Self {
        Self(Place::Deflated(file))
    }
}

impl<E: Environment> ByteSource for SourceFile<E> {
    fn name(&self) -> &str {
        match &self.0 {
            Place::Remote(file) => file.name(),
            Place::Disk(file) => file.name(),
            Place::Deflated(file) => file.name(),
        }
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        match &mut self.0 {
            Place::Remote(file) => file.size().await,
            Place::Disk(file) => file.size().await,
            Place::Deflated(file) => file.size().await,
        }
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        match &mut self.0 {
            Place::Remote(file) => file.read(range).await,
            Place::Disk(file) => file.read(range).await,
            Place::Deflated(file) => file.read(range).await,
        }
    }

    async fn finish(&mut self) -> Result<()> {
        match &mut self.0 {
            Place::Remote(file) => file.finish().await,
            Place::Disk(file) => file.finish().await,
            Place::Deflated(file) => file.finish().await,
        }
    }
}
