//! A model's files, wherever the visitor has them: below an address of the site, in a folder of the disk, in a zip.

use super::fetch::FetchedFile;
use crate::hub::{ByteSource, MemoryFile, ended_early};
use crate::{Error, Result};
use js_sys::{ArrayBuffer, Function, Uint8Array};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
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

/// Where a model's files are.
pub(super) enum Source {
    /// Below an address that ends in `/`; the function gets `download` events.
    Site { base: String, on_event: Function },
    /// Files by their path in the folder that was chosen.
    Folder(Vec<(String, Blob)>),
    /// An archive, such as the page's own export.
    Zip(ZipArchive<BlobReader>),
}

impl Source {
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
    /// [`Error::Download`] when it is not there or cannot be read.
    pub(super) async fn open(&mut self, name: &str) -> Result<SourceFile> {
        match self {
            Self::Site { base, on_event } => {
                let file = FetchedFile::open(&format!("{base}{name}"), on_event.clone()).await?;
                Ok(SourceFile::Fetched(file))
            }
            Self::Folder(files) => files
                .iter()
                .find(|(path, _)| is_named(path, name))
                .map(|(_, blob)| SourceFile::Disk(DiskFile::whole(name, blob.clone())))
                .ok_or_else(|| missing(name)),
            Self::Zip(archive) => open_in_zip(archive, name),
        }
    }
}

fn open_in_zip(archive: &mut ZipArchive<BlobReader>, name: &str) -> Result<SourceFile> {
    let at = (0..archive.len()).find(|&at| {
        archive
            .name_for_index(at)
            .is_some_and(|path| path.is_ok_and(|path| is_named(&path, name)))
    });
    let at = at.ok_or_else(|| missing(name))?;
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
        return Ok(SourceFile::Disk(DiskFile::part(name, blob, range)));
    }
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(|error| broken(&error))?;
    Ok(SourceFile::Memory(MemoryFile::new(name, bytes)))
}

/// Whether a path ends in this file name, the folders before it being whatever they are.
fn is_named(path: &str, name: &str) -> bool {
    path == name
        || path
            .strip_suffix(name)
            .is_some_and(|folders| folders.ends_with('/'))
}

fn missing(name: &str) -> Error {
    cannot_read(
        name,
        "it is not there. A model's folder holds config.json, tokenizer.json and model.safetensors.",
    )
}

fn cannot_read(file: &str, problem: &str) -> Error {
    Error::Download {
        file: file.into(),
        problem: problem.into(),
    }
}

/// One open file of a [`Source`].
pub(super) enum SourceFile {
    Fetched(FetchedFile),
    Disk(DiskFile),
    Memory(MemoryFile),
}

impl SourceFile {
    /// The whole file as text.
    ///
    /// # Errors
    /// [`Error::Download`] when it cannot be read or is not UTF-8.
    pub(super) async fn text(self) -> Result<String> {
        let (name, bytes) = match self {
            Self::Fetched(file) => return file.text().await,
            Self::Disk(mut file) => {
                let len = file.range.end - file.range.start;
                (file.name.clone(), file.read(0..len).await?)
            }
            Self::Memory(mut file) => {
                let len = file.size().await?.unwrap_or(0);
                (file.name().to_string(), file.read(0..len).await?)
            }
        };
        String::from_utf8(bytes).map_err(|_| cannot_read(&name, "it is not UTF-8 text."))
    }

    /// Says that nothing more will be read.
    ///
    /// # Errors
    /// [`Error::Download`] when the rest of a download cannot be read.
    pub(super) async fn finish(self) -> Result<()> {
        match self {
            Self::Fetched(file) => file.finish().await,
            Self::Disk(_) | Self::Memory(_) => Ok(()),
        }
    }
}

impl ByteSource for SourceFile {
    fn name(&self) -> &str {
        match self {
            Self::Fetched(file) => file.name(),
            Self::Disk(file) => file.name(),
            Self::Memory(file) => file.name(),
        }
    }

    async fn size(&mut self) -> Result<Option<u64>> {
        match self {
            Self::Fetched(file) => file.size().await,
            Self::Disk(file) => file.size().await,
            Self::Memory(file) => file.size().await,
        }
    }

    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>> {
        match self {
            Self::Fetched(file) => file.read(range).await,
            Self::Disk(file) => file.read(range).await,
            Self::Memory(file) => file.read(range).await,
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
    fn whole(name: &str, blob: Blob) -> Self {
        let len = blob.size() as u64;
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
            len: blob.size() as u64,
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
