//! The limits of the import. Memory beyond the accepted rows is at most about 64 MiB: the head of the file, the record
//! that is being read (twice, as a buffer grows), and the records from which the columns are detected. A JSON document
//! that is one object is parsed as a whole; its values take some times its size of at most [`MAX_RECORD_BYTES`].

/// The encoding without a byte order mark, the format and the delimiter are detected from this many bytes at most.
pub const HEAD_BYTES: usize = 1 << 20;

/// An 8-bit encoding is detected from this many bytes at most, counted from the first byte that is not ASCII, however
/// far into the file that byte is.
pub const ENCODING_WINDOW_BYTES: usize = 256 << 10;

/// The header and the columns are detected from this many records at most.
pub const HEAD_RECORDS: usize = 5000;

/// The header and the columns are detected from about this many bytes of records at most.
pub const HEAD_RECORD_BYTES: usize = 4 << 20;

/// The longest record (a row with its line breaks, a JSON object) in UTF-8 bytes. A longer one is an error.
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// The end of a quoted cell is searched in this many UTF-8 bytes. A quote without an end in them is never closed.
pub const MAX_QUOTED_BYTES: usize = 4 << 20;

/// The largest number of columns.
pub const MAX_COLUMNS: usize = 1000;

/// The smallest number of classes.
pub const MIN_LABELS: usize = 2;

/// The largest number of classes.
pub const MAX_LABELS: usize = 100;

/// Distinct labels are counted up to this number, so that the error can say how many there are.
pub const MAX_COUNTED_LABELS: usize = 10_000;

/// Distinct labels are counted up to this length of all their names, in UTF-8 bytes.
pub const MAX_COUNTED_LABEL_BYTES: usize = 4 << 20;

/// Skipped rows beyond this number are counted but not listed.
pub const MAX_SKIPPED: usize = 1000;

/// The number of records in the preview.
pub const PREVIEW_RECORDS: usize = 20;

/// The length of a cell in the preview, in characters. A longer cell is cut there.
pub const PREVIEW_CELL_CHARS: usize = 1000;

/// The length of a skipped row's excerpt, in characters.
pub const EXCERPT_CHARS: usize = 120;
