//! A deflated entry of a zip as a source of byte ranges. It is inflated forwards, so it is never in memory as a whole.

use super::environment::Blob;
use crate::io::{ByteSource, ended_early};
use crate::{Error, Result};
use flate2::{Crc, Decompress, FlushDecompress};
use std::ops::Range;

/// Compressed bytes that are read, and bytes that are inflated, at a time.
const PIECE: usize = 64 << 10;

/// What the directory of an archive says about a deflated entry.
pub(super) struct Deflated {
    /// Where its compressed bytes are in the archive.
    pub range: Range<u64>,
    /// Bytes of its content.
    pub size: u64,
    /// CRC-32 of its content.
    pub crc: u32,
}

/// A deflated entry. A read before the place of the last one inflates it again from its beginning.
pub(super) struct InflateFile<B> {
    name: String,
    archive: B,
    entry: Deflated,
    inflate: Decompress,
    /// Where the archive is read next.
    next: u64,
    input: Vec<u8>,
    /// Bytes of `input` that are inflated already.
    used: usize,
    /// Bytes of the content so far, and their CRC-32.
    position: u64,
    crc: Crc,
}

impl<B: Blob> InflateFile<B> {
    /// An entry of `archive` under a name.
    pub(super) fn new(name: &str, archive: B, entry: Deflated) -> Self {
        Self {
            name: name.into(),
            archive,
            inflate: Decompress::new(false),
            next: entry.range.start,
            input: Vec::new(),
            used: 0,
            position: 0,
            crc: Crc::new(),
            entry,
        }
    }

    fn rewind(&mut self) {
        self.inflate.reset(false);
        self.crc.reset();
        self.input.clear();
        (self.next, self.used, self.position) = (self.entry.range.start, 0, 0);
    }

    fn damaged(&self, problem: &dyn std::fmt::Display) -> Error {
        Error::Download {
            file: self.name.clone(),
            problem: format!("the archive is damaged ({problem})."),
        }
    }

    /// The next compressed bytes, once those before are used; none at the end.
    fn read_input(&mut self) -> Result<()> {
        if self.used < self.input.len() {
            return Ok(());
        }
        let end = self.entry.range.end.min(self.next + PIECE as u64);
        let input = self.archive.read(self.next..end);
        self.input = input.map_err(|error| Error::Download {
            file: self.name.clone(),
            problem: error.0,
        })?;
        (self.next, self.used) = (end, 0);
        Ok(())
    }

    /// Fills `output` with the next bytes of the content.
    fn fill(&mut self, output: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < output.len() {
            self.read_input()?;
            let before = (self.inflate.total_in(), self.inflate.total_out());
            let input = &self.input[self.used..];
            let result =
                self.inflate
                    .decompress(input, &mut output[filled..], FlushDecompress::None);
            result.map_err(|error| self.damaged(&error))?;
            let read = (self.inflate.total_in() - before.0) as usize;
            let written = (self.inflate.total_out() - before.1) as usize;
            self.used += read;
            filled += written;
            if (read, written) == (0, 0) {
                let needed = self.position + output.len() as u64;
                return Err(ended_early(
                    &self.name,
                    self.position + filled as u64,
                    needed,
                ));
            }
        }
        self.crc.update(output);
        self.position += output.len() as u64;
        Ok(())
    }

    /// Inflates up to a place of the content, and calls `take` with each piece.
    fn advance(&mut self, end: u64, mut take: impl FnMut(&[u8])) -> Result<()> {
        let mut piece = vec![0; PIECE];
        while self.position < end {
            let len = (end - self.position).min(PIECE as u64) as usize;
            self.fill(&mut piece[..len])?;
            take(&piece[..len]);
        }
        Ok(())
    }
}

impl<B: Blob> ByteSource for InflateFile<B> {
    fn name(&self) -> &str {
        &self.name
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        Ok(Some(self.entry.size))
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        if range.end > self.entry.size {
            return Err(ended_early(&self.name, self.entry.size, range.end));
        }
        if range.start < self.position {
            self.rewind();
        }
        self.advance(range.start, |_| ())?;
        // Not allocated beforehand: the directory may claim a size that the content does not have.
        let mut bytes = Vec::new();
        self.advance(range.end, |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    async fn finish(&mut self) -> Result<()> {
        self.advance(self.entry.size, |_| ())?;
        match self.crc.sum() == self.entry.crc {
            true => Ok(()),
            false => Err(self.damaged(&"another checksum")),
        }
    }
}
