//! Models of the site, of a folder and of a zip.

use super::super::testing::FakeBlob;
use super::*;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn text(source: &mut FakeSource, name: &str) -> Result<String> {
    block_on(async { source.open(name).await?.text().await })
}

/// Whether a configuration is a model's.
fn is_bert(config: &str) -> bool {
    config.contains("bert") || config == "{}"
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
    let mut source = FakeSource::files(files, None, is_bert).unwrap();
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
    let open = |bytes: &[u8]| {
        FakeSource::files(
            vec![("Tiny.ZIP".into(), FakeBlob::new(bytes))],
            None,
            is_bert,
        )
    };
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
    let error = problem(FakeSource::files(Vec::new(), None, is_bert).err().unwrap());
    assert!(error.contains("there is no file in it"), "{error}");
    let single = vec![("config.json".into(), FakeBlob::new(b"{}"))];
    let mut source = FakeSource::files(single, None, is_bert).unwrap();
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

/// The files of a folder by their paths, with their paths as content, and configurations that are or are not a model's.
fn folder(paths: &[&str]) -> Vec<(String, FakeBlob)> {
    let content = |path: &str| match path.contains("Pooling") {
        true => "{\"pooling_mode_mean_tokens\": true}".into(),
        false => format!("bert {path}"),
    };
    let file = |path: &&str| (path.to_string(), FakeBlob::new(content(path).as_bytes()));
    paths.iter().map(file).collect()
}

/// The same files as a zip, deflated.
fn zipped(files: &[(String, FakeBlob)]) -> Vec<(String, FakeBlob)> {
    let contents = files.iter().map(|(path, blob)| {
        let bytes = super::super::Blob::read(blob, 0..super::super::Blob::size(blob)).unwrap();
        (path.as_str(), bytes)
    });
    let contents: Vec<_> = contents.collect();
    let entries: Vec<_> = contents
        .iter()
        .map(|(path, bytes)| (*path, bytes.as_slice(), CompressionMethod::Deflated))
        .collect();
    vec![("model.zip".into(), FakeBlob::new(&zip(&entries)))]
}

#[test]
fn a_folder_and_a_zip_have_the_same_model() {
    let files = folder(&[
        "mine/1_Pooling/config.json",
        "mine/checkpoint-10/config.json",
        "mine/checkpoint-10/model.safetensors",
        "mine/config.json",
        "mine/vocab.txt",
        "__MACOSX/mine/config.json",
    ]);
    for files in [files.clone(), zipped(&files)] {
        let mut source = FakeSource::files(files, None, is_bert).unwrap();
        assert_eq!(
            text(&mut source, "config.json").unwrap(),
            "bert mine/config.json"
        );
        assert_eq!(
            text(&mut source, "vocab.txt").unwrap(),
            "bert mine/vocab.txt"
        );
        // The weights of the checkpoint below are another model's.
        assert!(!block_on(source.has(WEIGHTS)).unwrap());
    }
    assert_eq!(
        FakeSource::files(files, None, is_bert)
            .unwrap()
            .folder_name(),
        Some("mine")
    );
}

#[test]
fn a_configuration_of_something_else_is_no_model() {
    let files = folder(&[
        "1_Pooling/config.json",
        "0_Transformer/config.json",
        "modules.json",
    ]);
    for files in [files.clone(), zipped(&files)] {
        let mut source = FakeSource::files(files, None, is_bert).unwrap();
        let config = text(&mut source, "config.json").unwrap();
        assert_eq!(config, "bert 0_Transformer/config.json");
    }
    // Alone it is read, so that its error tells what it is.
    let mut source = FakeSource::files(folder(&["1_Pooling/config.json"]), None, is_bert).unwrap();
    assert!(
        text(&mut source, "config.json")
            .unwrap()
            .contains("pooling")
    );
}

#[test]
fn of_two_models_the_visitor_chooses_one() {
    let files = folder(&["runs/first/config.json", "runs/second/config.json"]);
    for files in [files.clone(), zipped(&files)] {
        let error = FakeSource::files(files.clone(), None, is_bert)
            .err()
            .unwrap();
        assert_eq!(error.folders(), ["runs/first", "runs/second"]);
        let mut source = FakeSource::files(files, Some("runs/second"), is_bert).unwrap();
        let config = text(&mut source, "config.json").unwrap();
        assert_eq!(config, "bert runs/second/config.json");
    }
}

#[test]
fn deflated_weights_are_read_forwards_and_again_from_their_beginning() {
    // Longer than the pieces that are read and inflated, and not compressible, so that there are several of both.
    let mut random = super::super::testing::seeded(3);
    let weights: Vec<u8> = (0..300_000).map(|_| random() as u8).collect();
    let entries: [(&str, &[u8], _); 2] = [
        ("config.json", b"{}", CompressionMethod::Stored),
        (WEIGHTS, &weights, CompressionMethod::Deflated),
    ];
    let archive = zip(&entries);
    let open = |bytes: &[u8]| {
        let files = vec![("model.zip".into(), FakeBlob::new(bytes))];
        let mut source = FakeSource::files(files, None, is_bert).unwrap();
        block_on(source.open(WEIGHTS)).unwrap()
    };
    let mut file = open(&archive);
    assert_eq!(block_on(file.size()).unwrap(), Some(300_000));
    for range in [
        0..8,
        8..200_000,
        250_000..300_000,
        100..200_100,
        299_999..300_000,
    ] {
        let found = block_on(file.read(range.start..range.end)).unwrap();
        assert!(
            found == weights[range.start as usize..range.end as usize],
            "{range:?}"
        );
    }
    assert!(block_on(file.finish()).is_ok());
    let short = problem(block_on(file.read(0..300_001)).unwrap_err());
    assert!(short.contains("ended after 300000 bytes"), "{short}");

    // A damaged byte is found: the content differs, or it cannot be inflated.
    let mut damaged = archive.clone();
    damaged[150_000] ^= 1;
    let mut file = open(&damaged);
    let found = block_on(async {
        file.read(0..300_000).await?;
        file.finish().await
    });
    assert!(problem(found.unwrap_err()).contains("the archive is damaged"));
}

#[test]
fn an_entry_that_cannot_be_read_is_an_error_that_says_why() {
    let entries: [(&str, &[u8], _); 1] = [("config.json", b"{}", CompressionMethod::Deflated)];
    let archive = zip(&entries);
    // The flags and the method of the entry, in its own header and in the directory.
    let directory = archive
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    let changed = |offset: usize, value: u8| {
        let mut changed = archive.clone();
        (changed[6 + offset], changed[directory + 8 + offset]) = (value, value);
        let files = vec![("model.zip".into(), FakeBlob::new(&changed))];
        problem(
            text(
                &mut FakeSource::files(files, None, is_bert).unwrap(),
                "config.json",
            )
            .unwrap_err(),
        )
    };
    assert!(changed(0, 1).contains("it is encrypted"));
    let method = changed(2, 14);
    assert!(method.contains("which this page does not read"), "{method}");
}
