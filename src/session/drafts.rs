//! Files that are written beside the old ones and renamed when they are whole, so that a crash or a full disk leaves no
//! file that is only a part.

use crate::hub::{Disk, Folder, OpenFile};
use crate::{Error, Result};
use std::io::{self, Write};

/// The end of the name of a file that is being written.
const PART_ENDING: &str = ".part";

/// A file that is being written, front to back.
pub(super) struct Draft<D: Disk> {
    disk: D,
    folder: Folder,
    file: D::File,
    name: String,
    bytes: u64,
    /// Whether the disk has refused bytes.
    is_refused: bool,
}

impl<D: Disk> Draft<D> {
    /// Opens a new file that will be called `name`; none where the disk does not allow it.
    pub(super) async fn begin(disk: &D, folder: Folder, name: &str) -> Option<Self> {
        let file = disk.open(folder, &part_name(name)).await.ok()?;
        file.truncate(0).ok()?;
        Some(Self {
            disk: disk.clone(),
            folder,
            file,
            name: name.into(),
            bytes: 0,
            is_refused: false,
        })
    }

    /// # Errors
    /// [`Error::Export`] when the bytes do not fit, and for every call after it.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.replace(bytes, self.bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Replaces bytes that were appended.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub(super) fn replace(&mut self, bytes: &[u8], at: u64) -> Result<()> {
        self.is_refused = self.is_refused || self.file.write(bytes, at).is_err();
        match self.is_refused {
            true => Err(Error::Export("the checkpoint does not fit.".into())),
            false => Ok(()),
        }
    }

    /// The draft after its content was `written`; none, and no file, where the disk has refused it.
    ///
    /// # Errors
    /// That of `written`, if it is not the disk's. The file is removed.
    pub(super) async fn settled(self, written: Result<()>) -> Result<Option<Self>> {
        let Err(error) = written else {
            return Ok(Some(self));
        };
        let is_refused = self.is_refused;
        self.abandon().await;
        match is_refused {
            true => Ok(None),
            false => Err(error),
        }
    }

    /// Gives a file that is whole its name, and returns its bytes; none where the disk is full after all.
    pub(super) async fn finish(self) -> Option<u64> {
        let is_complete = !self.is_refused && self.file.size() == self.bytes;
        if is_complete && self.file.rename(&self.name).await.is_ok() {
            return Some(self.bytes);
        }
        remove(&self.disk, self.folder, &part_name(&self.name)).await;
        None
    }

    /// Removes a file that is not whole.
    pub(super) async fn abandon(self) {
        drop(self.file);
        remove(&self.disk, self.folder, &part_name(&self.name)).await;
    }
}

impl<D: Disk> Write for Draft<D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn part_name(name: &str) -> String {
    format!("{name}{PART_ENDING}")
}

async fn remove<D: Disk>(disk: &D, folder: Folder, name: &str) {
    // What cannot be removed now is removed by a later visit.
    let _ = disk.remove(folder, name).await;
}

/// Whether `bytes` more fit on a disk, as far as the browser says.
pub(super) async fn has_room<D: Disk>(disk: &D, bytes: u64) -> bool {
    let usage = disk.usage().await;
    usage.is_none_or(|(used, quota)| used.saturating_add(bytes) <= quota)
}
