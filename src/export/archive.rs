//! A zip archive that is written front to back without seeking: entries are not compressed, and their sizes follow
//! their bytes.

use super::refuse;
use crate::{Error, Result};
use std::io::{self, BufWriter, Write};
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};
use zip::{CompressionMethod, DateTime, result::ZipError};

/// Bytes of the buffer in front of the sink, because the headers of a zip are many small writes.
const BUFFER: usize = 1 << 20;

/// Writes the content of a file; it writes the same bytes each time.
pub(super) type WriteContent<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// An archive that is being written.
pub struct Archive<'a> {
    zip: ZipWriter<StreamWriter<BufWriter<Sink<'a>>>>,
}

impl<'a> Archive<'a> {
    /// An empty archive, whose bytes `sink` gets.
    pub fn new(sink: &'a mut dyn FnMut(&[u8]) -> Result<()>) -> Self {
        let sink = Sink {
            sink,
            failed: false,
        };
        Self {
            zip: ZipWriter::new_stream(BufWriter::with_capacity(BUFFER, sink)),
        }
    }

    /// Starts a file of `len` bytes, to be written by [`Archive::write`].
    ///
    /// # Errors
    /// The error of the sink.
    pub fn start(&mut self, name: &str, len: u64) -> Result<()> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            // The earliest date of the format, as in reproducible archives.
            .last_modified_time(DateTime::default())
            .large_file(len > u64::from(u32::MAX));
        self.zip.start_file(name, options).map_err(zip_error)
    }

    /// Appends to the file that was started last.
    ///
    /// # Errors
    /// The error of the sink.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.zip.write_all(bytes).map_err(io_error)
    }

    /// Appends content that is written in many small pieces to the file that was started last, and returns its bytes.
    ///
    /// # Errors
    /// The error of the sink.
    pub(super) fn write_stream(&mut self, write: &WriteContent<'_>) -> Result<u64> {
        let mut writer = BufWriter::new(Counter {
            writer: &mut self.zip,
            bytes: 0,
        });
        write(&mut writer)
            .and_then(|()| writer.flush())
            .map_err(io_error)?;
        Ok(writer.get_ref().bytes)
    }

    /// Writes the central directory and flushes the buffer.
    ///
    /// # Errors
    /// The error of the sink.
    pub fn finish(self) -> Result<()> {
        let stream = self.zip.finish().map_err(zip_error)?;
        stream.into_inner().flush().map_err(io_error)
    }
}

/// The bytes of some content, counted without keeping them.
///
/// # Errors
/// [`Error::Export`] for content that cannot be written.
pub(super) fn count(write: &WriteContent<'_>) -> Result<u64> {
    let mut counter = Counter {
        writer: io::sink(),
        bytes: 0,
    };
    write(&mut counter).map_err(io_error)?;
    Ok(counter.bytes)
}

/// Counts the bytes that it writes.
struct Counter<W> {
    writer: W,
    bytes: u64,
}

impl<W: Write> Write for Counter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        // The archive is flushed when it is finished.
        Ok(())
    }
}

/// Calls the sink with the bytes; not again after it failed.
struct Sink<'a> {
    sink: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    failed: bool,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        match (self.sink)(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failed = true;
                Err(io::Error::other(error))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of the sink if it is one, else an error of the export.
fn io_error(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => refuse(error.to_string()),
    }
}

fn zip_error(error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => io_error(error),
        error => refuse(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read};

    #[test]
    fn contains_files_that_were_written_in_parts() {
        let mut bytes = Vec::new();
        let (mut pieces, large) = (0, vec![7; 3 * BUFFER]);
        let mut sink = |piece: &[u8]| {
            pieces += 1;
            bytes.extend_from_slice(piece);
            Ok(())
        };
        let mut archive = Archive::new(&mut sink);
        archive.start("a.txt", 5).unwrap();
        archive.write(b"he").unwrap();
        archive.write(b"llo").unwrap();
        archive.start("large", large.len() as u64).unwrap();
        archive.write(&large).unwrap();
        archive.finish().unwrap();
        assert!(pieces <= 4, "{pieces} pieces");
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut read = |name: &str| {
            let mut found = Vec::new();
            let mut file = archive.by_name(name).unwrap();
            file.read_to_end(&mut found).unwrap();
            found
        };
        assert_eq!(read("a.txt"), b"hello");
        assert_eq!(read("large"), large);
    }

    #[test]
    fn a_sink_that_failed_is_not_called_again() {
        let mut calls = 0;
        let mut sink = |_: &[u8]| {
            calls += 1;
            Err(refuse("the disk is full."))
        };
        let mut archive = Archive::new(&mut sink);
        archive.start("large", 2 * BUFFER as u64).unwrap();
        let error = archive.write(&vec![0; 2 * BUFFER]).unwrap_err();
        assert_eq!(error, refuse("the disk is full."));
        drop(archive);
        assert_eq!(calls, 1);
    }
}
