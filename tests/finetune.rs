//! `examples/finetune.rs` on a tiny checkpoint: the whole job from a folder to a prediction, and its messages.

#[path = "../examples/finetune.rs"]
#[allow(dead_code, reason = "`main` is the example's")]
mod finetune;

use finetune::{Outcome, run};
use std::fs;
use std::path::{Path, PathBuf};
use webtune::data::{NEGATIVE_SENTENCE, POSITIVE_SENTENCE};

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parity/models/tiny")
}

fn arguments<'a>(folder: &'a Path, rest: &'a [&str]) -> impl Iterator<Item = std::ffi::OsString> {
    let folder = std::iter::once(folder.as_os_str().to_owned());
    folder.chain(rest.iter().map(|argument| argument.into()))
}

/// The message of a run that fails.
fn message(folder: &Path, rest: &[&str]) -> String {
    match run(arguments(folder, rest)) {
        Ok(_) => panic!("the run succeeded"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn trains_evaluates_and_predicts() {
    let settings = [
        "toy_dataset=article",
        "num_rows=100",
        "group_duplicates=false",
        "num_train_epochs=3",
        "learning_rate=0.01",
        "head_learning_rate=0",
        "lr_scheduler_type=constant",
    ];
    for (sentence, label) in [(POSITIVE_SENTENCE, 1), (NEGATIVE_SENTENCE, 0)] {
        let arguments: Vec<&str> = [sentence].into_iter().chain(settings).collect();
        let run: Outcome = run(self::arguments(&tiny(), &arguments)).unwrap();
        // 80 training rows in batches of 8, three times.
        assert_eq!((run.logs.len(), run.evaluations.len()), (30, 3));
        let (first, last) = (run.logs[0].loss, run.logs[29].loss);
        assert!(
            last < 0.5 * first,
            "the loss falls only from {first} to {last}"
        );
        assert_eq!(run.evaluations[2].metrics.accuracy, 1.0);
        assert!(run.evaluations[2].loss < run.evaluations[0].loss);
        assert!(run.probabilities[label] > 0.9, "{:?}", run.probabilities);
    }
}

#[test]
fn reads_a_vocabulary_where_there_is_no_tokenizer_json() {
    let folder = temporary_folder("vocab");
    for name in ["config.json", "model.safetensors"] {
        fs::copy(tiny().join(name), folder.join(name)).unwrap();
    }
    let tokenizer = fs::read(tiny().join("tokenizer.json")).unwrap();
    let tokenizer: serde_json::Value = serde_json::from_slice(&tokenizer).unwrap();
    let vocab = tokenizer["model"]["vocab"].as_object().unwrap();
    let mut tokens: Vec<_> = vocab
        .iter()
        .map(|(token, id)| (id.as_u64(), token))
        .collect();
    tokens.sort_unstable();
    let tokens: Vec<&str> = tokens.iter().map(|(_, token)| token.as_str()).collect();
    fs::write(folder.join("vocab.txt"), tokens.join("\n")).unwrap();

    let rest = [POSITIVE_SENTENCE, "max_steps=2"];
    let losses = |folder: &Path| -> Vec<f64> {
        let run = run(arguments(folder, &rest)).unwrap();
        run.logs.iter().map(|log| log.loss).collect()
    };
    assert_eq!(losses(&folder), losses(&tiny()));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn errors_are_sentences() {
    let usage = run(std::iter::empty()).err().unwrap().to_string();
    assert!(usage.starts_with("Usage: cargo run --example finetune -- MODEL_DIR SENTENCE"));
    assert!(message(&tiny(), &[]).starts_with("Usage: "));
    assert!(message(&tiny(), &["Good.", "fast"]).starts_with("\"fast\" is not NAME=VALUE."));
    assert_eq!(
        message(&tiny(), &["Good.", "learning_rate=fast"]),
        "learning_rate = \"fast\": it must be a number from 0 to 1."
    );
    let folder = temporary_folder("empty");
    let missing = message(&folder, &["Good."]);
    let file = folder.join("tokenizer.json");
    assert!(
        missing.starts_with(&format!("{} cannot be read: ", file.display())),
        "{missing}"
    );
    fs::remove_dir(folder).unwrap();
}

/// An empty folder of this test process.
fn temporary_folder(name: &str) -> PathBuf {
    let folder = format!("webtune-finetune-{}-{name}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
