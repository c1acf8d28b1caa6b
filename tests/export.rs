//! The exported folder: it opens again as the same model, its files are those of a Hugging Face classifier, and its
//! `training_args.json` is the same run. What transformers makes of it, `cargo xtask parity` asks transformers.

mod common;

use burn::module::Module;
use burn::tensor::Device;
use common::{parameters, random_model, tiny_config};
use pollster::block_on;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use webtune::bert::{
    BertConfig, BertForSequenceClassification, LoadLimits, LoadReport, WeightsLoader,
};
use webtune::evaluate::{Evaluation, evaluate};
use webtune::export::{Card, Folder, History};
use webtune::hub::MemoryFile;
use webtune::settings::{RunSettings, SETTINGS, Values};
use webtune::tokens::{Tokenizer, VocabSettings};
use webtune::train::{Event, Example, StepLog, Trainer, TrainerOptions};
use webtune::{Error, Result};

const FILES: [&str; 9] = [
    "README.md",
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "trainer_state.json",
    "training_args.json",
    "vocab.txt",
];

/// A vocabulary of the tiny network's size.
fn tokenizer() -> Tokenizer {
    let words = "good bad film coffee love hate never again great awful the a is was";
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let mut vocab: Vec<String> = special
        .into_iter()
        .chain(words.split(' '))
        .map(String::from)
        .collect();
    vocab.extend((vocab.len()..tiny_config().vocab_size).map(|id| format!("##{id}")));
    Tokenizer::from_vocab(&vocab.join("\n"), &VocabSettings::default()).unwrap()
}

/// The base model's `config.json`, with dropouts.
fn base_config() -> String {
    let config = BertConfig {
        hidden_dropout_prob: 0.1,
        attention_probs_dropout_prob: 0.1,
        classifier_dropout: None,
        ..tiny_config()
    };
    let mut value = serde_json::to_value(config).unwrap();
    value["transformers_version"] = json!("4.8.2");
    value.to_string()
}

fn settings() -> Values {
    Values::from_iter([
        ("num_train_epochs".to_string(), json!(2)),
        ("per_device_train_batch_size".to_string(), json!(3)),
        // Of 17 digits: read back with one bit less it would be another run.
        ("learning_rate".to_string(), json!(0.0024000000000000002)),
        ("max_length".to_string(), json!(8)),
        ("seed".to_string(), json!(7)),
    ])
}

fn labels() -> Vec<String> {
    vec!["bad".into(), "good | great".into()]
}

struct Run {
    values: Values,
    trainer: Trainer,
    options: TrainerOptions,
    logs: Vec<StepLog>,
    history: History,
    last: Evaluation,
    test: Vec<Example>,
}

/// A short run with these settings, dropouts and shuffling included.
fn run(values: &Values) -> Run {
    let tokenizer = tokenizer();
    let settings = RunSettings::from_values(values).unwrap();
    let example = |text: &str, label| Example {
        encoding: tokenizer.encode(text, settings.max_length).unwrap(),
        label,
    };
    let train = vec![
        example("the film was good", 1),
        example("never again", 0),
        example("love the coffee", 1),
        example("awful awful awful coffee, the film is bad again", 0),
        example("great", 1),
        example("hate a film", 0),
        example("a good coffee again", 1),
        example("is the film bad", 0),
    ];
    let test = vec![example("good film", 1), example("bad coffee", 0)];
    let options = TrainerOptions {
        arguments: settings.arguments,
        padding: settings.padding,
        max_length: settings.max_length,
        pad_token_id: tokenizer.pad_token_id(),
        shuffle: true,
    };
    let config = BertConfig::from_json(&base_config()).unwrap();
    let mut history = History::new(&options.arguments, train.len());
    let model = settings.tuning.apply(random_model(&config, 2, 50), 4);
    let model = model.unwrap();
    let mut trainer = Trainer::new(model, train, test.clone(), options.clone()).unwrap();
    let (mut logs, mut last) = (Vec::new(), None);
    loop {
        match block_on(trainer.step(&mut |_, _| ())).unwrap() {
            Event::Step { logs: read, .. } => {
                history.steps(&read);
                logs.extend(read);
            }
            Event::Evaluated(evaluation) => {
                history.evaluated(&evaluation, 0.5);
                last = Some(evaluation);
            }
            Event::Finished => break,
        }
    }
    history.finished(&trainer, 2.0).unwrap();
    Run {
        values: values.clone(),
        trainer,
        options,
        logs,
        history,
        last: last.unwrap(),
        test,
    }
}

fn write(run: &Run, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let (tokenizer, labels) = (tokenizer(), labels());
    let card = Card {
        name: "good or bad",
        base_model: "someone/tiny-bert",
        license: "Apache-2.0",
        language: Some("en"),
        dataset: "Eight sentences about films and coffee",
        train_label_counts: &[4, 4],
        test_label_counts: &[1, 1],
        evaluation: Some(&run.last),
    };
    let folder = Folder {
        model: run.trainer.model().unwrap(),
        config: &base_config(),
        tokenizer: &tokenizer,
        labels: &labels,
        settings: &run.values,
        history: &run.history,
        card: &card,
    };
    block_on(folder.write(sink)).map(drop)
}

fn archive(run: &Run) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(run, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })
    .unwrap();
    bytes
}

fn unzip(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    let read = |name: String| {
        let mut bytes = Vec::new();
        archive
            .by_name(&name)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        (name, bytes)
    };
    names.into_iter().map(read).collect()
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

fn parsed(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

/// The model of the folder's own `config.json` and weights.
fn opened(files: &BTreeMap<String, Vec<u8>>) -> (BertForSequenceClassification, LoadReport) {
    let config = BertConfig::from_json(&text(files, "config.json")).unwrap();
    // Another seed and no head: what the file does not have would be noticed.
    let loader = WeightsLoader {
        config: &config,
        num_labels: 2,
        seed: 99,
        device: &Device::flex(),
        limits: LoadLimits::default(),
    };
    let weights = files["model.safetensors"].clone();
    block_on(loader.load(&mut MemoryFile::new("x", weights))).unwrap()
}

fn logits(model: &BertForSequenceClassification, run: &Run) -> Vec<Vec<f32>> {
    let evaluation = block_on(evaluate(
        &model.valid(),
        &run.test,
        &run.options,
        &mut |_, _| (),
    ));
    evaluation.unwrap().logits
}

#[test]
fn the_folder_opens_again_as_the_same_model() {
    let run = run(&settings());
    let files = unzip(&archive(&run));
    assert_eq!(files.keys().collect::<Vec<_>>(), FILES);

    let config = BertConfig::from_json(&text(&files, "config.json")).unwrap();
    assert_eq!(config, BertConfig::from_json(&base_config()).unwrap());
    let (model, report) = opened(&files);
    assert!(report.has_classifier);
    assert_eq!((report.dtype.as_str(), report.tensors), ("F32", 41));
    let trained = run.trainer.model().unwrap();
    assert_eq!(parameters(&model), parameters(trained));
    assert_eq!(logits(&model, &run), logits(trained, &run));
}

/// PEFT itself opens this folder in `cargo xtask parity`.
#[test]
fn adapters_are_merged_and_by_themselves() {
    let mut values = settings();
    for (name, value) in [
        ("tuning", json!("lora")),
        ("lora_r", json!(3)),
        ("lora_alpha", json!(6)),
        ("learning_rate", json!(0.01)),
    ] {
        values.insert(name.into(), value);
    }
    let run = run(&values);
    let files = unzip(&archive(&run));
    assert_eq!(files.len(), FILES.len() + 2);
    let config = parsed(&files, "adapter/adapter_config.json");
    for (name, value) in [
        ("peft_type", json!("LORA")),
        ("base_model_name_or_path", json!("someone/tiny-bert")),
        ("r", json!(3)),
        ("lora_alpha", json!(6)),
        ("target_modules", json!(["query", "value"])),
        ("task_type", json!("SEQ_CLS")),
    ] {
        assert_eq!(config[name], value, "{name}");
    }
    let adapter = &files["adapter/adapter_model.safetensors"];
    let adapter = safetensors::SafeTensors::deserialize(adapter).unwrap();
    // Two layers, query and value, two matrices, and the classifier.
    assert_eq!(adapter.len(), 2 * 2 * 2 + 2);
    let trained = run.trainer.model().unwrap();
    let named = trained.adapter_parameters().into_iter();
    for one in named.chain(trained.classifier_parameters()) {
        let values = block_on(one.read()).unwrap();
        let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        let found = adapter.tensor(&one.name).unwrap();
        assert_eq!((found.shape(), found.data()), (&*one.shape, &*bytes));
    }
    let (model, _) = opened(&files);
    let (found, expected) = (logits(&model, &run), logits(trained, &run));
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    assert!(text(&files, "README.md").contains("AutoPeftModelForSequenceClassification"));
}

#[test]
fn weights_have_the_names_and_header_of_a_checkpoint() {
    let run = run(&settings());
    let files = unzip(&archive(&run));
    let bytes = &files["model.safetensors"];
    let (header, metadata) = safetensors::SafeTensors::read_metadata(bytes).unwrap();
    assert_eq!((header + 8) % 8, 0);
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let found: BTreeMap<String, Vec<usize>> = file
        .iter()
        .map(|(name, tensor)| (name.to_string(), tensor.shape().to_vec()))
        .collect();
    let named = run.trainer.model().unwrap().named_parameters().into_iter();
    let expected: BTreeMap<_, _> = named.map(|one| (one.name, one.shape)).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_tokenizer_opens_again_from_each_of_its_files() {
    let files = unzip(&archive(&run(&settings())));
    let texts = [
        "Good film!",
        "[MASK] [SEP] nothing known",
        "",
        "the ##20 awful",
    ];
    let ids = |tokenizer: &Tokenizer| texts.map(|text| tokenizer.encode(text, 16).unwrap());
    let expected = ids(&tokenizer());
    assert_eq!(
        ids(&Tokenizer::from_json(&text(&files, "tokenizer.json")).unwrap()),
        expected
    );
    assert_eq!(
        ids(&Tokenizer::from_vocab(&text(&files, "vocab.txt"), &VocabSettings::default()).unwrap()),
        expected
    );
    let config = parsed(&files, "tokenizer_config.json");
    assert_eq!(config["tokenizer_class"], "BertTokenizer");
    assert_eq!(config["do_lower_case"], true);
    assert_eq!(config["model_max_length"], 32);
}

#[test]
fn the_arguments_are_the_same_run() {
    let first = run(&settings());
    let files = unzip(&archive(&first));
    let Value::Object(arguments) = parsed(&files, "training_args.json") else {
        panic!("training_args.json is no object");
    };
    assert_eq!(arguments.len(), SETTINGS.len());
    let again = run(&arguments);
    assert_eq!(again.logs, first.logs);
    let weights = |run: &Run| parameters(run.trainer.model().unwrap());
    assert_eq!(weights(&again), weights(&first));
    // And the same run is the same archive, to the last byte.
    assert_eq!(archive(&again), archive(&first));
}

#[test]
fn the_history_is_the_trainers() {
    let run = run(&settings());
    let files = unzip(&archive(&run));
    let state = parsed(&files, "trainer_state.json");
    assert_eq!(
        state,
        serde_json::from_str::<Value>(&run.history.trainer_state().to_string()).unwrap()
    );
    let log = run.history.log();
    // Three updates and an evaluation, twice, and the summary.
    assert_eq!(log.len(), 9);
    for (entry, step) in [0, 1, 2, 4, 5, 6]
        .map(|at| &log[at])
        .into_iter()
        .zip(&run.logs)
    {
        assert_eq!(entry, &json!(step));
    }
    assert_eq!(log[7]["eval_loss"], run.last.loss);
    assert_eq!(log[7]["eval_samples_per_second"], 4.0);
    let summary = &log[8];
    assert_eq!(
        (
            &summary["train_samples_per_second"],
            &summary["train_steps_per_second"]
        ),
        (&json!(8.0), &json!(3.0))
    );
    assert_eq!(summary["train_loss"], run.trainer.train_loss());
    assert_eq!(
        (&state["global_step"], &state["max_steps"]),
        (&json!(6), &json!(6))
    );
    assert_eq!(state["best_model_checkpoint"], Value::Null);
}

#[test]
fn the_card_says_what_it_is() {
    let run = run(&settings());
    let files = unzip(&archive(&run));
    let card = text(&files, "README.md");
    let (matter, body) = card
        .strip_prefix("---\n")
        .unwrap()
        .split_once("\n---\n")
        .unwrap();
    for line in [
        "license: \"apache-2.0\"",
        "base_model: \"someone/tiny-bert\"",
        "pipeline_tag: text-classification",
        "language: \"en\"",
        &format!("      value: {}", run.last.metrics.accuracy),
    ] {
        assert!(
            matter.lines().any(|found| found == line),
            "{line} in\n{matter}"
        );
    }
    for line in [
        "| bad | 4 | 1 |",
        "| good \\| great | 4 | 1 |",
        "| all | 8 | 2 |",
        "| `seed` | 7 |",
        "These weights are derived from `someone/tiny-bert`, whose licence is Apache-2.0.",
        "6 updates of AdamW.",
    ] {
        assert!(
            body.lines().any(|found| found.starts_with(line)),
            "{line} in\n{body}"
        );
    }
}

#[test]
fn a_sink_that_fails_ends_the_export() {
    let full = Error::Export("the disk is full.".into());
    let error = write(&run(&settings()), &mut |_| Err(full.clone())).unwrap_err();
    assert_eq!(error, full);
}
