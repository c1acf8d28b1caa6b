//! Every table with an expectation (`NAME.expected.json` beside `NAME`) is read as expected: those of
//! `tests/fixtures/tables`, and those of the folder that `WEBTUNE_TABLE_CASES` names.

use serde_json::Value;
use std::path::{Path, PathBuf};
use webtune::Result;
use webtune::data::import::{ImportOptions, ImportedTable, SkipReason, TableImporter};

/// The sizes of the pieces in which each file is read. All give the same table.
const PIECES: [usize; 3] = [1, 7, 64 << 10];

fn read(name: &str, bytes: &[u8], piece: usize) -> Result<ImportedTable> {
    let mut importer = TableImporter::new(name, ImportOptions::default());
    for piece in bytes.chunks(piece) {
        importer.push(piece)?;
    }
    importer.finish()
}

/// Returns the files of a folder that have an expectation, by name.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| expectation(path).exists())
        .collect();
    files.sort();
    files
}

fn expectation(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".expected.json");
    path.into()
}

/// Reads a file and returns the differences from its expectation.
fn differences(file: &Path) -> Vec<String> {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let bytes = std::fs::read(file).unwrap();
    let expected: Value =
        serde_json::from_slice(&std::fs::read(expectation(file)).unwrap()).unwrap();
    let results = PIECES.map(|piece| read(&name, &bytes, piece));
    let mut found = Vec::new();
    if results.iter().any(|result| *result != results[0]) {
        found.push("depends on the pieces".to_owned());
    }
    // A table without a label column or of one class is read, and refused when it is to be used.
    let refused = |table: &ImportedTable| table.check().err();
    match (&results[0], expected.get("refused")) {
        (Ok(table), Some(words)) if refused(table).is_some() => {
            let sentence = refused(table).map_or(String::new(), |error| error.to_string());
            compare_sentence(&sentence, words, &mut found);
        }
        (Ok(_), Some(_)) => found.push("is read, but should be refused".into()),
        (Err(error), Some(words)) => compare_sentence(&error.to_string(), words, &mut found),
        (Err(error), None) if expected.get("rows").is_some() => {
            found.push(format!("is refused: {error}"))
        }
        (Err(_), None) => {}
        (Ok(table), None) => compare(table, &expected, &mut found),
    }
    found
}

fn compare_sentence(sentence: &str, words: &Value, found: &mut Vec<String>) {
    let sentence = sentence.to_lowercase();
    for word in words.as_array().unwrap() {
        if !sentence.contains(word.as_str().unwrap()) {
            found.push(format!("{word} is not in: {sentence}"));
        }
    }
}

fn compare(table: &ImportedTable, expected: &Value, found: &mut Vec<String>) {
    let detected = serde_json::to_value(&table.detected).unwrap();
    for key in ["format", "encoding", "delimiter", "header"] {
        let Some(value) = expected.get(key) else {
            continue;
        };
        if detected[key] != *value {
            found.push(format!("{key} is {}, expected {value}", detected[key]));
        }
    }
    let column = |key: &str, place: Option<usize>, found: &mut Vec<String>| {
        let same = match (expected.get(key), place) {
            (None, _) => true,
            (Some(Value::String(name)), Some(place)) => table.detected.columns[place] == *name,
            (Some(number), Some(place)) => number.as_u64() == Some(place as u64),
            (Some(_), None) => false,
        };
        if !same {
            found.push(format!(
                "{key} is column {place:?}, expected {}",
                expected[key]
            ));
        }
    };
    column("text", Some(table.detected.text[0]), found);
    column("label", table.detected.label, found);
    if let Some(rows) = expected.get("rows").and_then(Value::as_u64)
        && rows != table.rows.len() as u64
    {
        found.push(format!("{} rows, expected {rows}", table.rows.len()));
    }
    for (key, row) in [("first", table.rows.first()), ("last", table.rows.last())] {
        let Some(expected) = expected.get(key) else {
            continue;
        };
        let Some(row) = row else {
            found.push(format!("no {key} row"));
            continue;
        };
        for (part, value) in [("text", &row.text), ("label", &table.labels[row.label])] {
            if expected.get(part).is_some_and(|expected| expected != value) {
                found.push(format!(
                    "{part} of the {key} row is {value:?}, expected {}",
                    expected[part]
                ));
            }
        }
    }
    if let Some(labels) = expected.get("labels").and_then(Value::as_array) {
        let mut sorted = table.labels.clone();
        sorted.sort();
        if sorted
            .iter()
            .ne(labels.iter().map(|label| label.as_str().unwrap()))
        {
            found.push(format!("labels are {sorted:?}, expected {labels:?}"));
        }
    }
    if let Some(skipped) = expected.get("skipped").and_then(Value::as_array) {
        let same = skipped.len() == table.num_skipped
            && skipped.iter().zip(&table.skipped).all(|(expected, row)| {
                let why = expected.get("why").and_then(Value::as_str);
                expected["line"].as_u64() == Some(row.line as u64)
                    && why.is_none_or(|why| why == in_words(row.reason))
            });
        if !same {
            found.push(format!(
                "skipped are {:?}, expected {skipped:?}",
                table.skipped
            ));
        }
    }
}

fn in_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::EmptyText => "empty text",
        SkipReason::EmptyLabel => "empty label",
        SkipReason::Ragged { .. } => "ragged",
        SkipReason::UnclosedQuote => "unclosed quote",
        SkipReason::NotJson => "not json",
    }
}

#[test]
fn tables_are_read_as_expected() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tables");
    let mut folders = vec![fixtures];
    folders.extend(std::env::var_os("WEBTUNE_TABLE_CASES").map(PathBuf::from));
    let mut failures = Vec::new();
    for folder in folders {
        let files = cases(&folder);
        assert!(!files.is_empty(), "{} has no case", folder.display());
        for file in files {
            let found = differences(&file);
            if !found.is_empty() {
                failures.push(format!("{}: {}", file.display(), found.join("; ")));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
