//! Models of the site, of a folder and of a zip.

use super::super::testing::FakeBlob;
use super::*;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn text(source: &mut FakeSource, name: &str) -> Result<String> {
    block_on(async { source.open(name).await?.text().await })
}

fn zip(files: &[(&str, &[u8], CompressionMethod)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes, method) in files {
        let options = SimpleFileOptions::default().compression_method(*method);
        zip.start_file(*path, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn files_of_a_folder_are_found_by_their_names() {
    let weights = bytes(1, 100);
    let blob = FakeBlob::new(&weights);
    let files = vec![
        ("tiny/not-config.json".into(), FakeBlob::new(b"no")),
        ("tiny/config.json".into(), FakeBlob::new(b"{}")),
        (format!("tiny/{WEIGHTS}"), blob.clone()),
    ];
    let mut source = FakeSource::files(files).unwrap();
    assert_eq!(text(&mut source, "config.json").unwrap(), "{}");
    assert_eq!(build(&mut source).unwrap(), weights);
    assert!(block_on(source.has(WEIGHTS)).unwrap());
    assert!(!block_on(source.has("vocab.txt")).unwrap());
    let missing = problem(text(&mut source, "vocab.txt").unwrap_err());
    assert!(missing.contains("it is not there"), "{missing}");

    let mut file = block_on(source.open(WEIGHTS)).unwrap();
    let short = problem(block_on(file.read(90..101)).unwrap_err());
    assert!(short.contains("ended after 100 bytes"), "{short}");
    blob.lose();
    let lost = problem(block_on(file.read(0..8)).unwrap_err());
    assert!(lost.contains("the file was moved"), "{lost}");
}

#[test]
fn files_of_a_zip_are_read_compressed_and_uncompressed() {
    let weights = bytes(1, 100);
    let archive = zip(&[
        ("tiny/config.json", b"{}", CompressionMethod::Deflated),
        ("tiny/vocab.txt", &[0xff], CompressionMethod::Stored),
        (
            "tiny/model.safetensors",
            &weights,
            CompressionMethod::Stored,
        ),
    ]);
    let open = |bytes: &[u8]| FakeSource::files(vec![("Tiny.ZIP".into(), FakeBlob::new(bytes))]);
    let mut source = open(&archive).unwrap();
    assert_eq!(text(&mut source, "config.json").unwrap(), "{}");
    assert_eq!(build(&mut source).unwrap(), weights);
    assert!(!block_on(source.has("tokenizer.json")).unwrap());
    let error = problem(text(&mut source, "vocab.txt").unwrap_err());
    assert!(error.contains("not UTF-8"), "{error}");
    assert!(source.pin().is_none());

    let error = problem(open(b"PK").err().unwrap());
    assert!(error.contains("no zip archive"), "{error}");
    let mut damaged = archive.clone();
    let at = damaged.windows(2).position(|two| two == b"PK").unwrap();
    damaged[at] = b'?';
    let error = problem(text(&mut open(&damaged).unwrap(), "config.json").unwrap_err());
    assert!(error.contains("the archive is damaged"), "{error}");
}

#[test]
fn an_empty_folder_is_refused() {
    let error = problem(FakeSource::files(Vec::new()).err().unwrap());
    assert!(error.contains("there is no file in it"), "{error}");
    let single = vec![("config.json".into(), FakeBlob::new(b"{}"))];
    let mut source = FakeSource::files(single).unwrap();
    assert_eq!(text(&mut source, "config.json").unwrap(), "{}");
}

#[test]
fn files_of_the_site_are_not_stored() {
    let fakes = Fakes::default();
    let weights = bytes(1, 100);
    let base = "https://site.test/models/tiny/";
    fakes.network.offer(&format!("{base}{WEIGHTS}"), &weights);
    let mut source = FakeSource::site(base.into(), fakes.services());
    assert_eq!(build(&mut source).unwrap(), weights);
    let missing = problem(text(&mut source, "config.json").unwrap_err());
    assert!(
        missing.contains("the server answered 404") && missing.contains(base),
        "{missing}"
    );
    assert_eq!(notices(&fakes.take_events()), []);
    assert!(fakes.disk.list(Folder::Files).is_empty());
}
