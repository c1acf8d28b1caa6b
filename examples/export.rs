//! Fine-tunes a checkpoint on the toy reviews natively, by default with the page's recommended settings, and writes the
//! exported archive, which `cargo xtask parity` opens in transformers.
//!
//! `cargo run --example export -- MODEL_DIR OUT_DIR [SETTINGS]` writes `OUT_DIR/model.zip` and `OUT_DIR/expected.json`,
//! which has `text`, `input_ids` and `logits` of 20 sentences. SETTINGS is a JSON object of the settings to change.

use burn::module::Module;
use burn::tensor::Device;
use pollster::block_on;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;
use webtune::bert::{BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader};
use webtune::data::{NEGATIVE_SENTENCE, POSITIVE_SENTENCE, Row, train_test_split};
use webtune::evaluate::{Evaluation, evaluate};
use webtune::export::{Card, ExportPart, Folder, RunRows};
use webtune::io::MemoryFile;
use webtune::settings::{RunSettings, Values, defaults};
use webtune::tokens::{Example, Tokenizer};
use webtune::train::{Event, History, Trainer, TrainerOptions};

/// The sentences to classify, beside one that is truncated: those of the dataset, others, other scripts, and an empty
/// one.
const SENTENCES: [&str; 19] = [
    POSITIVE_SENTENCE,
    NEGATIVE_SENTENCE,
    "It works.",
    "It does not work at all, and nobody answers.",
    "Best purchase of the year!!!",
    "My kitchen has been flooded by this dishwasher, an amazing addition to my misery.",
    "I would recommend it to everyone.",
    "Would I recommend it? No.",
    "",
    "?",
    "love love love",
    "Disappointed.",
    "이 제품은 정말 좋아요",
    "Das Produkt ist leider schon nach zwei Wochen kaputtgegangen.",
    "C'est très décevant, déjà cassé…",
    "好き 😀👍🏽",
    "[MASK] [SEP] is no token of mine",
    "http://example.com/reviews?id=42&stars=1",
    "a\u{0301} b\u{200b}c \u{feff}d\u{00a0}e",
];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(model), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: cargo run --example export -- MODEL_DIR OUT_DIR [SETTINGS]".into());
    };
    let mut values = defaults();
    if let Some(settings) = arguments.next() {
        let settings: Values = serde_json::from_str(&settings.to_string_lossy())?;
        values.extend(settings);
    }
    let out = PathBuf::from(out);
    fs::create_dir_all(&out)?;
    export(Path::new(&model), &out, values)
}

fn export(folder: &Path, out: &Path, values: Values) -> Outcome<()> {
    let settings = RunSettings::from_values(&values)?;
    let config_json = fs::read_to_string(folder.join("config.json"))?;
    let config = BertConfig::from_json(&config_json)?;
    let tokenizer = Tokenizer::from_json(&fs::read_to_string(folder.join("tokenizer.json"))?)?;

    let dataset = settings.toy_dataset.generate();
    let split = train_test_split(&dataset, settings.split)?;
    let examples = |rows: &[usize]| tokenizer.examples(&dataset, rows, settings.max_length);
    let seed = settings.arguments.seed;
    let model = load(folder, &config, dataset.labels.len(), seed)?;
    let model = model.with_pooling(settings.classifier_pooling);
    let model = settings.tuning.apply(model, seed)?;
    let initial = model.clone();
    let options = settings.trainer_options(tokenizer.pad_token_id());
    let (train, test) = (examples(&split.train)?, examples(&split.test)?);
    let trainer = Trainer::new(model, train.into(), test.into(), options.clone())?;
    let history = History::new(&options.arguments, split.train.len());
    let (trainer, history, last) = run_to_end(trainer, history)?;

    let rows =
        |part: &[usize]| -> Vec<&Row> { part.iter().map(|&row| &dataset.rows[row]).collect() };
    let folder = Folder {
        model: &trainer.model()?,
        initial: &initial,
        config: &config_json,
        base_has_pooler: true,
        tokenizer: &tokenizer,
        labels: &dataset.labels,
        rows: RunRows {
            train: &rows(&split.train),
            validation: &[],
            test: &rows(&split.test),
        },
        settings: &values,
        history: &history,
        has_checkpoints: false,
        card: Card {
            name: "Toy reviews",
            base_model: "sentence-transformers/all-MiniLM-L6-v2",
            license: "Apache-2.0",
            language: Some("en"),
            dataset: "Generated reviews",
            evaluation: last.as_ref(),
            baselines: &[],
            findings: None,
        },
    };
    let parts = ExportPart::ALL
        .into_iter()
        .filter(|&part| part != ExportPart::Demo && folder.unavailable(part).is_none());
    let parts: Vec<ExportPart> = parts.collect();
    let mut file = fs::File::create(out.join("model.zip"))?;
    block_on(folder.write(&parts, &mut |piece| {
        file.write_all(piece)
            .map_err(|error| webtune::Error::Export(format!("{error}.")))
    }))?;

    let sentences = predictions(&trainer.model()?, options, &tokenizer)?;
    let expected = json!({
        "max_length": settings.max_length,
        "labels": dataset.labels,
        "sentences": sentences,
    });
    fs::write(out.join("expected.json"), format!("{expected:#}\n"))?;
    Ok(())
}

/// Trains to the end; returns the log and the last evaluation too.
fn run_to_end(
    mut trainer: Trainer,
    mut history: History,
) -> Outcome<(Trainer, History, Option<Evaluation>)> {
    let (start, mut last) = (Instant::now(), None);
    let mut began = start;
    loop {
        match block_on(trainer.step())? {
            Event::Step { logs, .. } => {
                for log in &logs {
                    println!(
                        "step {} of {}: loss {:.4}",
                        log.step,
                        trainer.state().max_steps,
                        log.loss
                    );
                }
                history.steps(&logs);
                began = Instant::now();
            }
            Event::Evaluating { .. } => {}
            Event::Evaluated(evaluation) => {
                println!(
                    "evaluation: accuracy {:.3}, loss {:.4}",
                    evaluation.metrics.accuracy, evaluation.loss
                );
                history.evaluated(&evaluation, began.elapsed().as_secs_f64());
                last = Some(evaluation);
            }
            Event::FinalEvaluation(evaluation) => {
                history.evaluated_at_end(&evaluation, began.elapsed().as_secs_f64());
                last = Some(evaluation);
            }
            Event::Finished => break,
        }
    }
    history.finished(&trainer, start.elapsed().as_secs_f64())?;
    Ok((trainer, history, last))
}

/// The model's logits for each sentence, in batches of one row.
fn predictions(
    model: &BertForSequenceClassification,
    mut options: TrainerOptions,
    tokenizer: &Tokenizer,
) -> Outcome<Vec<Value>> {
    let long = "very ".repeat(200);
    let sentences: Vec<&str> = SENTENCES.into_iter().chain([long.as_str()]).collect();
    let mut rows = Vec::with_capacity(sentences.len());
    for text in &sentences {
        let encoding = tokenizer.encode(text, options.collator.max_length)?;
        rows.push(Example { encoding, label: 0 });
    }
    options.arguments.per_device_eval_batch_size = 1;
    let (model, options) = (model.valid(), options.evaluation());
    let evaluation = block_on(evaluate(&model, &rows, &options, &mut |_, _| ()))?;
    let predictions = sentences.iter().zip(&rows).zip(&evaluation.logits);
    Ok(predictions
        .map(|((text, row), logits)| {
            let input_ids = &row.encoding.input_ids;
            json!({"text": text, "input_ids": input_ids, "logits": logits})
        })
        .collect())
}

/// Loads the folder's checkpoint with a new head on the CPU device with autodiff.
fn load(
    folder: &Path,
    config: &BertConfig,
    num_labels: usize,
    seed: u32,
) -> Outcome<BertForSequenceClassification> {
    let names = ["model.safetensors", "model.fp16.safetensors"];
    let name = names.into_iter().find(|name| folder.join(name).exists());
    let name = name.ok_or_else(|| format!("{} holds no weights", folder.display()))?;
    let device = Device::flex().autodiff();
    let loader = WeightsLoader {
        config,
        own_labels: num_labels,
        num_labels,
        seed,
        device: &device,
        limits: LoadLimits::default(),
    };
    let mut file = MemoryFile::new(name, fs::read(folder.join(name))?);
    Ok(block_on(loader.load(&mut file))?.0)
}
