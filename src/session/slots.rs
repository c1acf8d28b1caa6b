//! Slots of a folder that several tabs share: each tab has a number of its own.
//!
//! A tab keeps the file `{slot}.lock` open, which no other tab can open or remove meanwhile, and which the browser
//! closes when the tab ends. The names of its files begin with that number.

use crate::hub::{Disk, Folder};

/// The end of the name of the file that a tab keeps open.
pub(super) const LOCK_ENDING: &str = ".lock";

/// The most tabs that have a slot at one time.
const MOST_SLOTS: usize = 100;

/// A slot that this tab has.
pub(super) struct Slot<D: Disk> {
    pub number: usize,
    /// Is open as long as the slot is held.
    _lock: D::File,
}

impl<D: Disk> Slot<D> {
    /// Takes a slot of `folder`; none where another tab has it or no file can be opened.
    pub(super) async fn take(disk: &D, folder: Folder, number: usize) -> Option<Self> {
        let lock = disk.open(folder, &format!("{number}{LOCK_ENDING}")).await;
        lock.ok().map(|lock| Self {
            number,
            _lock: lock,
        })
    }

    /// Takes the first slot that no other tab has and that is not among `used`.
    pub(super) async fn take_any(disk: &D, folder: Folder, used: &[usize]) -> Option<Self> {
        for number in (0..MOST_SLOTS).filter(|number| !used.contains(number)) {
            if let Some(slot) = Self::take(disk, folder, number).await {
                return Some(slot);
            }
        }
        None
    }
}

/// The slot that the name of a file begins with.
pub(super) fn slot_of(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}
