//! Reads tables that people have: CSV, TSV, JSON Lines, JSON, and folders of texts, in the encodings they come in.
//!
//! A file arrives in pieces of any size. Its first [`HEAD_BYTES`] are kept until the encoding, the format and the
//! delimiter are detected; its first records until the columns are. After that only the accepted rows and the record
//! that is being read are kept.
//!
//! - Lines end in CRLF, LF or CR. A blank line is no row.
//! - A quote is one at the beginning of a cell only, and doubled inside of a quoted cell. A quote without a closing one
//!   at the end of a cell, within [`MAX_QUOTED_BYTES`], spoils its own line only. A cell whose quote closes before the
//!   end of the cell, on its line, is taken as written.
//! - Cells, texts and labels stay as they are written. A JSON label is a string, a boolean, or the digits of a number.

mod builder;
mod columns;
mod decoder;
mod delimited;
mod document;
mod encoding;
mod folder;
mod format;
mod json;
mod kind;
mod labels;
mod limits;
mod names;
mod profile;
mod reader;
#[cfg(test)]
mod tests;
mod types;

pub use folder::TextFolder;
pub use limits::*;
pub use types::{
    Detected, ImportOptions, ImportedTable, SkipReason, SkippedRow, TableFormat, TextEncoding,
};

use crate::{Error, Result};
use builder::TableBuilder;
use decoder::TextDecoder;
use encoding::{byte_order_mark, utf16_without_mark};
use format::{Layout, detect_layout};
use kind::{refuse_binary, refuse_controls, refuse_markup};
use reader::RecordReader;

/// Reads one file.
pub struct TableImporter {
    name: String,
    options: ImportOptions,
    /// The beginning of the file, until `body` is there.
    head: Vec<u8>,
    body: Option<Body>,
    bytes: u64,
}

/// The part of the import that works once the format is known.
struct Body {
    layout: Layout,
    decoder: TextDecoder,
    reader: RecordReader,
    builder: TableBuilder,
}

impl TableImporter {
    /// Creates an importer for a file called `name`.
    pub fn new(name: &str, options: ImportOptions) -> Self {
        TableImporter {
            name: name.into(),
            options,
            head: Vec::new(),
            body: None,
            bytes: 0,
        }
    }

    /// Reads the next bytes of the file. The table does not depend on how the file is cut into pieces.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a file that is no table. The importer is of no use after that.
    pub fn push(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if let Some(body) = &mut self.body {
            return body.push(bytes, false);
        }
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD_BYTES - self.head.len()));
        self.head.extend_from_slice(head);
        if self.head.len() < HEAD_BYTES {
            return Ok(());
        }
        self.begin(false)?.push(rest, false)
    }

    /// Returns the table. The file has ended.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a file that is no table, has no usable row, or has too many labels. A table
    /// whose columns do not repeat their values is returned without rows, and one of a single class with them:
    /// [`ImportedTable::check`] says what to do.
    pub fn finish(mut self) -> Result<ImportedTable> {
        match &mut self.body {
            Some(body) => body.push(&[], true)?,
            None => {
                self.begin(true)?;
            }
        }
        let Some(body) = self.body else {
            return Err(empty(&self.name));
        };
        let (format, delimiter) = body.layout.format();
        let table = body
            .builder
            .finish(body.decoder.encoding(), format, delimiter)?;
        Ok(ImportedTable {
            bytes: self.bytes,
            num_malformed: body.decoder.num_malformed,
            ..table
        })
    }

    /// Detects the encoding and the format from the head, and reads it. `whole`: the file ends with it.
    fn begin(&mut self, whole: bool) -> Result<&mut Body> {
        let head = std::mem::take(&mut self.head);
        let mut decoder = decoder_for(&self.name, &head, self.options.encoding)?;
        let mut text = String::new();
        decoder.decode(&head, whole, &mut text)?;
        let marks = text.len() - text.trim_start_matches('\u{FEFF}').len();
        text.drain(..marks);
        if whole && text.trim().is_empty() {
            return Err(empty(&self.name));
        }
        refuse_markup(&self.name, &text)?;
        let layout = detect_layout(&self.name, &text, whole, &self.options)?;
        let mut reader = RecordReader::new(layout);
        reader.pending = text;
        let mut builder = TableBuilder::new(&self.name, self.options.clone());
        reader.advance(whole, &mut builder)?;
        Ok(self.body.insert(Body {
            layout,
            decoder,
            reader,
            builder,
        }))
    }
}

impl Body {
    fn push(&mut self, bytes: &[u8], last: bool) -> Result<()> {
        self.decoder.decode(bytes, last, &mut self.reader.pending)?;
        self.reader.advance(last, &mut self.builder)
    }
}

/// Returns the decoder of a file that begins with `head`.
fn decoder_for(name: &str, head: &[u8], chosen: Option<TextEncoding>) -> Result<TextDecoder> {
    refuse_binary(name, head)?;
    let marked = byte_order_mark(head).map(|(encoding, _)| encoding);
    let encoding = chosen.or(marked).or_else(|| utf16_without_mark(head));
    if !matches!(
        encoding,
        Some(TextEncoding::Utf16Le | TextEncoding::Utf16Be)
    ) {
        refuse_controls(name, head)?;
    }
    Ok(TextDecoder::new(name, encoding))
}

fn empty(name: &str) -> Error {
    Error::Dataset(format!(
        "{name} is empty: it has no rows. Choose a file with a text and a label in each row."
    ))
}
