//! The exported folder: it loads as the same model, has the files of a Hugging Face classifier, and its
//! `training_args.json` gives the same run. `cargo xtask parity` loads it in transformers.

#[path = "../common/mod.rs"]
mod common;
mod fixture;
mod parts;

use common::{parameters, random_model};
use fixture::{
    Run, archive, base_config, logits, opened, parsed, run, settings, text, tokenizer, unzip, write,
};
use pollster::block_on;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use webtune::Error;
use webtune::bert::{BertConfig, ClassifierPooling};
use webtune::settings::SETTINGS;
use webtune::tokens::{Tokenizer, VocabSettings};

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

#[test]
fn the_folder_loads_as_the_same_model() {
    let run = run(&settings());
    let files = unzip(&archive(&run));
    assert_eq!(files.keys().collect::<Vec<_>>(), FILES);

    let config = BertConfig::from_json(&text(&files, "config.json")).unwrap();
    assert_eq!(config, BertConfig::from_json(&base_config()).unwrap());
    let (model, report) = opened(&files);
    assert!(report.has_classifier);
    assert_eq!((report.dtype.as_str(), report.tensors), ("F32", 41));
    let trained = run.trainer.model().unwrap();
    assert_eq!(parameters(&model), parameters(&trained));
    assert_eq!(logits(&model, &run), logits(&trained, &run));
}

#[test]
fn a_folder_with_mean_pooling_loads_as_the_same_model() {
    let mut values = settings();
    values.insert("classifier_pooling".into(), json!("mean"));
    let run = run(&values);
    let files = unzip(&archive(&run));
    assert_eq!(parsed(&files, "config.json")["classifier_pooling"], "mean");
    let (model, _) = opened(&files);
    let trained = run.trainer.model().unwrap();
    assert_eq!(logits(&model, &run), logits(&trained, &run));
    let cls = model.with_pooling(ClassifierPooling::Cls);
    assert_ne!(logits(&cls, &run), logits(&trained, &run));
    // Nothing reads the pooler: it stays as it was.
    let before = parameters(&random_model(
        &BertConfig::from_json(&base_config()).unwrap(),
        2,
        50,
    ));
    let after = parameters(&trained);
    for (name, values) in &before {
        assert_eq!(&after[name] == values, name.contains("pooler"), "{name}");
    }
    let card = text(&files, "README.md");
    assert!(card.contains("class MeanPooledBert(BertForSequenceClassification)"));
}

/// `cargo xtask parity` loads this folder in PEFT.
#[test]
fn adapters_are_exported_merged_and_alone() {
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
    let (found, expected) = (logits(&model, &run), logits(&trained, &run));
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
fn the_tokenizer_loads_from_each_of_its_files() {
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
fn the_arguments_give_the_same_run() {
    let first = run(&settings());
    let files = unzip(&archive(&first));
    let Value::Object(arguments) = parsed(&files, "training_args.json") else {
        panic!("training_args.json is no object");
    };
    assert_eq!(arguments.len(), SETTINGS.len());
    let again = run(&arguments);
    assert_eq!(again.logs, first.logs);
    let weights = |run: &Run| parameters(&run.trainer.model().unwrap());
    assert_eq!(weights(&again), weights(&first));
    // The same run gives the same archive, byte by byte.
    assert_eq!(archive(&again), archive(&first));
}

#[test]
fn the_history_has_the_entries_of_the_run() {
    let run = run(&settings());
    let files = unzip(&archive(&run));
    let state = parsed(&files, "trainer_state.json");
    assert_eq!(
        state,
        serde_json::to_value(run.history.trainer_state()).unwrap()
    );
    let log = state["log_history"].as_array().unwrap();
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
fn the_card_describes_the_model() {
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
fn an_error_of_the_sink_ends_the_export() {
    let full = Error::Export("the disk is full.".into());
    let error = write(&run(&settings()), &mut |_| Err(full.clone())).unwrap_err();
    assert_eq!(error, full);
}
