//! A model's files, wherever the visitor has them: below an address of the site, in a repository of the Hub, in a folder of the disk, in a
//! zip.

use super::download::Download;
use super::http::AbortSignal;
use super::hub::HubSource;
use super::shared::Shared;
use crate::io::{ByteSource, MemoryFile, ended_early};
use crate::{Error, Result};
use js_sys::{ArrayBuffer, Function, Uint8Array};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use zip::{CompressionMethod, ZipArchive};

#[wasm_bindgen]
extern "C" {
    /// A file of the disk that is read when it is needed.
    #[derive(Clone)]
    pub(super) type Blob;
    #[wasm_bindgen(method, getter)]
    fn size(this: &Blob) -> f64;
    #[wasm_bindgen(method)]
    fn slice(this: &Blob, start: f64, end: f64) -> Blob;

    /// A worker may wait for the disk; the page itself may not.
    type FileReaderSync;
    #[wasm_bindgen(constructor)]
    fn new() -> FileReaderSync;
    #[wasm_bindgen(method, catch, js_name = readAsArrayBuffer)]
    fn read_as_array_buffer(this: &FileReaderSync, blob: &Blob) -> Result<ArrayBuffer, JsValue>;
}

impl Blob {
    /// Bytes in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.size() as u64
    }
}

/// Where a model's files are.
pub(super) enum Source {
    /// A folder of this site.
    Site(Rc<Shared>),
    /// A repository at one commit.
    Hub(HubSource),
    /// Files by their path in the folder that was chosen.
    Folder(Vec<(String, Blob)>),
    /// An archive, such as the page's own export.
    Zip(ZipArchive<BlobReader>),
}

impl Source {
    /// The files below an address of this site that ends in `/`; `on_event` gets `download` and `retry` events.
    pub(super) fn of_site(base: String, signal: AbortSignal, on_event: Function) -> Self {
        Self::Site(Rc::new(Shared::of_site(base, signal, on_event)))
    }

    /// A single zip, or the files of a folder.
    ///
    /// # Errors
    /// [`Error::Download`] when there is no file, or the one that is there is no zip.
    pub(super) fn of_files(files: Vec<(String, Blob)>) -> Result<Self> {
        match <[_; 1]>::try_from(files) {
            Ok([(name, blob)]) if name.to_lowercase().ends_with(".zip") => {
                let archive = ZipArchive::new(BlobReader::new(blob));
                archive.map(Self::Zip).map_err(|error| {
                    cannot_read(&name, &format!("it is no zip archive ({error})."))
                })
            }
            Ok(files) => Ok(Self::Folder(files.into())),
            Err(files) if files.is_empty() => {
                Err(cannot_read("the folder", "there is no file in it."))
            }
            Err(files) => Ok(Self::Folder(files)),
        }
    }

    /// Opens the file of this name, in the folder itself or the only place below it that has one.
    ///
    /// # Errors
    /// [`Error::Download`] when it is not there or cannot be read, [`Error::Stopped`].
    pub(super) async fn open(&mut self, name: &str) -> Result<SourceFile> {
        let file = self.open_if_there(name).await?;
        file.ok_or_else(|| self.missing(name))
    }

    /// Opens the file of this name; none where it is not there.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be read, [`Error::Stopped`].
    pub(super) async fn open_if_there(&mut self, name: &str) -> Result<Option<SourceFile>> {
        match self {
            Self::Site(shared) => {
                let file = Download::open(shared.clone(), name).await?;
                Ok(file.map(|file| SourceFile::Remote(Box::new(file))))
            }
            Self::Hub(hub) => hub.open_file(name).await,
            Self::Folder(files) => {
                let file = files.iter().find(|(path, _)| is_named(path, name));
                Ok(file.map(|(_, blob)| SourceFile::Disk(DiskFile::whole(name, blob.clone()))))
            }
            Self::Zip(archive) => open_in_zip(archive, name),
        }
    }

    /// Whether there is a file of this name, without reading it where that is known.
    ///
    /// # Errors
    /// As [`open_if_there`](Self::open_if_there).
    pub(super) async fn has(&mut self, name: &str) -> Result<bool> {
        if let Self::Hub(hub) = self
            && let Some(has) = hub.pin().has(name)
        {
            return Ok(has);
        }
        Ok(self.open_if_there(name).await?.is_some())
    }

    /// The error for a file that is not there.
    pub(super) fn missing(&self, name: &str) -> Error {
        let problem = match self {
            Self::Site(shared) => {
                let url = shared.url(name);
                format!("the server answered 404. Is the file part of the model folder at {url}?")
            }
            Self::Hub(_) | Self::Folder(_) | Self::Zip(_) => {
                "it is not there. A model's folder holds config.json, tokenizer.json and model.safetensors.".into()
            }
        };
        cannot_read(name, &problem)
    }

    /// Whether what was read of it became another file meanwhile, so that it has to be read anew.
    pub(super) fn take_changed(&self) -> bool {
        match self {
            Self::Hub(hub) => hub.take_changed(),
            Self::Site(shared) => shared.take_changed(),
            Self::Folder(_) | Self::Zip(_) => false,
        }
    }

    /// Says that a model was built of it.
    pub(super) async fn built(&self) {
        if let Self::Hub(hub) = self {
            hub.built().await;
        }
    }
}

fn open_in_zip(archive: &mut ZipArchive<BlobReader>, name: &str) -> Result<Option<SourceFile>> {
    let at = (0..archive.len()).find(|&at| {
        archive
            .name_for_index(at)
            .is_some_and(|path| path.is_ok_and(|path| is_named(&path, name)))
    });
    let Some(at) = at else {
        return Ok(None);
    };
    let broken = |error: &dyn std::fmt::Display| {
        cannot_read(name, &format!("the archive is damaged ({error})."))
    };
    let mut entry = archive.by_index(at).map_err(|error| broken(&error))?;
    if entry.compression() == CompressionMethod::Stored
        && let Some(start) = entry.data_start()
    {
        let range = start..start + entry.size();
        drop(entry);
        // `ZipArchive` gives its reader back only whole; the blob behind it is a handle, cheap to clone.
        let blob = archive.clone().into_inner().blob;
        return Ok(Some(SourceFile::Disk(DiskFile::part(name, blob, range))));
    }
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(|error| broken(&error))?;
    Ok(Some(SourceFile::Memory(MemoryFile::new(name, bytes))))
}

/// Whether a path ends in this file name, the folders before it being whatever they are.
fn is_named(path: &str, name: &str) -> bool {
    path == name
        || path
            .strip_suffix(name)
            .is_some_and(|folders| folders.ends_with('/'))
}

fn cannot_read(file: &str, problem: &str) -> Error {
    Error::Download {
        file: file.into(),
        problem: problem.into(),
    }
}

/// One open file of a [`Source`].
pub(super) enum SourceFile {
    Remote(Box<Download>),
    Disk(DiskFile),
    Memory(MemoryFile),
}

impl SourceFile {
    /// The whole file as text.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be read or is not UTF-8, [`Error::Stopped`].
    pub(super) async fn text(self) -> Result<String> {
        let name = self.name().to_string();
        let bytes = match self {
            Self::Remote(file) => file.rest().await?,
            mut whole @ (Self::Disk(_) | Self::Memory(_)) => {
                let len = whole.size().await?.unwrap_or(0);
                whole.read(0..len).await?
            }
        };
        String::from_utf8(bytes).map_err(|_| cannot_read(&name, "it is not UTF-8 text."))
    }
}

impl ByteSource for SourceFile {
    fn name(&self) -> &str {
        match self {
            Self::Remote(file) => file.name(),
            Self::Disk(file) => file.name(),
            Self::Memory(file) => file.name(),
        }
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        match self {
            Self::Remote(file) => file.size().await,
            Self::Disk(file) => file.size().await,
            Self::Memory(file) => file.size().await,
        }
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        match self {
            Self::Remote(file) => file.read(range).await,
            Self::Disk(file) => file.read(range).await,
            Self::Memory(file) => file.read(range).await,
        }
    }

    async fn finish(&mut self) -> Result<()> {
        match self {
            Self::Remote(file) => file.finish().await,
            Self::Disk(file) => file.finish().await,
            Self::Memory(file) => file.finish().await,
        }
    }
}

/// A file of the disk, or the part of one that a stored zip entry is.
pub(super) struct DiskFile {
    name: String,
    blob: Blob,
    range: Range<u64>,
}

impl DiskFile {
    /// A whole file under a name.
    pub(super) fn whole(name: &str, blob: Blob) -> Self {
        let len = blob.bytes();
        Self::part(name, blob, 0..len)
    }

    fn part(name: &str, blob: Blob, range: Range<u64>) -> Self {
        Self {
            name: name.into(),
            blob,
            range,
        }
    }
}

impl ByteSource for DiskFile {
    fn name(&self) -> &str {
        &self.name
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        Ok(Some(self.range.end - self.range.start))
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        let len = self.range.end - self.range.start;
        if range.end > len {
            return Err(ended_early(&self.name, len, range.end));
        }
        let start = self.range.start;
        read_blob(&self.blob, start + range.start..start + range.end)
            .map_err(|problem| cannot_read(&self.name, &problem))
    }
}

/// A whole file at once.
///
/// # Errors
/// A sentence when the disk cannot be read.
pub(super) fn read_all(blob: &Blob) -> Result<Vec<u8>, String> {
    read_blob(blob, 0..blob.bytes())
}

fn read_blob(blob: &Blob, range: Range<u64>) -> Result<Vec<u8>, String> {
    let part = blob.slice(range.start as f64, range.end as f64);
    let buffer = FileReaderSync::new().read_as_array_buffer(&part);
    let buffer = buffer.map_err(|_| {
        "the disk cannot be read. Was the file moved or changed since it was chosen?".to_string()
    })?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// A blob as a file with a position, for the zip reader.
#[derive(Clone)]
pub(super) struct BlobReader {
    blob: Blob,
    len: u64,
    position: u64,
}

impl BlobReader {
    fn new(blob: Blob) -> Self {
        Self {
            len: blob.bytes(),
            position: 0,
            blob,
        }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let end = self.len.min(self.position + buffer.len() as u64);
        if end <= self.position {
            return Ok(0);
        }
        let bytes = read_blob(&self.blob, self.position..end).map_err(std::io::Error::other)?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        self.position = end;
        Ok(bytes.len())
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(std::io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
