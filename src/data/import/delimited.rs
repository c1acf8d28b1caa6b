//! Records of delimited text. The extent of a record is found here, because a quote that is never closed spoils its own
//! line only; the cells of a well-formed record are split by `csv-core`.

use super::{MAX_QUOTED_BYTES, SkipReason};
use csv_core::ReadRecordResult;
use memchr::{memchr, memchr2, memchr3};

/// The extent of one record in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Where the record ends, without its line end.
    pub end: usize,
    /// Where the next record begins.
    pub next: usize,
    /// How its quotes are.
    pub quotes: Quotes,
}

/// How the quotes of a record are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// Each quote that opens a cell is closed at the cell's end, or there is none.
    Regular,
    /// A quote opens a cell and closes within it. Such a cell is taken as written, quotes included.
    Inside,
    /// A quote is never closed. The record ends with that line.
    Unclosed,
}

/// Returns the extent of the record that begins at `start`, or `None` if `buffer` does not hold all that decides it.
/// `last`: the file ends with the buffer.
pub fn next_extent(buffer: &[u8], start: usize, delimiter: u8, last: bool) -> Option<Extent> {
    let end = line_end(buffer, start, last)?;
    if memchr(b'"', &buffer[start..end]).is_none() {
        return extent(buffer, end, Quotes::Regular, last);
    }
    let mut quotes = Quotes::Regular;
    let mut cell = start;
    loop {
        let mut at = cell;
        if buffer.get(cell) == Some(&b'"') {
            match closing_quote(buffer, cell, delimiter, last)? {
                Closing::At(after) => at = after,
                Closing::Within(after) => {
                    quotes = Quotes::Inside;
                    at = after;
                }
                Closing::Never => {
                    let end = line_end(buffer, cell, last)?;
                    return extent(buffer, end, Quotes::Unclosed, last);
                }
            }
        }
        match memchr3(delimiter, b'\n', b'\r', &buffer[at..]) {
            Some(found) if buffer[at + found] == delimiter => cell = at + found + 1,
            Some(found) => return extent(buffer, at + found, quotes, last),
            None if last => return extent(buffer, buffer.len(), quotes, last),
            None => return None,
        }
    }
}

enum Closing {
    /// The quote is closed at the end of its cell. The position after the closing quote.
    At(usize),
    /// The quote is closed on its line, but the cell goes on. The position after the closing quote.
    Within(usize),
    /// There is no closing quote.
    Never,
}

/// Finds the quote that closes the one at `open`. A quote on a later line that is not at the end of a cell does not
/// close it: it opens another cell.
fn closing_quote(buffer: &[u8], open: usize, delimiter: u8, last: bool) -> Option<Closing> {
    let limit = open + MAX_QUOTED_BYTES;
    let (window, last) = if buffer.len() >= limit {
        (&buffer[..limit], true)
    } else {
        (buffer, last)
    };
    let mut from = open + 1;
    loop {
        let Some(found) = memchr(b'"', &window[from..]) else {
            return last.then_some(Closing::Never);
        };
        let quote = from + found;
        let mut at = quote + 1;
        if window.get(at) == Some(&b'"') {
            from = at + 1;
            continue;
        }
        while window.get(at) == Some(&b' ') && delimiter != b' ' {
            at += 1;
        }
        match window.get(at) {
            None if !last => return None,
            None | Some(b'\n' | b'\r') => return Some(Closing::At(quote + 1)),
            Some(&byte) if byte == delimiter => return Some(Closing::At(quote + 1)),
            Some(_) if memchr2(b'\n', b'\r', &window[open..quote]).is_some() => {
                return Some(Closing::Never);
            }
            Some(_) => return Some(Closing::Within(quote + 1)),
        }
    }
}

/// Returns where the line ends that `start` is on, without its line end.
fn line_end(buffer: &[u8], start: usize, last: bool) -> Option<usize> {
    match memchr2(b'\n', b'\r', &buffer[start..]) {
        Some(found) => Some(start + found),
        None => last.then_some(buffer.len()),
    }
}

/// Returns the extent of a record that ends at `end`. A CR at the end of the buffer may be half of a CRLF.
fn extent(buffer: &[u8], end: usize, quotes: Quotes, last: bool) -> Option<Extent> {
    let next = match (buffer.get(end), buffer.get(end + 1)) {
        (None, _) => end,
        (Some(b'\r'), Some(b'\n')) => end + 2,
        (Some(b'\r'), None) if !last => return None,
        _ => end + 1,
    };
    Some(Extent { end, next, quotes })
}

/// Returns the number of line ends (CRLF, LF, CR) in `text`, which does not end in the middle of a CRLF.
pub fn count_line_ends(text: &[u8]) -> usize {
    let mut count = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', text) {
        count += usize::from(text[at] == b'\n' || text.get(at + 1) != Some(&b'\n'));
    }
    count
}

/// Splits records into cells.
pub struct CellSplitter {
    delimiter: u8,
    reader: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl CellSplitter {
    /// Creates a splitter.
    pub fn new(delimiter: u8) -> Self {
        CellSplitter {
            delimiter,
            reader: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            output: vec![0; 1024],
            ends: vec![0; 16],
        }
    }

    /// Returns the cells of a record without its line end.
    ///
    /// # Errors
    /// The reason why the record is no row.
    pub fn cells(&mut self, record: &str, quotes: Quotes) -> Result<Vec<String>, SkipReason> {
        match quotes {
            Quotes::Regular => Ok(self.regular(record)),
            Quotes::Inside => Ok(self.inside(record)),
            Quotes::Unclosed => Err(SkipReason::UnclosedQuote),
        }
    }

    fn regular(&mut self, record: &str) -> Vec<String> {
        self.reader.reset();
        let mut input = record.as_bytes();
        let (mut written, mut cells) = (0, 0);
        loop {
            let (result, read, wrote, ended) = self.reader.read_record(
                input,
                &mut self.output[written..],
                &mut self.ends[cells..],
            );
            input = &input[read..];
            written += wrote;
            cells += ended;
            match result {
                // The next call, without input, ends the record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    self.output.resize(2 * self.output.len() + input.len(), 0)
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        let mut start = 0;
        let cell = |&end: &usize| {
            let bytes = &self.output[start..end];
            start = end;
            String::from_utf8_lossy(bytes).into_owned()
        };
        self.ends[..cells].iter().map(cell).collect()
    }

    /// Splits a record of which a cell has quotes that close within it.
    fn inside(&mut self, record: &str) -> Vec<String> {
        let bytes = record.as_bytes();
        let mut cells = Vec::new();
        let mut start = 0;
        loop {
            let mut at = start;
            let mut within = true;
            if bytes.get(start) == Some(&b'"') {
                match closing_quote(bytes, start, self.delimiter, true) {
                    Some(Closing::At(after)) => (at, within) = (after, false),
                    Some(Closing::Within(after)) => at = after,
                    _ => {}
                }
            }
            let end = memchr(self.delimiter, &bytes[at..]).map_or(bytes.len(), |found| at + found);
            let cell = &record[start..end];
            if within {
                cells.push(cell.to_owned());
            } else {
                cells.extend(self.regular(cell));
            }
            if end == bytes.len() {
                return cells;
            }
            start = end + 1;
        }
    }
}
