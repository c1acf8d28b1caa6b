//! The files of saved checkpoints on a disk that several tabs share.
//!
//! A session has a slot, a number from 0 on: it keeps the file `{slot}.lock` open, which no other tab can open or
//! remove meanwhile, and which the browser closes when the tab ends. The names of its checkpoints begin with that
//! number. Files whose slot nobody holds are those of a tab that was closed, and are removed.
//!
//! A file is written under another name and renamed when it is whole. It is removed after the last [`StoredFile`] of it
//! is dropped, by the next call of [`CheckpointStore::remove_unused`], because a drop cannot wait for the disk.

use crate::hub::{Disk, Folder, OpenFile};
use crate::{Error, Result};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::rc::Rc;

/// The lock under which files of closed tabs are removed.
const LOCK: &str = "webtune-checkpoints";

/// The end of the name of the file that a session keeps open.
const LOCK_ENDING: &str = ".lock";

/// The end of the name of a file that is being written.
const PART_ENDING: &str = ".part";

/// The most tabs that save checkpoints at one time.
const MOST_SLOTS: usize = 100;

type Names = Rc<RefCell<Vec<String>>>;

/// The saved checkpoints of a session on its disk.
pub(in crate::session) struct CheckpointStore<D: Disk> {
    disk: D,
    slot: Option<Slot<D>>,
    /// Files written so far: a part of their names, because two runs may save the same step.
    written: usize,
    /// Whether the files of closed tabs are removed.
    is_swept: bool,
    /// Files that nothing refers to any more.
    unused: Names,
}

struct Slot<D: Disk> {
    number: usize,
    /// Is open as long as the session lives.
    _lock: D::File,
}

/// A file of a checkpoint. It is removed from the disk when this is dropped.
#[derive(Debug)]
pub(super) struct StoredFile {
    pub name: String,
    pub bytes: u64,
    unused: Names,
}

impl Drop for StoredFile {
    fn drop(&mut self) {
        self.unused
            .borrow_mut()
            .push(std::mem::take(&mut self.name));
    }
}

/// A file that is being written, front to back.
pub(super) struct Draft<F> {
    file: F,
    name: String,
    bytes: u64,
    /// Whether the disk has refused bytes.
    pub is_refused: bool,
}

impl<F: OpenFile> Draft<F> {
    /// # Errors
    /// [`Error::Export`] when the bytes do not fit, and for every call after it.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.is_refused = self.is_refused || self.file.write(bytes, self.bytes).is_err();
        if self.is_refused {
            return Err(Error::Export("the checkpoint does not fit.".into()));
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

impl<F: OpenFile> Write for Draft<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<D: Disk> CheckpointStore<D> {
    /// That of a session which has saved nothing yet.
    pub(in crate::session) fn new(disk: D) -> Self {
        Self {
            disk,
            slot: None,
            written: 0,
            is_swept: false,
            unused: Rc::default(),
        }
    }

    pub(super) fn disk(&self) -> &D {
        &self.disk
    }

    /// Whether `bytes` more fit, as far as the browser says.
    pub(super) async fn has_room(&self, bytes: u64) -> bool {
        let usage = self.disk.usage().await;
        usage.is_none_or(|(used, quota)| used.saturating_add(bytes) <= quota)
    }

    /// Opens a new file whose name ends with `ending`; none where the disk does not allow it.
    pub(super) async fn begin(&mut self, ending: &str) -> Option<Draft<D::File>> {
        let slot = self.slot().await?;
        self.written += 1;
        let name = format!("{slot}.{}.{ending}", self.written);
        let part = format!("{name}{PART_ENDING}");
        let file = self.disk.open(Folder::Checkpoints, &part).await.ok()?;
        file.truncate(0).ok()?;
        Some(Draft {
            file,
            name,
            bytes: 0,
            is_refused: false,
        })
    }

    /// Gives a file that is whole its name; none where the disk is full after all.
    pub(super) async fn finish(&mut self, draft: Draft<D::File>) -> Option<StoredFile> {
        let Draft {
            file, name, bytes, ..
        } = draft;
        let is_whole = file.size() == bytes && file.rename(&name).await.is_ok();
        if !is_whole {
            self.remove(&format!("{name}{PART_ENDING}")).await;
            return None;
        }
        Some(StoredFile {
            name,
            bytes,
            unused: self.unused.clone(),
        })
    }

    /// Removes a file that is not whole.
    pub(super) async fn abandon(&mut self, draft: Draft<D::File>) {
        let part = format!("{}{PART_ENDING}", draft.name);
        drop(draft);
        self.remove(&part).await;
    }

    /// Removes the files that nothing refers to any more, and once those of closed tabs.
    pub(in crate::session) async fn remove_unused(&mut self) {
        if !self.is_swept {
            self.is_swept = true;
            self.sweep().await;
        }
        let unused = self.unused.take();
        for name in unused {
            self.remove(&name).await;
        }
    }

    async fn remove(&self, name: &str) {
        // What cannot be removed now is removed by the next visit.
        let _ = self.disk.remove(Folder::Checkpoints, name).await;
    }

    /// The number of this session's slot; none where no file can be opened.
    async fn slot(&mut self) -> Option<usize> {
        if let Some(slot) = &self.slot {
            return Some(slot.number);
        }
        // Another tab does not take the slot for one of a closed tab meanwhile.
        let _lock = self.disk.lock(LOCK).await.ok();
        for number in 0..MOST_SLOTS {
            let name = format!("{number}{LOCK_ENDING}");
            if let Ok(lock) = self.disk.open(Folder::Checkpoints, &name).await {
                self.slot = Some(Slot {
                    number,
                    _lock: lock,
                });
                return Some(number);
            }
        }
        None
    }

    /// Removes the files of closed tabs. Without the lock nothing is removed, because another tab may be about to open
    /// the file of its slot.
    async fn sweep(&self) {
        let Ok(_lock) = self.disk.lock(LOCK).await else {
            return;
        };
        let names = self.disk.names(Folder::Checkpoints).await;
        let names = names.unwrap_or_default();
        let mut held = BTreeSet::new();
        for name in names.iter().filter(|name| name.ends_with(LOCK_ENDING)) {
            if self.disk.remove(Folder::Checkpoints, name).await.is_err() {
                held.insert(slot_of(name));
            }
        }
        for name in &names {
            if !name.ends_with(LOCK_ENDING) && !held.contains(slot_of(name)) {
                self.remove(name).await;
            }
        }
    }
}

/// The slot that a name begins with.
fn slot_of(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}
