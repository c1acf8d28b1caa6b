//! A file of the archive before it is written. Its size is known, so that the page can show it first.

use super::archive::{Archive, WriteContent, count};
use super::{onnx, weights};
use crate::train::History;
use crate::{Error, Result};
use serde_json::Value;
use std::borrow::Cow;
use std::io::Write;

/// A file of the archive.
pub struct Entry<'a> {
    name: Cow<'static, str>,
    len: u64,
    content: Content<'a>,
}

enum Content<'a> {
    Bytes(Cow<'a, [u8]>),
    /// Written from the log, which is longer as text than in memory.
    Stream(WriteContent<'a>),
    Weights(weights::File),
    Onnx(Box<onnx::File>),
}

impl<'a> Entry<'a> {
    pub(super) fn text(name: impl Into<Cow<'static, str>>, text: String) -> Self {
        Self::bytes(name, text.into_bytes())
    }

    pub(super) fn bytes(
        name: impl Into<Cow<'static, str>>,
        bytes: impl Into<Cow<'a, [u8]>>,
    ) -> Self {
        let bytes = bytes.into();
        Self {
            name: name.into(),
            len: bytes.len() as u64,
            content: Content::Bytes(bytes),
        }
    }

    /// A file that is written without a copy of it in memory. It is written once more here, to count its bytes.
    ///
    /// # Errors
    /// [`Error::Export`] for content that cannot be written.
    pub(super) fn stream(
        name: impl Into<Cow<'static, str>>,
        write: WriteContent<'a>,
    ) -> Result<Self> {
        Ok(Self {
            name: name.into(),
            len: count(&write)?,
            content: Content::Stream(write),
        })
    }

    pub(super) fn trainer_state(history: &'a History) -> Result<Self> {
        let write = |writer: &mut dyn Write| {
            serde_json::to_writer_pretty(&mut *writer, &history.trainer_state())?;
            writer.write_all(b"\n")
        };
        Self::stream("trainer_state.json", Box::new(write))
    }

    pub(super) fn weights(name: impl Into<Cow<'static, str>>, file: weights::File) -> Self {
        Self {
            name: name.into(),
            len: file.len(),
            content: Content::Weights(file),
        }
    }

    pub(super) fn onnx(file: onnx::File) -> Self {
        Self {
            name: format!("onnx/{}", file.name()).into(),
            len: file.len(),
            content: Content::Onnx(Box::new(file)),
        }
    }

    /// Path inside the archive.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether its bytes are read back from the device. Such files are the last of the archive.
    pub(super) fn is_weights(&self) -> bool {
        matches!(self.content, Content::Weights(_) | Content::Onnx(_))
    }

    /// Appends the file to the archive.
    ///
    /// # Errors
    /// [`Error::Device`] if the device fails, [`Error::Export`] if the bytes are not as many as the entry says, and the
    /// errors of the archive's sink.
    pub async fn write(self, archive: &mut Archive<'_>) -> Result<()> {
        archive.start(&self.name, self.len)?;
        let mut written = 0;
        let mut sink = |piece: &[u8]| {
            written += piece.len() as u64;
            archive.write(piece)
        };
        match self.content {
            Content::Bytes(bytes) => sink(&bytes)?,
            Content::Weights(file) => file.write(&mut sink).await?,
            Content::Onnx(file) => file.write(&mut sink).await?,
            Content::Stream(write) => written = archive.write_stream(&write)?,
        }
        match written == self.len {
            true => Ok(()),
            false => Err(Error::Export(format!(
                "{} has {written} bytes instead of {}.",
                self.name, self.len
            ))),
        }
    }
}

/// Indented JSON, as `json.dumps(indent=2)` of Python.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
