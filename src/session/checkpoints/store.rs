//! The files of saved checkpoints on a disk that several tabs share.
//!
//! A session has a [slot](crate::session::slots). Files whose slot nobody holds are those of a tab that was closed, and
//! are removed.
//!
//! A file is written under another name and renamed when it is whole. It is removed after the last [`StoredFile`] of it
//! is dropped, by the next call of [`CheckpointStore::remove_unused`], because a drop cannot wait for the disk.

use crate::hub::{Disk, Folder};
use crate::session::drafts::{self, Draft};
use crate::session::slots::{LOCK_ENDING, Slot, slot_of};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// The lock under which files of closed tabs are removed.
const LOCK: &str = "webtune-checkpoints";

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
        drafts::has_room(&self.disk, bytes).await
    }

    /// Opens a new file whose name ends with `ending`, and returns its name; none where the disk does not allow it.
    pub(super) async fn begin(&mut self, ending: &str) -> Option<(Draft<D>, String)> {
        let slot = self.slot().await?;
        self.written += 1;
        let name = format!("{slot}.{}.{ending}", self.written);
        let draft = Draft::begin(&self.disk, Folder::Checkpoints, &name).await?;
        Some((draft, name))
    }

    /// Gives a file that is whole its name; none where the disk is full after all.
    pub(super) async fn finish(&self, draft: Draft<D>, name: String) -> Option<StoredFile> {
        let bytes = draft.finish().await?;
        Some(StoredFile {
            name,
            bytes,
            unused: self.unused.clone(),
        })
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
        self.slot = Slot::take_any(&self.disk, Folder::Checkpoints, &[]).await;
        self.slot.as_ref().map(|slot| slot.number)
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
