//! Cuts a file's text, as it arrives, into records.

use super::builder::TableBuilder;
use super::delimited::{CellSplitter, count_line_ends, next_extent};
use super::document::document_rows;
use super::format::Layout;
use super::json::{Json, Next, cells, next_element, parse};
use super::{MAX_RECORD_BYTES, SkipReason};
use crate::{Error, Result};
use memchr::memchr2;

/// Text is cut into records in pieces of at least this many bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Reads the records of one file.
pub struct RecordReader {
    /// Text that has not been read yet. New text is appended.
    pub pending: String,
    /// The length of the pending text from which it is worthwhile to look for records again.
    next_attempt: usize,
    /// The line of the pending text's beginning, counted from 1.
    line: usize,
    kind: Kind,
}

enum Kind {
    Delimited {
        delimiter: u8,
        declared: bool,
        splitter: Box<CellSplitter>,
    },
    Lines,
    Document(Document),
}

/// The state of a JSON document.
#[derive(Default)]
struct Document {
    /// Whether the `[` of an array has been read, and whether its `]` has.
    opened: Option<bool>,
    closed: bool,
    /// The first object of a document that is no array. It is a row if there are more.
    first: Option<(usize, Json, usize)>,
    /// The number of values so far.
    count: usize,
}

impl RecordReader {
    /// Creates a reader.
    pub fn new(layout: Layout) -> Self {
        let kind = match layout {
            Layout::Delimited {
                delimiter,
                declared,
            } => Kind::Delimited {
                delimiter,
                declared,
                splitter: Box::new(CellSplitter::new(delimiter)),
            },
            Layout::Lines => Kind::Lines,
            Layout::Document => Kind::Document(Document::default()),
        };
        RecordReader {
            pending: String::new(),
            next_attempt: PIECE_BYTES,
            line: 1,
            kind,
        }
    }

    /// Gives the complete records of the pending text to `builder`. `last`: the file ends with this text.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a record that is too long, and for those of the builder.
    pub fn advance(&mut self, last: bool, builder: &mut TableBuilder) -> Result<()> {
        if self.pending.len() < self.next_attempt && !last {
            return Ok(());
        }
        let text = std::mem::take(&mut self.pending);
        let read = match &mut self.kind {
            Kind::Delimited {
                delimiter,
                declared,
                splitter,
            } => {
                let mut start = 0;
                if *declared {
                    let Some(extent) = next_extent(text.as_bytes(), 0, *delimiter, last) else {
                        self.pending = text;
                        return Ok(());
                    };
                    start = extent.next;
                    self.line += 1;
                    *declared = false;
                }
                read_delimited(
                    &text,
                    start,
                    *delimiter,
                    splitter,
                    &mut self.line,
                    last,
                    builder,
                )?
            }
            Kind::Lines => read_lines(&text, &mut self.line, last, builder)?,
            Kind::Document(document) => document.read(&text, &mut self.line, last, builder)?,
        };
        self.pending = text;
        self.pending.drain(..read);
        check_length(self.pending.len(), self.line, builder)?;
        // A long record is not scanned again for each piece that arrives.
        self.next_attempt = PIECE_BYTES.max(2 * self.pending.len());
        if last && let Kind::Document(document) = &mut self.kind {
            document.finish(builder)?;
        }
        Ok(())
    }
}

fn check_length(length: usize, line: usize, builder: &TableBuilder) -> Result<()> {
    if length > MAX_RECORD_BYTES {
        return Err(Error::Dataset(format!(
            "the row of {} that begins on line {line} is longer than {} MB, so that the file is no table that can be \
             read here. Check its line ends and quotes; write JSON as an array of objects (pandas: orient=\"records\") \
             or as JSON Lines.",
            builder.name(),
            MAX_RECORD_BYTES >> 20
        )));
    }
    Ok(())
}

fn read_delimited(
    text: &str,
    mut at: usize,
    delimiter: u8,
    splitter: &mut CellSplitter,
    line: &mut usize,
    last: bool,
    builder: &mut TableBuilder,
) -> Result<usize> {
    while at < text.len() {
        let Some(extent) = next_extent(text.as_bytes(), at, delimiter, last) else {
            break;
        };
        let record = &text[at..extent.end];
        check_length(record.len(), *line, builder)?;
        let is_blank = |letter: char| letter.is_whitespace() && letter != char::from(delimiter);
        if !record.trim_matches(is_blank).is_empty() {
            match splitter.cells(record, extent.quotes) {
                Ok(cells) => builder.push_cells(*line, cells, record)?,
                Err(reason) => builder.push_fault(*line, reason, record)?,
            }
        }
        *line += count_line_ends(&text.as_bytes()[at..extent.next]);
        at = extent.next;
    }
    Ok(at)
}

fn read_lines(
    text: &str,
    line: &mut usize,
    last: bool,
    builder: &mut TableBuilder,
) -> Result<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = match memchr2(b'\n', b'\r', &bytes[at..]) {
            Some(found) => at + found,
            None if last => bytes.len(),
            None => break,
        };
        let next = match (bytes.get(end), bytes.get(end + 1)) {
            (Some(b'\r'), None) if !last => break,
            (Some(b'\r'), Some(b'\n')) => end + 2,
            _ => (end + 1).min(bytes.len()),
        };
        let record = text[at..end].trim();
        check_length(end - at, *line, builder)?;
        if !record.is_empty() {
            push_json(*line, parse(record), record, builder)?;
        }
        *line += 1;
        at = next;
    }
    Ok(at)
}

fn push_json(
    line: usize,
    value: Option<Json>,
    raw: &str,
    builder: &mut TableBuilder,
) -> Result<()> {
    match value.ok_or(SkipReason::NotJson).and_then(cells) {
        Ok(entries) => builder.push_object(line, entries, raw.len()),
        Err(reason) => builder.push_fault(line, reason, raw),
    }
}

impl Document {
    fn read(
        &mut self,
        text: &str,
        line: &mut usize,
        last: bool,
        builder: &mut TableBuilder,
    ) -> Result<usize> {
        let bytes = text.as_bytes();
        let mut at = 0;
        if self.opened.is_none() {
            let start = text.len() - text.trim_start().len();
            let Some(first) = bytes.get(start) else {
                return Ok(0);
            };
            self.opened = Some(*first == b'[');
            if *first == b'[' {
                *line += count_line_ends(&bytes[..start]);
                at = start + 1;
            }
        }
        loop {
            match next_element(bytes, at, last) {
                Next::Element(start, end) => {
                    *line += count_line_ends(&bytes[at..start]);
                    let raw = &text[start..end];
                    check_length(raw.len(), *line, builder)?;
                    self.element(*line, parse(raw), raw, builder)?;
                    *line += count_line_ends(raw.as_bytes());
                    at = end;
                }
                Next::ArrayEnd(end) => {
                    *line += count_line_ends(&bytes[at..end]);
                    if self.opened != Some(true) || self.closed {
                        builder.push_fault(*line, SkipReason::NotJson, "]")?;
                    }
                    self.closed = true;
                    at = end;
                }
                Next::Nothing(end) => {
                    *line += count_line_ends(&bytes[at..end]);
                    return Ok(end);
                }
                Next::Incomplete(start) => {
                    *line += count_line_ends(&bytes[at..start]);
                    if !last {
                        return Ok(start);
                    }
                    check_length(text.len() - start, *line, builder)?;
                    builder.push_fault(*line, SkipReason::NotJson, &text[start..])?;
                    return Ok(bytes.len());
                }
            }
        }
    }

    fn element(
        &mut self,
        line: usize,
        value: Option<Json>,
        raw: &str,
        builder: &mut TableBuilder,
    ) -> Result<()> {
        self.count += 1;
        if self.closed {
            return builder.push_fault(line, SkipReason::NotJson, raw);
        }
        if self.opened == Some(false)
            && self.count == 1
            && let Some(value) = value
        {
            self.first = Some((line, value, raw.len()));
            return Ok(());
        }
        self.flush(builder)?;
        push_json(line, value, raw, builder)
    }

    /// Gives the first object to the builder, as a row.
    fn flush(&mut self, builder: &mut TableBuilder) -> Result<()> {
        match self.first.take() {
            Some((line, value, size)) => match cells(value) {
                Ok(entries) => builder.push_object(line, entries, size),
                Err(reason) => builder.push_fault(line, reason, ""),
            },
            None => Ok(()),
        }
    }

    /// Reads a document that is one object. The line of its rows is that of the object.
    fn finish(&mut self, builder: &mut TableBuilder) -> Result<()> {
        let Some((line, value, size)) = self.first.take() else {
            return Ok(());
        };
        let rows = document_rows(value).map_err(|found| {
            Error::Dataset(format!(
                "{} is JSON but no table: it holds {found}. Expected is an array of objects such as [{{\"text\": …, \
                 \"label\": …}}, …], or one such object a line.",
                builder.name()
            ))
        })?;
        let size = size / rows.len().max(1);
        for row in rows {
            match row {
                Ok(entries) => builder.push_object(line, entries, size)?,
                Err(reason) => builder.push_fault(line, reason, "")?,
            }
        }
        Ok(())
    }
}
