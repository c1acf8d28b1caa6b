//! The bytes of a download that have arrived: on the disk while it accepts them, then in memory until they are read.

use super::environment::{DiskError, OpenFile};
use super::hash::ContentHash;
use super::incoming::Incoming;
use std::ops::Range;

/// Bytes that are read at a time from a stored beginning, to hash it.
const HASH_CHUNK: u64 = 1 << 20;

/// The arrived bytes of one file.
pub(super) struct Arrived<F> {
    disk: Option<F>,
    /// Where the disk ends and `tail` begins, once the disk accepts nothing more.
    full_at: Option<u64>,
    tail: Vec<u8>,
}

/// Why bytes that have arrived cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadError {
    /// They were in memory only, and were dropped when they were read.
    Dropped,
    /// The disk fails.
    Disk,
}

impl<F: OpenFile> Arrived<F> {
    /// The bytes that are in an open file; without one, everything is kept in memory.
    pub(super) fn new(disk: Option<F>) -> Self {
        Self {
            full_at: disk.is_none().then_some(0),
            disk,
            tail: Vec::new(),
        }
    }

    /// Whether the disk has every byte.
    pub(super) fn is_on_disk(&self) -> bool {
        self.full_at.is_none()
    }

    /// A download that continues after the stored beginning; `etag` is that of the answer that it came with.
    pub(super) fn resume(&self, etag: Option<String>) -> Option<Incoming> {
        let disk = self.disk.as_ref()?;
        let len = disk.size();
        let mut hash = ContentHash::default();
        let mut at = 0;
        while at < len {
            let mut chunk = vec![0; HASH_CHUNK.min(len - at) as usize];
            disk.read(&mut chunk, at).ok()?;
            hash.update(&chunk);
            at += chunk.len() as u64;
        }
        Some(Incoming::resumed(len, hash, etag))
    }

    /// Takes bytes that begin at `at`.
    ///
    /// # Errors
    /// [`DiskError`] when the disk accepts nothing more. The bytes are kept in memory then, and so are all that follow.
    pub(super) fn write(&mut self, bytes: &[u8], at: u64) -> Result<(), DiskError> {
        let mut written = Ok(());
        if self.full_at.is_none()
            && let Some(disk) = &self.disk
        {
            written = disk.write(bytes, at);
            if written.is_err() {
                self.full_at = Some(at);
            }
        }
        if let Some(full_at) = self.full_at {
            // After a start over, the server sends bytes again that are here already.
            let end = full_at + self.tail.len() as u64;
            let known = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
            self.tail
                .extend_from_slice(bytes.get(known..).unwrap_or_default());
        }
        written
    }

    /// Reads bytes that have arrived. Those in memory are dropped up to the end of `range`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(super) fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, ReadError> {
        let full_at = self.full_at.unwrap_or(u64::MAX);
        let from_disk = range.end.min(full_at).saturating_sub(range.start) as usize;
        let mut bytes = vec![0; from_disk];
        if from_disk > 0 {
            let disk = self.disk.as_ref().ok_or(ReadError::Dropped)?;
            disk.read(&mut bytes, range.start)
                .map_err(|_| ReadError::Disk)?;
        }
        if range.end > full_at {
            let start = (range.start.max(full_at) - full_at) as usize;
            let end = (range.end - full_at) as usize;
            bytes.extend_from_slice(&self.tail[start..end]);
            self.tail.drain(..end);
            self.full_at = Some(range.end);
        }
        Ok(bytes)
    }

    /// Drops what is in memory, because nothing more is read.
    pub(super) fn drop_tail(&mut self) {
        if let Some(full_at) = &mut self.full_at {
            *full_at += self.tail.len() as u64;
            self.tail.clear();
        }
    }

    /// Drops everything.
    ///
    /// # Errors
    /// [`DiskError`].
    pub(super) fn clear(&mut self) -> Result<(), DiskError> {
        self.tail.clear();
        self.full_at = self.disk.is_none().then_some(0);
        match &self.disk {
            Some(disk) => disk.truncate(0),
            None => Ok(()),
        }
    }

    /// Gives up the open file, so that it can be renamed or removed.
    pub(super) fn take_disk(&mut self) -> Option<F> {
        self.disk.take()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::FakeFile;
    use super::*;

    #[test]
    fn bytes_in_memory_are_read_once_and_in_order() {
        let mut arrived = Arrived::<FakeFile>::new(None);
        arrived.write(b"hello world", 0).unwrap();
        assert_eq!(arrived.read(2..5).unwrap(), b"llo");
        assert_eq!(arrived.read(4..6), Err(ReadError::Dropped));
        assert_eq!(arrived.read(5..7).unwrap(), b" w");
        arrived.drop_tail();
        assert_eq!(arrived.read(7..8), Err(ReadError::Dropped));
        arrived.write(b"!", 11).unwrap();
        assert_eq!(arrived.read(11..12).unwrap(), b"!");
    }

    #[test]
    fn a_start_over_adds_only_bytes_beyond_the_known_ones() {
        let mut arrived = Arrived::<FakeFile>::new(None);
        arrived.write(b"hello ", 0).unwrap();
        for (at, bytes) in [(0, b"hel"), (3, b"lo "), (6, b"wor")] {
            arrived.write(bytes, at).unwrap();
        }
        assert_eq!(arrived.read(0..9).unwrap(), b"hello wor");
    }
}
