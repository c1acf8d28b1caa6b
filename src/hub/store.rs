//! The stored models of the Hub: files by their content, and for each model a pin that names them.
//!
//! A disk that fails is no reason to refuse a model: every failure here means that a file is not stored, and the
//! download continues.

use super::environment::{Blob, Disk, Folder, OpenFile};
use super::pin::{Pin, unreferenced};

/// The models' files and their pins on a disk.
#[derive(Clone)]
pub struct Store<D>(D);

impl<D: Disk> Store<D> {
    /// The store of a disk.
    pub fn new(disk: D) -> Self {
        Self(disk)
    }

    /// The pin with this [key](Pin::key); none where there is no readable one.
    pub async fn pin(&self, key: &str) -> Option<Pin> {
        let blob = self.0.blob(Folder::Pins, key).await.ok()?;
        serde_json::from_slice(&blob.read(0..blob.size()).ok()?).ok()
    }

    /// Every readable pin, by repository and revision.
    pub async fn pins(&self) -> Vec<Pin> {
        let mut pins = Vec::new();
        for key in self.0.names(Folder::Pins).await.unwrap_or_default() {
            pins.extend(self.pin(&key).await);
        }
        pins.sort_by(|a, b| (&a.repo, &a.revision).cmp(&(&b.repo, &b.revision)));
        pins
    }

    /// Stores a pin in place of the one with the same key.
    pub async fn save(&self, pin: &Pin) {
        let Ok(text) = serde_json::to_vec(pin) else {
            return;
        };
        if let Ok(file) = self.0.open(Folder::Pins, &pin.key()).await {
            // A pin that was written in part is not JSON, and counts as no pin.
            let _ = file.truncate(0).and_then(|()| file.write(&text, 0));
        }
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
        let _ = self.0.remove(Folder::Pins, key).await;
        self.sweep().await;
    }

    /// Removes every file that no pin names.
    pub async fn sweep(&self) {
        let names = self.0.names(Folder::Files).await.unwrap_or_default();
        for name in unreferenced(names, &self.pins().await) {
            self.remove(&name).await;
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
