//! The parts of the folder beside the model: the script that repeats the run, and the log.

use super::fixture::{archive_of, parsed, run, settings, test_rows, text, train_rows, unzip};
use crate::common::parameters;
use serde_json::{Value, json};
use webtune::data::Row;
use webtune::export::ExportPart;
use webtune::settings::SETTINGS;

fn rows_of(lines: &str) -> Vec<Row> {
    let rows = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    rows.collect()
}

#[test]
fn the_script_has_the_rows_and_the_initial_head() {
    let mut values = settings();
    values.insert("tuning".into(), json!("lora"));
    let run = run(&values);
    for base_has_pooler in [true, false] {
        let files = unzip(&archive_of(&run, &[ExportPart::Scripts], base_has_pooler));
        assert_eq!(rows_of(&text(&files, "data/train.jsonl")), train_rows());
        assert_eq!(rows_of(&text(&files, "data/test.jsonl")), test_rows());
        assert!(!files.contains_key("data/validation.jsonl"));
        let head =
            safetensors::SafeTensors::deserialize(&files["initial_head.safetensors"]).unwrap();
        let initial = parameters(&run.initial);
        let mut adapters = 0;
        for (name, tensor) in head.iter() {
            match initial.get(name) {
                Some(values) => {
                    let bytes: Vec<u8> = values
                        .iter()
                        .flat_map(|value| value.to_le_bytes())
                        .collect();
                    assert_eq!(tensor.data(), bytes, "{name}");
                    assert!(
                        name.starts_with("classifier.") || !base_has_pooler,
                        "{name}"
                    );
                }
                None => adapters += usize::from(name.contains(".lora_A.")),
            }
        }
        // Query and value of two layers.
        assert_eq!(adapters, 4);
        assert_eq!(head.len(), 8 + 2 + if base_has_pooler { 0 } else { 2 });
    }
    assert_ne!(
        parameters(&run.trainer.model().unwrap())["classifier.weight"],
        parameters(&run.initial)["classifier.weight"]
    );
}

/// A setting that the script does not read would silently change the run.
#[test]
fn the_script_knows_every_setting() {
    let files = unzip(&archive_of(&run(&settings()), &[ExportPart::Scripts], true));
    let script = text(&files, "train.py");
    let list = |name: &str| {
        let start = format!("\n{name} = \"\"\"");
        let (_, rest) = script.split_once(&start).unwrap();
        let (list, _) = rest.split_once("\"\"\"").unwrap();
        list.split_whitespace()
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    let (done, used) = (list("DONE"), list("USED"));
    for setting in SETTINGS {
        let name = setting.name.to_string();
        assert!(done.contains(&name) != used.contains(&name), "{name}");
    }
    for name in used {
        let quoted = format!("\"{name}\"");
        assert!(script.contains(&quoted), "{name} is not read");
    }
    let notebook = parsed(&files, "train.ipynb");
    assert_eq!(notebook["nbformat"], 4);
    assert!(text(&files, "requirements.txt").contains("transformers=="));
}

#[test]
fn the_log_is_exported_for_tensorboard_and_as_tables() {
    let run = run(&settings());
    let files = unzip(&archive_of(&run, &[ExportPart::Logs], true));
    let log = parsed(&files, "log_history.json");
    assert_eq!(log, parsed(&files, "trainer_state.json")["log_history"]);
    let table = text(&files, "log_history.csv");
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let columns = table.headers().unwrap().clone();
    assert_eq!((&columns[0], &columns[1]), ("step", "epoch"));
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let entries = log.as_array().unwrap();
    assert_eq!(rows.len(), entries.len());
    for (row, entry) in rows.iter().zip(entries) {
        for (column, cell) in columns.iter().zip(row) {
            let expected = match &entry[column] {
                Value::Null => String::new(),
                value => value.to_string(),
            };
            assert_eq!(cell, expected, "{column} of {entry}");
        }
    }
    let events = &files["logs/events.out.tfevents.0.webtune"];
    let has = |text: &str| {
        events
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    for name in [
        "brain.Event:2",
        "train/loss",
        "train/learning_rate",
        "train/grad_norm",
        "eval/loss",
        "eval/accuracy",
    ] {
        assert!(has(name), "{name}");
    }
    // The same run gives the same bytes: there are no dates.
    assert_eq!(
        archive_of(&run, &[ExportPart::Logs], true),
        archive_of(&run, &[ExportPart::Logs], true)
    );
}
