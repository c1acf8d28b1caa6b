//! What is kept of the Hub's models on the visitor's disk: files by their content, and for each model a pin that names them.
//!
//! A storage that fails is no reason to refuse a model: whatever goes wrong here, the download goes on without it.

use super::convert::{error, to_js};
use super::opfs::{Folder, OpenFile, estimate};
use super::source::{Blob, read_all};
use crate::hub::{Pin, unreferenced};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// The folder of models in the site's own root.
const FOLDER: &str = "webtune-models";

/// The models' files and their pins.
#[derive(Clone)]
pub(super) struct Store {
    files: Folder,
    pins: Folder,
}

impl Store {
    /// Opens it; none where the browser has no such storage or keeps it from this page.
    pub(super) async fn open() -> Option<Self> {
        let open = async {
            let folder = Folder::root().await?.folder(FOLDER).await?;
            Ok::<_, JsValue>(Self {
                files: folder.folder("files").await?,
                pins: folder.folder("pins").await?,
            })
        };
        open.await.ok()
    }

    /// The pin of this name.
    pub(super) async fn pin(&self, key: &str) -> Option<Pin> {
        let blob = self.pins.blob(key).await.ok()?;
        serde_json::from_slice(&read_all(&blob).ok()?).ok()
    }

    /// Every pin.
    pub(super) async fn pins(&self) -> Vec<Pin> {
        let mut pins = Vec::new();
        for key in self.pins.names().await.unwrap_or_default() {
            pins.extend(self.pin(&key).await);
        }
        pins.sort_by(|one, other| (&one.repo, &one.revision).cmp(&(&other.repo, &other.revision)));
        pins
    }

    /// Keeps a pin in place of the one of the same name.
    pub(super) async fn save(&self, pin: &Pin) {
        let Ok(text) = serde_json::to_vec(pin) else {
            return;
        };
        if let Ok(file) = self.pins.open(&pin.key()).await {
            // What cannot be written whole is not JSON, and counts as no pin.
            let _ = file.truncate(0).and_then(|()| file.write(&text, 0));
        }
    }

    /// The stored file of this content, if it is as long as it should be.
    pub(super) async fn blob(&self, content: &str, bytes: u64) -> Option<Blob> {
        let blob = self.files.blob(content).await.ok()?;
        (blob.bytes() == bytes).then_some(blob)
    }

    /// A file to be written; none where it is not possible, or another tab is writing it.
    pub(super) async fn file(&self, name: &str) -> Option<OpenFile> {
        self.files.open(name).await.ok()
    }

    /// Removes a file, if it is there.
    pub(super) async fn remove(&self, name: &str) {
        // It may be gone, or be open in another tab, which then has its own reasons.
        let _ = self.files.remove(name).await;
    }

    /// Removes a pin, and every file that no other pin leads to.
    pub(super) async fn forget(&self, key: &str) {
        let _ = self.pins.remove(key).await;
        self.sweep().await;
    }

    /// Removes every file that no pin leads to.
    pub(super) async fn sweep(&self) {
        let names = self.files.names().await.unwrap_or_default();
        for name in unreferenced(names, &self.pins().await) {
            self.remove(&name).await;
        }
    }

    /// Bytes of a pin's files, those of which only a part is there included.
    async fn bytes(&self, pin: &Pin) -> u64 {
        let mut bytes = pin.bytes();
        for file in pin.files.iter().filter(|file| file.content.is_none()) {
            let part = self.files.blob(&pin.part_name(&file.remote.name)).await;
            bytes += part.map_or(0, |part| part.bytes());
        }
        bytes
    }
}

#[derive(Serialize)]
struct StoredModel {
    key: String,
    endpoint: String,
    repo: String,
    revision: String,
    commit: String,
    complete: bool,
    bytes: u64,
}

#[derive(Serialize)]
struct StoredModels {
    /// Whether this browser can store models at all.
    available: bool,
    models: Vec<StoredModel>,
    usage: f64,
    quota: f64,
}

/// The models that are stored, and how full the storage is (`StoredView`).
///
/// # Errors
/// A `WorkerError`.
#[wasm_bindgen]
pub async fn stored_models() -> Result<JsValue, JsValue> {
    let store = Store::open().await;
    let mut models = Vec::new();
    if let Some(store) = &store {
        for pin in store.pins().await {
            models.push(StoredModel {
                key: pin.key(),
                bytes: store.bytes(&pin).await,
                endpoint: pin.endpoint,
                repo: pin.repo,
                revision: pin.revision,
                commit: pin.commit,
                complete: pin.complete,
            });
        }
    }
    let (usage, quota) = estimate().await.unwrap_or_default();
    to_js(&StoredModels {
        available: store.is_some(),
        models,
        usage,
        quota,
    })
}

/// Deletes a stored model by its key, then as [`stored_models`].
///
/// # Errors
/// A `WorkerError`.
#[wasm_bindgen]
pub async fn forget_model(key: String) -> Result<JsValue, JsValue> {
    let store = Store::open().await.ok_or_else(|| {
        error(crate::Error::NotReady(
            "This browser does not let the page store anything.".into(),
        ))
    })?;
    store.forget(&key).await;
    stored_models().await
}
