//! A disk in memory, with a quota. As in a browser, a blob cannot be read once its file has changed.

use super::Schedule;
use crate::hub::{Blob, Disk, DiskError, Folder, OpenFile};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

type Key = (Folder, String);
type Bytes = Rc<RefCell<Vec<u8>>>;

/// A disk; clones are of the same one.
#[derive(Clone, Default)]
pub(crate) struct FakeDisk(Rc<State>);

#[derive(Default)]
struct State {
    files: RefCell<BTreeMap<Key, Stored>>,
    open: RefCell<BTreeSet<Key>>,
    /// The locks that tabs hold.
    locks: RefCell<BTreeSet<String>>,
    /// Whether the browser has no locks.
    has_no_locks: Cell<bool>,
    quota: Cell<Option<u64>>,
    /// Whether the disk is so full that not even a pin fits.
    is_full: Cell<bool>,
    /// The order in which tabs use the disk.
    schedule: RefCell<Option<Schedule>>,
}

/// A file of the disk.
#[derive(Clone, Default)]
struct Stored {
    bytes: Bytes,
    /// Grows with every change.
    version: Rc<Cell<u64>>,
}

impl Stored {
    fn change(&self) {
        self.version.update(|version| version + 1);
    }
}

impl FakeDisk {
    /// Sets how many bytes fit into the folders of large files. Pins are small and fit all the same.
    pub(crate) fn set_quota(&self, quota: Option<u64>) {
        self.0.quota.set(quota);
    }

    /// Makes the disk so full that of each write only half is written, also of a pin, or empties it.
    pub(crate) fn set_full(&self, is_full: bool) {
        self.0.is_full.set(is_full);
    }

    /// Takes the locks away, as in a browser that has none.
    pub(crate) fn remove_locks(&self) {
        self.0.has_no_locks.set(true);
    }

    /// Has a schedule choose which tab uses the disk next, until the next call.
    pub(crate) fn set_schedule(&self, schedule: Option<Schedule>) {
        self.0.schedule.replace(schedule);
    }

    async fn pause(&self) {
        let schedule = self.0.schedule.borrow().clone();
        Schedule::pause(schedule).await;
    }

    fn window(&self) {
        let schedule = self.0.schedule.borrow().clone();
        if let Some(schedule) = schedule {
            schedule.window();
        }
    }

    /// The names of the files in a folder.
    pub(crate) fn list(&self, folder: Folder) -> Vec<String> {
        let files = self.0.files.borrow();
        let in_folder = files.keys().filter(|(of, _)| *of == folder);
        in_folder.map(|(_, name)| name.clone()).collect()
    }

    /// The content of a file, to look at or to damage.
    pub(crate) fn content(&self, folder: Folder, name: &str) -> Bytes {
        self.0.files.borrow()[&(folder, name.to_string())]
            .bytes
            .clone()
    }

    fn bytes(&self) -> u64 {
        let files = self.0.files.borrow();
        let in_files = files.iter().filter(|((folder, _), _)| folder.has_quota());
        in_files
            .map(|(_, file)| file.bytes.borrow().len() as u64)
            .sum()
    }
}

impl Folder {
    /// Whether the quota of this disk counts its bytes.
    fn has_quota(self) -> bool {
        matches!(self, Folder::Files | Folder::Checkpoints | Folder::Runs)
    }
}

fn error<T>(problem: &str) -> Result<T, DiskError> {
    Err(DiskError(problem.into()))
}

impl Disk for FakeDisk {
    type File = FakeFile;
    type Blob = FakeBlob;
    type Guard = FakeGuard;

    async fn lock(&self, name: &str) -> Result<FakeGuard, DiskError> {
        if self.0.has_no_locks.get() {
            return error("this browser has no locks");
        }
        self.pause().await;
        while !self.0.locks.borrow_mut().insert(name.into()) {
            let (disk, name) = (self.clone(), name.to_string());
            let is_free = Rc::new(move || !disk.0.locks.borrow().contains(&name));
            let schedule = self.0.schedule.borrow().clone();
            Schedule::wait(schedule, is_free).await;
        }
        Ok(FakeGuard {
            disk: self.clone(),
            name: name.into(),
        })
    }

    async fn names(&self, folder: Folder) -> Result<Vec<String>, DiskError> {
        self.pause().await;
        let names = self.list(folder);
        self.pause().await;
        Ok(names)
    }

    async fn blob(&self, folder: Folder, name: &str) -> Result<FakeBlob, DiskError> {
        self.pause().await;
        let file = self
            .0
            .files
            .borrow()
            .get(&(folder, name.to_string()))
            .cloned();
        self.pause().await;
        file.map_or_else(|| error("not found"), |file| Ok(FakeBlob::of(file)))
    }

    async fn open(&self, folder: Folder, name: &str) -> Result<FakeFile, DiskError> {
        self.pause().await;
        let key = (folder, name.to_string());
        if !self.0.open.borrow_mut().insert(key.clone()) {
            return error("another tab has it open");
        }
        let stored = self
            .0
            .files
            .borrow_mut()
            .entry(key.clone())
            .or_default()
            .clone();
        let file = FakeFile {
            disk: self.clone(),
            key,
            stored,
        };
        self.pause().await;
        Ok(file)
    }

    async fn remove(&self, folder: Folder, name: &str) -> Result<(), DiskError> {
        self.pause().await;
        let removed = self.remove_now(&(folder, name.to_string()));
        self.pause().await;
        removed
    }

    async fn usage(&self) -> Option<(u64, u64)> {
        Some((self.bytes(), self.0.quota.get()?))
    }
}

impl FakeDisk {
    fn remove_now(&self, key: &Key) -> Result<(), DiskError> {
        if self.0.open.borrow().contains(key) {
            return error("a tab has it open");
        }
        match self.0.files.borrow_mut().remove(key) {
            Some(removed) => {
                removed.change();
                Ok(())
            }
            None => error("not found"),
        }
    }
}

/// A file that is open for writing.
pub(crate) struct FakeFile {
    disk: FakeDisk,
    key: Key,
    stored: Stored,
}

impl FakeFile {
    fn put(&self, bytes: &[u8], at: u64) {
        let (at, end) = (at as usize, at as usize + bytes.len());
        let mut stored = self.stored.bytes.borrow_mut();
        let len = stored.len().max(end);
        stored.resize(len, 0);
        stored[at..end].copy_from_slice(bytes);
        self.stored.change();
    }
}

impl OpenFile for FakeFile {
    fn size(&self) -> u64 {
        self.stored.bytes.borrow().len() as u64
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), DiskError> {
        let stored = self.stored.bytes.borrow();
        match stored.get(at as usize..at as usize + bytes.len()) {
            Some(found) => {
                bytes.copy_from_slice(found);
                Ok(())
            }
            None => error("the file is shorter"),
        }
    }

    fn write(&self, bytes: &[u8], at: u64) -> Result<(), DiskError> {
        self.disk.window();
        let end = at + bytes.len() as u64;
        let more = end.saturating_sub(self.size());
        if self.key.0.has_quota()
            && let Some(quota) = self.disk.0.quota.get()
            && self.disk.bytes() + more > quota
        {
            return error("the quota is used up");
        }
        let (first, second) = bytes.split_at(bytes.len() / 2);
        self.put(first, at);
        self.disk.window();
        if self.disk.0.is_full.get() {
            return error("the disk is full");
        }
        self.put(second, at + first.len() as u64);
        Ok(())
    }

    fn truncate(&self, size: u64) -> Result<(), DiskError> {
        self.disk.window();
        self.stored.bytes.borrow_mut().resize(size as usize, 0);
        self.stored.change();
        Ok(())
    }

    async fn rename(self, name: &str) -> Result<(), DiskError> {
        let (disk, key) = (self.disk.clone(), self.key.clone());
        drop(self);
        // The file is closed now and not renamed yet, so another tab may remove it.
        disk.pause().await;
        let renamed = disk.rename_now(&key, name);
        disk.pause().await;
        renamed
    }
}

impl FakeDisk {
    fn rename_now(&self, key: &Key, name: &str) -> Result<(), DiskError> {
        let new = (key.0, name.to_string());
        let open = self.0.open.borrow();
        if open.contains(key) || open.contains(&new) {
            return error("a tab has it open");
        }
        let mut files = self.0.files.borrow_mut();
        let Some(stored) = files.remove(key) else {
            return error("not found");
        };
        stored.change();
        if let Some(replaced) = files.insert(new, stored) {
            replaced.change();
        }
        Ok(())
    }
}

impl Drop for FakeFile {
    fn drop(&mut self) {
        self.disk.0.open.borrow_mut().remove(&self.key);
    }
}

/// A lock that is held.
pub(crate) struct FakeGuard {
    disk: FakeDisk,
    name: String,
}

impl Drop for FakeGuard {
    fn drop(&mut self) {
        self.disk.0.locks.borrow_mut().remove(&self.name);
    }
}

/// A file that is read when it is needed.
#[derive(Clone)]
pub(crate) struct FakeBlob {
    stored: Stored,
    version: u64,
    len: u64,
}

impl FakeBlob {
    /// A file of the visitor's disk.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let stored = Stored::default();
        stored.bytes.borrow_mut().extend(bytes);
        Self::of(stored)
    }

    fn of(stored: Stored) -> Self {
        let len = stored.bytes.borrow().len() as u64;
        Self {
            len,
            version: stored.version.get(),
            stored,
        }
    }

    /// Moves the file away, so that it cannot be read any more.
    pub(crate) fn lose(&self) {
        self.stored.change();
    }
}

impl Blob for FakeBlob {
    fn size(&self) -> u64 {
        self.len
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, DiskError> {
        let bytes = self.stored.bytes.borrow();
        match bytes.get(range.start as usize..range.end as usize) {
            Some(found) if self.version == self.stored.version.get() => Ok(found.to_vec()),
            _ => error("the file was moved or changed."),
        }
    }
}
