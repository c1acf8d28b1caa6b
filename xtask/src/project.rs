//! Paths in the repository, and the file operations that the commands share.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{About, Result};

/// The repository's root.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// A path inside the repository.
pub fn at(path: &str) -> PathBuf {
    root().join(path)
}

/// The folder of build outputs, where cargo puts it.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => at("target"),
    }
}

/// The folder of what is kept between runs: processed modules, compressed files, stamps.
pub fn cache() -> PathBuf {
    target().join("web")
}

/// The SHA-256 of some bytes, in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}

/// A SHA-256 over named parts. The lengths are hashed too, so that `ab` + `c` differs from `a` + `bc`.
pub fn hash_parts<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut digest = Sha256::new();
    for (name, bytes) in parts {
        for part in [name.as_bytes(), bytes] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
    hex(digest.finalize())
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).about("read", path)
}

/// Reads a whole text file.
pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).about("read", path)
}

/// Writes a file, making its folders.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    make_parent(path)?;
    fs::write(path, bytes).about("write", path)
}

/// Writes a file unless it has that content already, which keeps its modification time.
pub fn write_if_changed(path: &Path, bytes: Vec<u8>) -> Result<()> {
    if fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    write(path, bytes)
}

/// Copies a file, making its folders.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    make_parent(to)?;
    fs::copy(from, to).about("copy", from).map(drop)
}

/// Makes a folder and those above it.
pub fn make_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).about("make the folder", path)
}

/// Makes the folder of a file.
pub fn make_parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), make_dir)
}

/// Deletes a folder and its content, if it exists.
pub fn remove_dir(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.about("delete", path),
    }
}

/// Every file below a folder except hidden ones, sorted.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).about("list", folder)? {
        entries.push(entry.about("list", folder)?.path());
    }
    entries.sort();
    let mut files = Vec::new();
    for path in entries {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Whether a stamp file has this content, which means that its work is done.
pub fn stamped(stamp: &Path, content: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|found| found == content)
}

/// Formats a number of bytes: "46 B", "1.2 kB", "45.4 MB".
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_sha256_in_hexadecimal() {
        assert_eq!(
            hash(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn the_borders_of_parts_are_hashed() {
        let apart = hash_parts([("a", b"bc".as_slice())]);
        let other = hash_parts([("ab", b"c".as_slice())]);
        assert_ne!(apart, other);
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(size(46), "46 B");
        assert_eq!(size(1_234), "1.2 kB");
        assert_eq!(size(45_400_000), "45.4 MB");
    }
}
