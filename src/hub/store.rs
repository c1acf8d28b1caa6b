//! The stored models of the Hub: files by their content, and for each model a pin that names them.
//!
//! Tabs share one disk. Whatever must not mix with the work of another tab is done under one lock: giving a file its
//! name together with the pin that names it, replacing a pin, and removing files that no pin names. A pin is written
//! beside the old one and then renamed, so a crash or a full disk leaves the old pin.
//!
//! A disk that fails is no reason to refuse a model: a failure here means that a file is not stored, and the download
//! continues.

use super::environment::{Blob, Disk, Folder, OpenFile};
use super::events::NoticeCode;
use super::pin::{Pin, unreferenced};

/// The name of the lock.
const LOCK: &str = "webtune-models";

/// The end of the name of a pin that is being written.
const NEW_ENDING: &str = ".new";

/// The models' files and their pins on a disk.
#[derive(Clone)]
pub struct Store<D>(D);

impl<D: Disk> Store<D> {
    /// The store of a disk.
    pub fn new(disk: D) -> Self {
        Self(disk)
    }

    /// None where the browser has no locks.
    async fn lock(&self) -> Option<D::Guard> {
        self.0.lock(LOCK).await.ok()
    }

    /// The pin with this [key](Pin::key); none where there is no readable one.
    pub async fn pin(&self, key: &str) -> Option<Pin> {
        let _lock = self.lock().await;
        self.read(key).await
    }

    /// Every readable pin, by repository and revision.
    pub async fn pins(&self) -> Vec<Pin> {
        let _lock = self.lock().await;
        let mut pins = Vec::new();
        for key in self.keys().await.unwrap_or_default() {
            pins.extend(self.read(&key).await);
        }
        pins.sort_by(|a, b| (&a.repo, &a.revision).cmp(&(&b.repo, &b.revision)));
        pins
    }

    /// The names of the pins; none where the disk cannot list them.
    async fn keys(&self) -> Option<Vec<String>> {
        let mut names = self.0.names(Folder::Pins).await.ok()?;
        names.retain(|name| !name.ends_with(NEW_ENDING));
        Some(names)
    }

    async fn read(&self, key: &str) -> Option<Pin> {
        let blob = self.0.blob(Folder::Pins, key).await.ok()?;
        serde_json::from_slice(&blob.read(0..blob.size()).ok()?).ok()
    }

    /// Stores a pin in place of the one with the same key. What another tab has stored of the same commit stays named,
    /// and files that are not there any more are not. A complete model is replaced by a complete one only.
    ///
    /// # Errors
    /// Why the pin is not stored. The old one is as it was.
    pub async fn save(&self, pin: &Pin) -> Result<(), NoticeCode> {
        let _lock = self.lock().await;
        self.replace(pin).await
    }

    /// Gives a complete file, of which the name was `part` until now, the name `content`, and stores the pin that names
    /// it.
    ///
    /// # Errors
    /// Why they are not stored. The old pin is as it was.
    pub async fn keep(
        &self,
        file: D::File,
        part: &str,
        (content, bytes): (&str, u64),
        pin: &Pin,
    ) -> Result<(), NoticeCode> {
        let _lock = self.lock().await;
        if self.blob(content, bytes).await.is_some() {
            drop(file);
            self.remove(part).await;
        } else {
            let renamed = file.rename(content).await;
            renamed.map_err(|_| NoticeCode::NotStored)?;
        }
        self.replace(pin).await
    }

    /// Replaces a pin while the lock is held.
    async fn replace(&self, pin: &Pin) -> Result<(), NoticeCode> {
        let key = pin.key();
        let stored = self.read(&key).await;
        let (mut pin, was_built) = (pin.clone(), pin.complete);
        if let Some(stored) = &stored {
            pin.merge(stored);
        }
        let pin = self.existing(pin).await;
        let is_same = |stored: &Pin| pin.is_pinned() && pin.commit == stored.commit;
        match &stored {
            Some(stored) if pin.complete || is_same(stored) => {}
            Some(stored) if self.existing(stored.clone()).await.complete => {
                return match was_built {
                    true => Err(NoticeCode::NotStored),
                    false => Ok(()),
                };
            }
            // Another tab has deleted the model while this one read it.
            None if was_built && pin.files.iter().all(|file| file.content.is_none()) => {
                return Ok(());
            }
            _ => {}
        }
        self.write(&key, &pin).await
    }

    /// The pin without the files that the storage has not.
    pub(super) async fn existing(&self, mut pin: Pin) -> Pin {
        for file in &mut pin.files {
            if let Some(content) = &file.content
                && self.blob(content, file.bytes).await.is_none()
            {
                (file.content, file.bytes) = (None, 0);
            }
        }
        pin.complete &= pin.is_stored();
        pin
    }

    /// Writes a pin beside the old one, reads it again, and gives it the name of the old one.
    async fn write(&self, key: &str, pin: &Pin) -> Result<(), NoticeCode> {
        let text = serde_json::to_vec(pin).map_err(|_| NoticeCode::NotStored)?;
        let new = format!("{key}{NEW_ENDING}");
        let file = self.0.open(Folder::Pins, &new).await;
        let file = file.map_err(|_| NoticeCode::NotStored)?;
        let mut again = vec![0; text.len()];
        let written = file.truncate(0);
        let written = written.and_then(|()| file.write(&text, 0));
        let written = written.and_then(|()| file.read(&mut again, 0));
        let stored = if written.is_err() || again != text {
            drop(file);
            Err(NoticeCode::StorageFull)
        } else {
            let renamed = file.rename(key).await;
            renamed.map_err(|_| NoticeCode::NotStored)
        };
        if stored.is_err() {
            // What stays of it is removed by the next `sweep`.
            let _ = self.0.remove(Folder::Pins, &new).await;
        }
        stored
    }

    /// The stored file with this content, if it has `bytes` bytes.
    pub async fn blob(&self, content: &str, bytes: u64) -> Option<D::Blob> {
        let blob = self.0.blob(Folder::Files, content).await.ok()?;
        (blob.size() == bytes).then_some(blob)
    }

    /// A file to write; none where that is not possible, or another tab is writing it.
    pub async fn file(&self, name: &str) -> Option<D::File> {
        self.0.open(Folder::Files, name).await.ok()
    }

    /// Removes a file, if it is there.
    pub async fn remove(&self, name: &str) {
        // It may be gone already, or be open in another tab, which then still needs it.
        let _ = self.0.remove(Folder::Files, name).await;
    }

    /// Removes a pin, and every file that no other pin names.
    pub async fn forget(&self, key: &str) {
        let lock = self.lock().await;
        self.forget_locked(key, lock.as_ref()).await;
    }

    /// Does the same unless another tab has stored the whole model meanwhile.
    pub(super) async fn forget_incomplete(&self, key: &str) {
        let lock = self.lock().await;
        if self.read(key).await.is_none_or(|pin| !pin.complete) {
            self.forget_locked(key, lock.as_ref()).await;
        }
    }

    async fn forget_locked(&self, key: &str, lock: Option<&D::Guard>) {
        let _ = self.0.remove(Folder::Pins, key).await;
        self.remove_unreferenced(lock).await;
    }

    /// Removes every file that no pin names.
    pub async fn sweep(&self) {
        let lock = self.lock().await;
        self.remove_unreferenced(lock.as_ref()).await;
    }

    /// Removes every file that no pin names. Without the lock nothing is removed, because another tab may be about to
    /// name a file in its pin; nor where a pin cannot be read, because it may name any file.
    async fn remove_unreferenced(&self, lock: Option<&D::Guard>) {
        let (Some(_), Some(keys)) = (lock, self.keys().await) else {
            return;
        };
        let mut pins = Vec::new();
        for key in &keys {
            match self.read(key).await {
                Some(pin) => pins.push(pin),
                None => return,
            }
        }
        let names = self.0.names(Folder::Files).await.unwrap_or_default();
        for name in unreferenced(names, &pins) {
            self.remove(&name).await;
        }
        // Pins are written under the lock only, so a tab that has ended was writing this one.
        for name in self.0.names(Folder::Pins).await.unwrap_or_default() {
            if name.ends_with(NEW_ENDING) {
                let _ = self.0.remove(Folder::Pins, &name).await;
            }
        }
    }

    /// Bytes of a pin's files, including those of which only a part is stored.
    pub async fn bytes(&self, pin: &Pin) -> u64 {
        let mut bytes = pin.bytes();
        for file in pin.files.iter().filter(|file| file.content.is_none()) {
            let part = pin.part_name(&file.remote.name);
            let part = self.0.blob(Folder::Files, &part).await;
            bytes += part.map_or(0, |part| part.size());
        }
        bytes
    }

    /// Bytes that this site stores, and bytes that it may store; none where that is unknown.
    pub async fn usage(&self) -> Option<(u64, u64)> {
        self.0.usage().await
    }
}
