//! A short run of the tiny network, its exported folder, and the reading of such a folder.

use crate::common::{random_model, tiny_config};
use burn::module::Module;
use burn::tensor::Device;
use pollster::block_on;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use webtune::Result;
use webtune::bert::{
    BertConfig, BertForSequenceClassification, LoadLimits, LoadReport, WeightsLoader,
};
use webtune::data::Row;
use webtune::evaluate::{Evaluation, evaluate};
use webtune::export::{Card, ExportPart, Folder, RunRows};
use webtune::io::MemoryFile;
use webtune::settings::{RunSettings, Values};
use webtune::tokens::{Example, Tokenizer, VocabSettings};
use webtune::train::{Event, History, StepLog, Trainer, TrainerOptions};

/// A vocabulary of the tiny network's size.
pub fn tokenizer() -> Tokenizer {
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
pub fn base_config() -> String {
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

pub fn settings() -> Values {
    Values::from_iter([
        ("num_train_epochs".to_string(), json!(2)),
        ("per_device_train_batch_size".to_string(), json!(3)),
        // 17 digits: parsed with one bit less, it would give another run.
        ("learning_rate".to_string(), json!(0.0024000000000000002)),
        ("max_length".to_string(), json!(8)),
        ("seed".to_string(), json!(7)),
    ])
}

pub fn labels() -> Vec<String> {
    vec!["bad".into(), "good | great".into()]
}

fn row((text, label): (&str, usize)) -> Row {
    let text = text.into();
    Row { text, label }
}

pub fn train_rows() -> Vec<Row> {
    [
        ("the film was good", 1),
        ("never again", 0),
        ("love the coffee", 1),
        ("awful awful awful coffee, the film is bad again", 0),
        ("great", 1),
        ("hate a film", 0),
        ("a good coffee again", 1),
        ("is the film bad", 0),
    ]
    .map(row)
    .to_vec()
}

pub fn test_rows() -> Vec<Row> {
    [("good film", 1), ("bad coffee", 0)].map(row).to_vec()
}

pub struct Run {
    pub values: Values,
    pub initial: BertForSequenceClassification,
    pub trainer: Trainer,
    pub options: TrainerOptions,
    pub logs: Vec<StepLog>,
    pub history: History,
    pub last: Evaluation,
    pub test: Vec<Example>,
}

/// A short run with these settings, dropout and shuffling.
pub fn run(values: &Values) -> Run {
    let tokenizer = tokenizer();
    let settings = RunSettings::from_values(values).unwrap();
    let example = |text: &str, label| Example {
        encoding: tokenizer.encode(text, settings.max_length).unwrap(),
        label,
    };
    let examples = |rows: &[Row]| -> Vec<Example> {
        let rows = rows.iter().map(|row| example(&row.text, row.label));
        rows.collect()
    };
    let (train, test) = (examples(&train_rows()), examples(&test_rows()));
    let options = settings.trainer_options(tokenizer.pad_token_id());
    let config = BertConfig::from_json(&base_config()).unwrap();
    let mut history = History::new(&options.arguments, train.len());
    let model = random_model(&config, 2, 50).with_pooling(settings.classifier_pooling);
    let model = settings.tuning.apply(model, 4).unwrap();
    let initial = model.clone();
    let mut trainer =
        Trainer::new(model, train.into(), test.clone().into(), options.clone()).unwrap();
    let (mut logs, mut last) = (Vec::new(), None);
    loop {
        match block_on(trainer.step()).unwrap() {
            Event::Step { logs: read, .. } => {
                history.steps(&read);
                logs.extend(read);
            }
            Event::Evaluating { .. } => {}
            Event::Evaluated(evaluation) => {
                history.evaluated(&evaluation, 0.5);
                last = Some(evaluation);
            }
            Event::FinalEvaluation(evaluation) => {
                history.evaluated_at_end(&evaluation, 0.5);
                last = Some(evaluation);
            }
            Event::Finished => break,
        }
    }
    history.finished(&trainer, 2.0).unwrap();
    Run {
        values: values.clone(),
        initial,
        trainer,
        options,
        logs,
        history,
        last: last.unwrap(),
        test,
    }
}

/// Has `use_folder` make something of the run's folder.
pub fn with_folder<T>(
    run: &Run,
    base_has_pooler: bool,
    use_folder: impl FnOnce(&Folder<'_>) -> T,
) -> T {
    let (tokenizer, labels, config) = (tokenizer(), labels(), base_config());
    let (train, test) = (train_rows(), test_rows());
    let (train, test): (Vec<&Row>, Vec<&Row>) = (train.iter().collect(), test.iter().collect());
    let folder = Folder {
        model: &run.trainer.model().unwrap(),
        initial: &run.initial,
        config: &config,
        base_has_pooler,
        tokenizer: &tokenizer,
        labels: &labels,
        rows: RunRows {
            train: &train,
            validation: &[],
            test: &test,
        },
        settings: &run.values,
        history: &run.history,
        has_checkpoints: false,
        card: Card {
            name: "good or bad",
            base_model: "someone/tiny-bert",
            license: "Apache-2.0",
            language: Some("en"),
            dataset: "Eight sentences about films and coffee",
            evaluation: Some(&run.last),
            baselines: &[],
            findings: None,
        },
    };
    use_folder(&folder)
}

/// Writes the model, and the adapters if there are any.
pub fn write(run: &Run, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    with_folder(run, true, |folder| {
        let parts = match folder.unavailable(ExportPart::Adapter) {
            None => vec![ExportPart::Model, ExportPart::Adapter],
            Some(_) => vec![ExportPart::Model],
        };
        block_on(folder.write(&parts, sink))
    })
}

/// The archive of the model and the chosen parts.
pub fn archive_of(run: &Run, parts: &[ExportPart], base_has_pooler: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    with_folder(run, base_has_pooler, |folder| {
        block_on(folder.write(parts, &mut |piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        }))
    })
    .unwrap();
    bytes
}

pub fn archive(run: &Run) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(run, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })
    .unwrap();
    bytes
}

pub fn unzip(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
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

pub fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

pub fn parsed(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

/// The model of the folder's `config.json` and weights.
pub fn opened(files: &BTreeMap<String, Vec<u8>>) -> (BertForSequenceClassification, LoadReport) {
    let config = BertConfig::from_json(&text(files, "config.json")).unwrap();
    // The seed differs: a parameter that the file lacks would have other values.
    let loader = WeightsLoader {
        config: &config,
        own_labels: 2,
        num_labels: 2,
        seed: 99,
        device: &Device::flex(),
        limits: LoadLimits::default(),
    };
    let weights = files["model.safetensors"].clone();
    block_on(loader.load(&mut MemoryFile::new("x", weights))).unwrap()
}

pub fn logits(model: &BertForSequenceClassification, run: &Run) -> Vec<Vec<f32>> {
    let evaluation = block_on(evaluate(
        &model.valid(),
        &run.test,
        &run.options.evaluation(),
        &mut |_, _| (),
    ));
    evaluation.unwrap().logits
}
