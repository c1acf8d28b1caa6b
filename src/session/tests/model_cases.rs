//! Checkpoints as people have them, against what transformers makes of them: the cases of `tests/fixtures/models`,
//! whose README says what they hold, and those of the folder that `WEBTUNE_MODEL_CASES` names.

use super::*;
use crate::bert::batch_tensors;
use crate::tokens::Batch;
use burn::tensor::Tensor;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The `max_length` of the recorded ids.
const MAX_LENGTH: usize = 64;

/// The largest difference of a hidden state or a logit.
const TOLERANCE: f32 = 1e-4;

/// `case.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "about")]
    _about: String,
    loads: bool,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    notices: Vec<String>,
    #[serde(default)]
    rows: Vec<RecordedRow>,
    #[serde(default)]
    cls: Vec<f32>,
    logits: Option<Vec<f32>>,
    labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RecordedRow {
    text: String,
    ids: Vec<u32>,
}

#[test]
fn checkpoints_load_as_in_transformers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("tests/fixtures/models")];
    folders.extend(std::env::var_os("WEBTUNE_MODEL_CASES").map(PathBuf::from));
    for folder in folders {
        let mut cases: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("case.json").exists())
            .collect();
        cases.sort();
        assert!(!cases.is_empty(), "no case in {}", folder.display());
        let failed = cases.iter().filter_map(|case| {
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            check(case)
                .err()
                .map(|problem| format!("{name}: {problem}"))
        });
        let failed: Vec<_> = failed.collect();
        assert!(
            failed.is_empty(),
            "{} of {} cases:\n{}",
            failed.len(),
            cases.len(),
            failed.join("\n")
        );
        println!("{}: {} cases", folder.display(), cases.len());
    }
}

fn check(folder: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(folder.join("case.json")).unwrap();
    let case: Case = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut visit = Visit::new();
    let loaded = visit.load_paths(files(folder));
    let view = match (case.loads, loaded) {
        (true, Ok(view)) => view,
        (true, Err(error)) => return Err(format!("it must load, but: {error}")),
        (false, Ok(_)) => {
            return Err(format!(
                "it loads, but must be refused with {:?}",
                case.says
            ));
        }
        (false, Err(error)) => {
            let message = error.to_string().to_lowercase();
            let absent: Vec<_> = case
                .says
                .iter()
                .filter(|word| !message.contains(*word))
                .collect();
            return match absent.as_slice() {
                [] => Ok(()),
                absent => Err(format!("{absent:?} is not in: {message}")),
            };
        }
    };
    let mut problems = Vec::new();
    check_ids(&visit, &case, &mut problems);
    check_states(&visit, &case, &mut problems);
    check_labels(&mut visit, &case, &mut problems);
    check_notices(&mut visit, &view, &case, &mut problems);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(problems.join("; ")),
    }
}

impl Visit {
    /// Loads files by their whole paths.
    fn load_paths(&mut self, files: Vec<(String, Vec<u8>)>) -> Result<ModelView> {
        let files = files
            .into_iter()
            .map(|(path, bytes)| (path, FakeBlob::new(&bytes)));
        let listener: Rc<dyn Listener> = self.recorder.clone();
        block_on(
            self.session
                .load_files("case", files.collect(), None, &listener),
        )
    }
}

/// The files of a checkpoint by their paths: `case/…`, or the only zip by its name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            if name != "case.json" {
                found.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    match found.as_slice() {
        [(name, _)] if name.ends_with(".zip") => found,
        _ => found
            .into_iter()
            .map(|(name, bytes)| (format!("case/{name}"), bytes))
            .collect(),
    }
}

fn check_ids(visit: &Visit, case: &Case, problems: &mut Vec<String>) {
    let tokenizer = &visit.session.model.as_ref().unwrap().tokenizer;
    for RecordedRow { text, ids } in &case.rows {
        let found = tokenizer
            .encode(text, MAX_LENGTH)
            .map(|encoding| encoding.input_ids);
        if found.as_ref() != Ok(ids) {
            problems.push(format!(
                "{text:?} has the ids {ids:?}, but came to {found:?}"
            ));
        }
    }
}

/// The hidden state of the first token of the first row, and the logits where the head is the checkpoint's.
fn check_states(visit: &Visit, case: &Case, problems: &mut Vec<String>) {
    let Some(row) = case.rows.first() else {
        return;
    };
    let network = &visit.session.model.as_ref().unwrap().network;
    let seq = row.ids.len();
    let batch = Batch {
        batch: 1,
        seq,
        input_ids: row.ids.iter().map(|&id| id as i32).collect(),
        attention_mask: vec![1; seq],
    };
    let (input_ids, bias) = batch_tensors(&batch, &network.device());
    let hidden = network.bert.embeddings.forward(input_ids, &mut None);
    let hidden = network.bert.encoder.forward(hidden, bias, &mut None);
    let values = |tensor: Tensor<2>| tensor.into_data().try_to_vec::<f32>().unwrap();
    let mut compare = |what: &str, found: &[f32], expected: &[f32]| {
        let differs = |(a, b): (&f32, &f32)| (a - b).abs().is_nan() || (a - b).abs() > TOLERANCE;
        if found.len() < expected.len() || found.iter().zip(expected).any(differs) {
            problems.push(format!("{what}: {expected:?} expected, {found:?} found"));
        }
    };
    let first = values(hidden);
    compare("cls", &first[..case.cls.len()], &case.cls);
    if let Some(logits) = &case.logits {
        compare("logits", &values(network.forward(&batch)), logits);
    }
}

/// The checkpoint's own labels, by which it answers before training.
fn check_labels(visit: &mut Visit, case: &Case, problems: &mut Vec<String>) {
    let (Some(labels), Some(row)) = (&case.labels, case.rows.first()) else {
        return;
    };
    let answer = answered!(
        visit,
        Prediction,
        json!({"type": "predict", "text": row.text})
    );
    if answer.labels != *labels {
        problems.push(format!(
            "the labels are {labels:?}, but the page says {:?}",
            answer.labels
        ));
    }
}

/// What the page says beside the loaded model, and of the rows once they are tokens.
fn check_notices(visit: &mut Visit, view: &ModelView, case: &Case, problems: &mut Vec<String>) {
    let row = |(at, row): (usize, &RecordedRow)| json!({"text": row.text, "label": at % 2});
    let rows: Vec<_> = case.rows.iter().enumerate().map(row).collect();
    let mut warnings = view.notices.clone();
    if rows.len() >= 2 {
        let request = json!({"type": "rows", "train": rows, "test": rows, "labels": ["a", "b"]});
        visit.ask(request).unwrap();
        let tokens = answered!(visit, Tokenized, json!({"type": "tokenize"}));
        warnings.extend(tokens.warnings);
    }
    let said: Vec<_> = warnings
        .iter()
        .map(|warning| warning.message.to_lowercase())
        .collect();
    for word in &case.notices {
        if !said.iter().any(|message| message.contains(word)) {
            problems.push(format!("no notice has {word:?}: {said:?}"));
        }
    }
}
