//! The origin private file system, as far as models need it: folders, files, and a file's synchronous handle, which only a worker has.

use super::http::{get, object};
use super::source::Blob;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// A file that is read and written at any place, at once.
    #[wasm_bindgen(js_name = FileSystemSyncAccessHandle)]
    pub type SyncHandle;
    #[wasm_bindgen(method, catch)]
    fn read(this: &SyncHandle, bytes: &mut [u8], at: &JsValue) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn write(this: &SyncHandle, bytes: &[u8], at: &JsValue) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn truncate(this: &SyncHandle, size: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn flush(this: &SyncHandle) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    fn close(this: &SyncHandle);
    #[wasm_bindgen(method, catch, js_name = getSize)]
    fn get_size(this: &SyncHandle) -> Result<f64, JsValue>;
}

/// A folder.
#[derive(Clone)]
pub(super) struct Folder(JsValue);

impl Folder {
    /// The site's own root.
    ///
    /// # Errors
    /// What the browser threw: it has no such storage, or keeps it from this page.
    pub(super) async fn root() -> Result<Self, JsValue> {
        let storage = get(&get(&js_sys::global(), "navigator"), "storage");
        call(&storage, "getDirectory", &[]).await.map(Self)
    }

    /// The folder of this name inside, made when it is not there.
    ///
    /// # Errors
    /// What the browser threw.
    pub(super) async fn folder(&self, name: &str) -> Result<Self, JsValue> {
        let create = object(&[("create", true.into())]).into();
        call(&self.0, "getDirectoryHandle", &[name.into(), create])
            .await
            .map(Self)
    }

    /// The names of everything inside.
    ///
    /// # Errors
    /// What the browser threw.
    pub(super) async fn names(&self) -> Result<Vec<String>, JsValue> {
        let keys: Function = get(&self.0, "keys").dyn_into()?;
        let keys = keys.call0(&self.0)?;
        let mut names = Vec::new();
        loop {
            let next = call(&keys, "next", &[]).await?;
            if get(&next, "done").is_truthy() {
                return Ok(names);
            }
            names.extend(get(&next, "value").as_string());
        }
    }

    /// The whole file of this name, to be read when it is needed.
    ///
    /// # Errors
    /// What the browser threw, also when it is not there.
    pub(super) async fn blob(&self, name: &str) -> Result<Blob, JsValue> {
        let file = call(&self.0, "getFileHandle", &[name.into()]).await?;
        let blob = call(&file, "getFile", &[]).await?;
        Ok(blob.unchecked_into())
    }

    /// Opens the file of this name for writing, made when it is not there.
    ///
    /// # Errors
    /// What the browser threw, also when another tab has it open.
    pub(super) async fn open(&self, name: &str) -> Result<OpenFile, JsValue> {
        let create = object(&[("create", true.into())]).into();
        let file = call(&self.0, "getFileHandle", &[name.into(), create]).await?;
        let handle = call(&file, "createSyncAccessHandle", &[]).await?;
        Ok(OpenFile {
            file,
            handle: handle.unchecked_into(),
        })
    }

    /// Removes the file of this name.
    ///
    /// # Errors
    /// What the browser threw, also when a tab has it open.
    pub(super) async fn remove(&self, name: &str) -> Result<(), JsValue> {
        call(&self.0, "removeEntry", &[name.into()]).await.map(drop)
    }
}

/// A file that is open for writing. Dropping it closes it, and what was written stays.
pub(super) struct OpenFile {
    file: JsValue,
    handle: SyncHandle,
}

impl OpenFile {
    /// Bytes in the file.
    pub(super) fn size(&self) -> u64 {
        self.handle.get_size().unwrap_or(0.0) as u64
    }

    /// The bytes from `at` on, as many as `bytes` has room for.
    ///
    /// # Errors
    /// What the browser threw, or a sentence when there are fewer.
    pub(super) fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), JsValue> {
        let wanted = bytes.len() as f64;
        let read = self.handle.read(bytes, &place(at))?;
        if read == wanted {
            Ok(())
        } else {
            Err("the file is shorter than it was".into())
        }
    }

    /// Writes all bytes at `at`.
    ///
    /// # Errors
    /// What the browser threw, or a sentence when only some fit: the storage is full.
    pub(super) fn write(&self, bytes: &[u8], at: u64) -> Result<(), JsValue> {
        let written = self.handle.write(bytes, &place(at))?;
        if written == bytes.len() as f64 {
            Ok(())
        } else {
            Err("the storage is full".into())
        }
    }

    /// Makes the file so many bytes long.
    ///
    /// # Errors
    /// What the browser threw.
    pub(super) fn truncate(&self, size: u64) -> Result<(), JsValue> {
        self.handle.truncate(size as f64)
    }

    /// Closes the file and gives it another name in its folder.
    ///
    /// # Errors
    /// What the browser threw.
    pub(super) async fn rename(self, name: &str) -> Result<(), JsValue> {
        let file = self.file.clone();
        drop(self);
        call(&file, "move", &[name.into()]).await.map(drop)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // A disk that takes nothing more is found out when the file is read again: its size is looked at.
        let _ = self.handle.flush();
        self.handle.close();
    }
}

fn place(at: u64) -> JsValue {
    object(&[("at", (at as f64).into())]).into()
}

/// Bytes that this site stores, and bytes that the browser grants it.
pub(super) async fn estimate() -> Option<(f64, f64)> {
    let storage = get(&get(&js_sys::global(), "navigator"), "storage");
    let estimate = call(&storage, "estimate", &[]).await.ok()?;
    let number = |name| get(&estimate, name).as_f64();
    Some((number("usage")?, number("quota")?))
}

async fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = get(object, method).dyn_into()?;
    let arguments = arguments.iter().collect::<js_sys::Array>();
    let promise: Promise = method.apply(object, &arguments)?.dyn_into()?;
    JsFuture::from(promise).await
}
