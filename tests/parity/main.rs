//! The reference's own numbers: every case folder that `tests/fixtures/parity/make_case.py` recorded from Hugging Face's `Trainer`
//! is run through this crate's trainer, step by step. `WEBTUNE_PARITY_CASES` names a folder of further cases.

mod recording;

use burn::module::Module;
use burn::tensor::Device;
use pollster::block_on;
use recording::{Case, Expected, head, json, model_folder, read, root, settings, tensors, weights};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use webtune::bert::{BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader};
use webtune::evaluate::{Evaluation, evaluate};
use webtune::settings::Values;
use webtune::tokens::{Example, Padding, Tokenizer};
use webtune::train::{Event, History, StepLog, Trainer, TrainerOptions};

const LOSS_SHARE: &str = "loss (relative)";
const EVAL_SHARE: &str = "eval loss (relative)";

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

/// Logits of each row by itself, unpadded or padded as the case says.
fn logits(
    model: &BertForSequenceClassification,
    rows: &[Example],
    options: &TrainerOptions,
) -> Vec<Vec<f32>> {
    let mut options = options.clone();
    options.arguments.per_device_eval_batch_size = 1;
    let evaluation = block_on(evaluate(
        &model.valid(),
        rows,
        &options.evaluation(),
        &mut |_, _| (),
    ))
    .unwrap();
    evaluation.logits
}

fn compare(worst: &mut Worst, found: &[Vec<f32>], expected: &[Vec<f32>]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        worst.see(f64::from((found - expected).abs()));
    }
}

/// `trainer_state.json` has the Trainer's own fields and entries; numbers within the loss's tolerance, times whatever they are. The
/// Trainer's one callback with a state, its control flow, does not exist here.
fn same_state(found: &Value, expected: &Value, at: &str) {
    let timed = ["runtime", "per_second"]
        .iter()
        .any(|end| at.ends_with(end));
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) if !at.ends_with("callbacks") => {
            let names = |object: &Values| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(found), names(expected), "{at}");
            for (name, value) in expected {
                same_state(&found[name], value, &format!("{at}.{name}"));
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{at}");
            for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
                same_state(found, expected, &format!("{at}[{number}]"));
            }
        }
        (Value::Number(found), Value::Number(expected)) if !timed => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            assert!(
                (found - expected).abs() <= 2e-4,
                "{at}: {found} instead of {expected}"
            );
        }
        (Value::Object(_), Value::Object(_)) | (Value::Number(_), Value::Number(_)) => {}
        _ => assert_eq!(found, expected, "{at}"),
    }
}

fn run(folder: &Path, fp16: bool) -> Vec<Worst> {
    let case: Case = json(&folder.join("case.json"));
    let expected: Expected = json(&folder.join("expected.json"));
    let model_folder = model_folder(folder, &case.model);
    let settings = settings(&case.arguments);
    let text = |name: &str| String::from_utf8(read(&model_folder.join(name))).unwrap();
    let tokenizer = Tokenizer::from_json(&text("tokenizer.json")).unwrap();
    let config = BertConfig::from_json(&text("config.json"))
        .unwrap()
        .without_dropout();
    let mut options = settings.trainer_options(tokenizer.pad_token_id());
    options.arguments.fp16 = fp16;
    options.shuffle = case.shuffle;
    let encode = |rows: &[webtune::data::Row]| -> Vec<Example> {
        rows.iter()
            .map(|row| Example {
                encoding: tokenizer
                    .encode(&row.text, options.collator.max_length)
                    .unwrap(),
                label: row.label,
            })
            .collect()
    };
    let (train, eval) = (encode(&case.train), encode(&case.eval));
    for (row, ids) in eval.iter().zip(&expected.eval_input_ids) {
        let mut found = row.encoding.input_ids.clone();
        if options.collator.padding == Padding::MaxLength {
            found.resize(options.collator.max_length, options.collator.pad_token_id);
        }
        assert_eq!(&found, ids, "token ids");
    }

    let device = Device::flex().autodiff();
    let loader = WeightsLoader {
        config: &config,
        num_labels: case.labels.len(),
        seed: 0,
        device: &device,
        limits: LoadLimits::default(),
    };
    let (model, _) = block_on(loader.load(&mut weights(&model_folder))).unwrap();
    let (weight, bias) = head(&folder.join("head.safetensors"));
    let model = model.with_head(weight, bias).unwrap();
    let model = settings.tuning.apply(model, 0).unwrap();
    let model = match folder.join("adapter_initial.safetensors") {
        file if file.exists() => model.with_adapter_values(&tensors(&file)).unwrap(),
        _ => model,
    };

    let mut initial = Worst::new("initial logits", 1e-4);
    compare(
        &mut initial,
        &logits(&model, &eval, &options),
        &expected.initial_logits,
    );
    let mut history = History::new(&options.arguments, train.len());
    let mut trainer = Trainer::new(model, train, eval.clone(), options.clone()).unwrap();
    let (mut steps, mut epochs): (Vec<StepLog>, Vec<Evaluation>) = (Vec::new(), Vec::new());
    loop {
        match block_on(trainer.step(&mut |_, _| ())).unwrap() {
            Event::Step { logs, .. } => {
                history.steps(&logs);
                steps.extend(logs);
            }
            Event::Evaluated(evaluation) => {
                history.evaluated(&evaluation, 1.0);
                epochs.push(evaluation);
            }
            Event::Finished => break,
        }
    }
    history.finished(&trainer, 1.0).unwrap();
    let recorded = folder.join("trainer_state.json");
    if recorded.exists() && !fp16 {
        same_state(&history.trainer_state(), &json(&recorded), "trainer_state");
    }
    let mut rate = Worst::new("learning rate (relative)", 1e-6);
    let mut loss = Worst::new("loss", 2e-4);
    let mut loss_share = Worst::new(LOSS_SHARE, 5e-3);
    let mut norm = Worst::new("gradient norm (relative)", 1e-3);
    assert_eq!(steps.len(), expected.steps.len(), "steps");
    for (found, expected) in steps.iter().zip(&expected.steps) {
        let scale = expected.learning_rate.max(f64::MIN_POSITIVE);
        rate.see((found.learning_rate - expected.learning_rate).abs() / scale);
        loss.see((found.loss - expected.loss).abs());
        loss_share.see((found.loss - expected.loss).abs() / expected.loss);
        norm.see((found.grad_norm - expected.grad_norm).abs() / expected.grad_norm);
        if let Some(epoch) = expected.epoch {
            assert_eq!(found.epoch, epoch, "epoch of step {}", found.step);
        }
    }
    let mut eval_loss = Worst::new("eval loss", 5e-4);
    let mut eval_share = Worst::new(EVAL_SHARE, 5e-3);
    assert_eq!(epochs.len(), expected.epochs.len(), "epochs");
    for (found, expected) in epochs.iter().zip(&expected.epochs) {
        eval_loss.see((found.loss - expected.eval_loss).abs());
        eval_share.see((found.loss - expected.eval_loss).abs() / expected.eval_loss);
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
    let mut adapters = Worst::new("final adapters", 1e-4);
    let recorded = folder.join("adapter/adapter_model.safetensors");
    if recorded.exists() {
        let (model, expected) = (trainer.model().unwrap(), tensors(&recorded));
        let found = model.adapter_parameters().into_iter();
        let found: Vec<_> = found.chain(model.classifier_parameters()).collect();
        assert_eq!(
            found.iter().map(|one| &one.name).collect::<BTreeSet<_>>(),
            expected.keys().collect()
        );
        for one in found {
            let values = block_on(one.read()).unwrap();
            compare(&mut adapters, &[values], &[expected[&one.name].clone()]);
        }
    }
    vec![
        initial, rate, loss, loss_share, norm, eval_loss, eval_share, last, adapters,
    ]
}

fn check(folder: &Path) {
    compare_case(folder, false);
}

/// In mixed precision, a case's losses are within 0.5 % of the reference's f32.
fn check_fp16(folder: &Path) {
    compare_case(folder, true);
}

fn compare_case(folder: &Path, fp16: bool) {
    let mut worst = run(folder, fp16);
    if fp16 {
        worst.retain(|one| [LOSS_SHARE, EVAL_SHARE].contains(&one.kind));
    }
    let precision = if fp16 { " in mixed precision" } else { "" };
    let mut report = format!("{}{precision}\n", folder.display());
    for one in &worst {
        report += &format!(
            "  {:<26} {:.2e}  (allowed {:.0e})\n",
            one.kind, one.deviation, one.tolerance
        );
    }
    // Not `print!`, whose output of a test that passes is never shown.
    std::io::stdout().write_all(report.as_bytes()).unwrap();
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

/// Its updates are so small that f16 weights notice them late: the checkpoint's are f16 to begin with, and 2.9e-6 is less than half of the
/// step from one to the next.
#[test]
fn article_in_mixed_precision() {
    check_fp16(&root().join("tests/fixtures/parity/cases/article"));
}

#[test]
fn accumulation_in_mixed_precision() {
    check_fp16(&root().join("tests/fixtures/parity/cases/accumulation"));
}

/// Two batches an update, a short group at the end of each epoch, label smoothing, warmup by share, and an end within an epoch.
#[test]
fn accumulation() {
    check(&root().join("tests/fixtures/parity/cases/accumulation"));
}

/// One epoch and a half of shuffled rows, all padded to one length, a constant rate after a warmup, no clipping and no decay.
#[test]
fn half_epoch() {
    check(&root().join("tests/fixtures/parity/cases/half-epoch"));
}

#[test]
fn tiny_3_class() {
    check(&root().join("tests/fixtures/parity/cases/tiny-3-class"));
}

/// PEFT's LoRA on query and value, with its own initial adapters.
#[test]
fn lora() {
    check(&root().join("tests/fixtures/parity/cases/lora"));
}

/// PEFT's LoRA beside every linear layer, the pooler among them.
#[test]
fn lora_all_linear() {
    check(&root().join("tests/fixtures/parity/cases/lora-all-linear"));
}

/// The embeddings and one encoder layer frozen, and gradient checkpointing.
#[test]
fn frozen() {
    check(&root().join("tests/fixtures/parity/cases/frozen"));
}

/// Only the classifier learns.
#[test]
fn head_only() {
    check(&root().join("tests/fixtures/parity/cases/head-only"));
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
