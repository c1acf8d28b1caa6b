//! Model sources on a network that fails, on a full disk, and stopped: the code that the page runs, on a fake
//! environment.

mod changed;
mod disk;
mod files;
mod network;
mod repository;
mod store;
mod tabs;
mod unpinned;

use super::testing::{ENDPOINT, FakeEnvironment, Fakes};
use super::{Folder, LoadEvent, NoticeCode, Source, SourceFile};
use crate::io::ByteSource;
use crate::{Error, Result};
use pollster::block_on;

/// A repository's name.
const REPO: &str = "tests/tiny";
/// The file that the tests are about.
const WEIGHTS: &str = "model.safetensors";

type FakeSource = Source<FakeEnvironment>;

/// `len` bytes that differ with `seed`.
fn bytes(seed: u8, len: usize) -> Vec<u8> {
    let byte = |at: usize| (at as u8).wrapping_mul(31).wrapping_add(seed);
    (0..len).map(byte).collect()
}

/// Opens a repository for a request that nothing stops.
fn open(fakes: &Fakes) -> FakeSource {
    block_on(Source::hub(ENDPOINT, REPO, fakes.services(), |_| true))
        .unwrap()
        .0
}

/// Reads a whole file as a checkpoint is read: one range after the other, and then what is left.
async fn read(source: &mut FakeSource, name: &str) -> Result<Vec<u8>> {
    read_all(source.open(name).await?).await
}

async fn read_all(mut file: SourceFile<FakeEnvironment>) -> Result<Vec<u8>> {
    let size = file.size().await?.unwrap();
    let mut found = Vec::new();
    while (found.len() as u64) < size {
        let at = found.len() as u64;
        found.extend(file.read(at..size.min(at + 12)).await?);
    }
    file.finish().await?;
    Ok(found)
}

/// Builds a model of one file: its bytes.
fn build(source: &mut FakeSource) -> Result<Vec<u8>> {
    block_on(source.build(async |source: &mut FakeSource| read(source, WEIGHTS).await))
}

/// Loads the weights of the repository.
fn load(fakes: &Fakes) -> Result<Vec<u8>> {
    build(&mut open(fakes))
}

fn problem(error: Error) -> String {
    error.to_string()
}

fn notices(events: &[LoadEvent]) -> Vec<NoticeCode> {
    let notices = events.iter().filter_map(|event| match event {
        LoadEvent::Notice { code } => Some(*code),
        _ => None,
    });
    notices.collect()
}

/// The names of the files in the storage of which a part has arrived.
fn parts(fakes: &Fakes) -> Vec<String> {
    let mut files = fakes.disk.list(Folder::Files);
    files.retain(|name| name.ends_with(super::PART_ENDING));
    files
}
