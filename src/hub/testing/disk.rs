//! A disk in memory, with a quota.

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
    files: RefCell<BTreeMap<Key, Bytes>>,
    open: RefCell<BTreeSet<Key>>,
    quota: Cell<Option<u64>>,
}

impl FakeDisk {
    /// Sets how many bytes fit into [`Folder::Files`]. Pins are small and always fit.
    pub(crate) fn set_quota(&self, quota: Option<u64>) {
        self.0.quota.set(quota);
    }

    /// The names of the files in a folder.
    pub(crate) fn list(&self, folder: Folder) -> Vec<String> {
        let files = self.0.files.borrow();
        let in_folder = files.keys().filter(|(of, _)| *of == folder);
        in_folder.map(|(_, name)| name.clone()).collect()
    }

    /// The content of a file, to look at or to damage.
    pub(crate) fn content(&self, folder: Folder, name: &str) -> Bytes {
        self.0.files.borrow()[&(folder, name.to_string())].clone()
    }

    fn bytes(&self) -> u64 {
        let files = self.0.files.borrow();
        let in_files = files
            .iter()
            .filter(|((folder, _), _)| *folder == Folder::Files);
        in_files.map(|(_, file)| file.borrow().len() as u64).sum()
    }
}

fn error<T>(problem: &str) -> Result<T, DiskError> {
    Err(DiskError(problem.into()))
}

impl Disk for FakeDisk {
    type File = FakeFile;
    type Blob = FakeBlob;

    async fn names(&self, folder: Folder) -> Result<Vec<String>, DiskError> {
        Ok(self.list(folder))
    }

    async fn blob(&self, folder: Folder, name: &str) -> Result<FakeBlob, DiskError> {
        match self.0.files.borrow().get(&(folder, name.to_string())) {
            Some(bytes) => Ok(FakeBlob {
                len: bytes.borrow().len() as u64,
                bytes: bytes.clone(),
            }),
            None => error("not found"),
        }
    }

    async fn open(&self, folder: Folder, name: &str) -> Result<FakeFile, DiskError> {
        let key = (folder, name.to_string());
        if !self.0.open.borrow_mut().insert(key.clone()) {
            return error("another tab has it open");
        }
        let bytes = self
            .0
            .files
            .borrow_mut()
            .entry(key.clone())
            .or_default()
            .clone();
        Ok(FakeFile {
            disk: self.clone(),
            key,
            bytes,
        })
    }

    async fn remove(&self, folder: Folder, name: &str) -> Result<(), DiskError> {
        let key = (folder, name.to_string());
        if self.0.open.borrow().contains(&key) {
            return error("a tab has it open");
        }
        match self.0.files.borrow_mut().remove(&key) {
            Some(_) => Ok(()),
            None => error("not found"),
        }
    }

    async fn usage(&self) -> Option<(u64, u64)> {
        Some((self.bytes(), self.0.quota.get()?))
    }
}

/// A file that is open for writing.
pub(crate) struct FakeFile {
    disk: FakeDisk,
    key: Key,
    bytes: Bytes,
}

impl OpenFile for FakeFile {
    fn size(&self) -> u64 {
        self.bytes.borrow().len() as u64
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), DiskError> {
        let stored = self.bytes.borrow();
        match stored.get(at as usize..at as usize + bytes.len()) {
            Some(found) => {
                bytes.copy_from_slice(found);
                Ok(())
            }
            None => error("the file is shorter"),
        }
    }

    fn write(&self, bytes: &[u8], at: u64) -> Result<(), DiskError> {
        let end = at + bytes.len() as u64;
        let more = end.saturating_sub(self.size());
        if self.key.0 == Folder::Files
            && let Some(quota) = self.disk.0.quota.get()
            && self.disk.bytes() + more > quota
        {
            return error("the quota is used up");
        }
        let mut stored = self.bytes.borrow_mut();
        let len = stored.len().max(end as usize);
        stored.resize(len, 0);
        stored[at as usize..end as usize].copy_from_slice(bytes);
        Ok(())
    }

    fn truncate(&self, size: u64) -> Result<(), DiskError> {
        self.bytes.borrow_mut().resize(size as usize, 0);
        Ok(())
    }

    async fn rename(self, name: &str) -> Result<(), DiskError> {
        let mut files = self.disk.0.files.borrow_mut();
        files.remove(&self.key);
        files.insert((self.key.0, name.into()), self.bytes.clone());
        Ok(())
    }
}

impl Drop for FakeFile {
    fn drop(&mut self) {
        self.disk.0.open.borrow_mut().remove(&self.key);
    }
}

/// A file that is read when it is needed.
#[derive(Clone)]
pub(crate) struct FakeBlob {
    bytes: Bytes,
    len: u64,
}

impl FakeBlob {
    /// A file of the visitor's disk.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self {
            len: bytes.len() as u64,
            bytes: Rc::new(RefCell::new(bytes.into())),
        }
    }

    /// Moves the file away, so that it cannot be read any more.
    pub(crate) fn lose(&self) {
        self.bytes.borrow_mut().clear();
    }
}

impl Blob for FakeBlob {
    fn size(&self) -> u64 {
        self.len
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, DiskError> {
        let bytes = self.bytes.borrow();
        match bytes.get(range.start as usize..range.end as usize) {
            Some(found) => Ok(found.to_vec()),
            None => error("the file was moved or changed."),
        }
    }
}
