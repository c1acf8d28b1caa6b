//! The disk: the origin private file system, and files that the visitor chooses.

use super::environment::worker;
use crate::hub::{Blob, Disk, DiskError, Folder, OpenFile};
use js_sys::{Array, Function, IteratorNext, Object, Promise, Reflect, Uint8Array};
use std::ops::Range;
use wasm_bindgen::prelude::*;
use web_sys::{
    FileReaderSync, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
    StorageEstimate, StorageManager,
};

/// The folder of models in the site's own root.
const FOLDER: &str = "webtune-models";

#[wasm_bindgen]
extern "C" {
    /// A file handle with `move`, which web-sys lacks because the standard does not have it yet.
    #[wasm_bindgen(extends = FileSystemFileHandle)]
    type MovableFile;
    #[wasm_bindgen(method, catch, js_name = move)]
    fn rename(this: &MovableFile, name: &str) -> Result<Promise, JsValue>;

    /// [`navigator.locks`](https://w3c.github.io/web-locks/), which web-sys counts as unstable.
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        granted: &Closure<dyn FnMut() -> Promise>,
    ) -> Result<Promise, JsValue>;
}

/// The folders of the store.
#[derive(Clone)]
pub(super) struct BrowserDisk {
    files: FileSystemDirectoryHandle,
    pins: FileSystemDirectoryHandle,
    datasets: FileSystemDirectoryHandle,
    checkpoints: FileSystemDirectoryHandle,
    runs: FileSystemDirectoryHandle,
}

impl BrowserDisk {
    /// Opens it; none where the browser has no such storage or keeps it from this page.
    pub(super) async fn open() -> Option<Self> {
        Self::try_open().await.ok()
    }

    async fn try_open() -> Result<Self, DiskError> {
        let storage = storage();
        check_supported(&storage, "getDirectory")?;
        let root = cast(storage.get_directory()).await?;
        let models = folder(&root, FOLDER).await?;
        Ok(Self {
            files: folder(&models, "files").await?,
            pins: folder(&models, "pins").await?,
            datasets: folder(&models, "datasets").await?,
            checkpoints: folder(&models, "checkpoints").await?,
            runs: folder(&models, "runs").await?,
        })
    }

    fn folder(&self, folder: Folder) -> &FileSystemDirectoryHandle {
        match folder {
            Folder::Files => &self.files,
            Folder::Pins => &self.pins,
            Folder::Datasets => &self.datasets,
            Folder::Checkpoints => &self.checkpoints,
            Folder::Runs => &self.runs,
        }
    }
}

/// Undefined where the page is not from a secure context.
fn storage() -> StorageManager {
    worker().navigator().storage()
}

/// The folder `name` of `parent`, created when it is not there.
async fn folder(
    parent: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemDirectoryHandle, DiskError> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    cast(parent.get_directory_handle_with_options(name, &options)).await
}

/// # Errors
/// [`DiskError`] where an older browser lacks this method: calling it would end the worker.
fn check_supported(object: &JsValue, method: &str) -> Result<(), DiskError> {
    match Reflect::has(object, &method.into()) {
        Ok(true) => Ok(()),
        _ => Err(DiskError(format!("this browser has no {method}"))),
    }
}

/// What a promise of web-sys resolves to, which is documented to be a `T`.
async fn cast<T: JsCast>(promise: Promise) -> Result<T, DiskError> {
    let value = promise.await.map_err(disk_error)?;
    Ok(value.unchecked_into())
}

fn disk_error(thrown: JsValue) -> DiskError {
    DiskError(Object::from(thrown).to_string().into())
}

impl Disk for BrowserDisk {
    type File = BrowserFile;
    type Blob = BrowserBlob;
    type Guard = BrowserGuard;

    async fn lock(&self, name: &str) -> Result<BrowserGuard, DiskError> {
        let navigator = worker().navigator();
        check_supported(&navigator, "locks")?;
        let locks = Reflect::get(&navigator, &"locks".into()).map_err(disk_error)?;
        let locks: LockManager = locks.unchecked_into();
        let (held, release) = promise();
        let (is_granted, grant) = promise();
        let granted = Closure::new(move || {
            // A function that resolves a promise does not throw.
            let _ = grant.call0(&JsValue::UNDEFINED);
            held.clone()
        });
        // The request ends when the lock is released, or at once if it is refused.
        let request = locks.request(name, &granted).map_err(disk_error)?;
        let guard = BrowserGuard(release);
        let first = Promise::race(&Array::of2(&is_granted, &request));
        first.await.map_err(disk_error)?;
        Ok(guard)
    }

    async fn names(&self, folder: Folder) -> Result<Vec<String>, DiskError> {
        let keys = self.folder(folder).keys();
        let mut names = Vec::new();
        loop {
            let next: IteratorNext = cast(keys.next().map_err(disk_error)?).await?;
            if next.done() {
                return Ok(names);
            }
            names.extend(next.value().as_string());
        }
    }

    async fn blob(&self, folder: Folder, name: &str) -> Result<BrowserBlob, DiskError> {
        let file: FileSystemFileHandle = cast(self.folder(folder).get_file_handle(name)).await?;
        cast(file.get_file()).await.map(BrowserBlob)
    }

    async fn open(&self, folder: Folder, name: &str) -> Result<BrowserFile, DiskError> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let folder = self.folder(folder);
        let file: FileSystemFileHandle =
            cast(folder.get_file_handle_with_options(name, &options)).await?;
        check_supported(&file, "createSyncAccessHandle")?;
        let handle = cast(file.create_sync_access_handle()).await?;
        Ok(BrowserFile { file, handle })
    }

    async fn remove(&self, folder: Folder, name: &str) -> Result<(), DiskError> {
        let removed = self.folder(folder).remove_entry(name).await;
        removed.map(drop).map_err(disk_error)
    }

    async fn usage(&self) -> Option<(u64, u64)> {
        let estimate: StorageEstimate = cast(storage().estimate().ok()?).await.ok()?;
        Some((estimate.get_usage()? as u64, estimate.get_quota()? as u64))
    }
}

/// A promise, and the function that resolves it.
fn promise() -> (Promise, Function) {
    let mut function = None;
    let promise = Promise::new(&mut |resolve, _| function = Some(resolve));
    // The constructor of a promise has called its argument.
    (promise, function.unwrap_throw())
}

/// A lock that is held until it is dropped.
pub(super) struct BrowserGuard(Function);

impl Drop for BrowserGuard {
    fn drop(&mut self) {
        // A function that resolves a promise does not throw.
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

/// A file that is open for writing.
pub(super) struct BrowserFile {
    file: FileSystemFileHandle,
    handle: FileSystemSyncAccessHandle,
}

impl OpenFile for BrowserFile {
    fn size(&self) -> u64 {
        self.handle.get_size().unwrap_or(0.0) as u64
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), DiskError> {
        let needed = bytes.len() as f64;
        let read = self
            .handle
            .read_with_u8_array_and_options(bytes, &place(at))
            .map_err(disk_error)?;
        complete(read, needed, "the file is shorter than it was")
    }

    fn write(&self, bytes: &[u8], at: u64) -> Result<(), DiskError> {
        let written = self
            .handle
            .write_with_u8_array_and_options(bytes, &place(at))
            .map_err(disk_error)?;
        complete(written, bytes.len() as f64, "the storage is full")
    }

    fn truncate(&self, size: u64) -> Result<(), DiskError> {
        self.handle
            .truncate_with_f64(size as f64)
            .map_err(disk_error)
    }

    async fn rename(self, name: &str) -> Result<(), DiskError> {
        let file: MovableFile = self.file.clone().unchecked_into();
        // On a full disk the bytes that were written may not fit, and the file of that name must stay.
        self.handle.flush().map_err(disk_error)?;
        // An open file cannot be renamed.
        drop(self);
        let renamed = file.rename(name).map_err(disk_error)?.await;
        renamed.map(drop).map_err(disk_error)
    }
}

impl Drop for BrowserFile {
    fn drop(&mut self) {
        // A failed flush is noticed when the file is opened again: its size is compared.
        let _ = self.handle.flush();
        self.handle.close();
    }
}

fn place(at: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(at as f64);
    options
}

fn complete(done: f64, needed: f64, problem: &str) -> Result<(), DiskError> {
    match done == needed {
        true => Ok(()),
        false => Err(DiskError(problem.into())),
    }
}

/// A file that is read when it is needed, synchronously, as only a worker may.
#[derive(Clone)]
pub(super) struct BrowserBlob(pub web_sys::Blob);

impl Blob for BrowserBlob {
    fn size(&self) -> u64 {
        self.0.size() as u64
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, DiskError> {
        let part = self
            .0
            .slice_with_f64_and_f64(range.start as f64, range.end as f64);
        let bytes = part.and_then(|part| FileReaderSync::new()?.read_as_array_buffer(&part));
        let bytes = bytes.map_err(|_| {
            let problem =
                "the disk cannot be read. Was the file moved or changed since it was chosen?";
            DiskError(problem.into())
        })?;
        Ok(Uint8Array::new(&bytes).to_vec())
    }
}
