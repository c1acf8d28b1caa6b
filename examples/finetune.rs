//! Fine-tunes a BERT classifier natively, from a checkpoint's folder to the prediction for one sentence: the library's
//! whole workflow in one function, [`finetune`], which nanoGPT's
//! [`train.py`](https://github.com/karpathy/nanoGPT/blob/master/train.py) is the model of.

use burn::module::Module;
use burn::tensor::Device;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::{env, error, fs};
use webtune::bert::{BertConfig, LoadLimits, WeightsLoader};
use webtune::data::train_test_split;
use webtune::evaluate::{Evaluation, probabilities};
use webtune::io::MemoryFile;
use webtune::settings::{RunSettings, Values};
use webtune::tokens::{Tokenizer, TokenizerFiles};
use webtune::train::{Event, StepLog, Trainer};

const USAGE: &str = "\
Usage: cargo run --example finetune -- MODEL_DIR SENTENCE [NAME=VALUE ...]

Fine-tunes the BERT checkpoint of MODEL_DIR on the toy reviews and classifies SENTENCE.

MODEL_DIR holds config.json, tokenizer.json or vocab.txt, and model.safetensors or model.fp16.safetensors.
NAME=VALUE changes a setting of src/settings/table.rs, for example num_train_epochs=1 or learning_rate=1e-4.";

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

/// What a run returns.
pub struct Outcome {
    /// The log of each optimizer step.
    pub logs: Vec<StepLog>,
    /// The evaluation at the end of each epoch.
    pub evaluations: Vec<Evaluation>,
    /// The probability of each label for the sentence, by label id.
    pub probabilities: Vec<f32>,
}

async fn finetune(folder: &Path, sentence: &str, settings: RunSettings) -> Result<Outcome> {
    // Text: the dataset, its split, and both parts as token ids.
    let RunSettings { max_length, .. } = settings;
    let dataset = settings.toy_dataset.generate();
    let split = train_test_split(&dataset, settings.split)?;
    let tokenizer = read_tokenizer(folder)?;
    let train = tokenizer.examples(&dataset, &split.train, max_length)?;
    let test = tokenizer.examples(&dataset, &split.test, max_length)?;

    // Network: the checkpoint's encoder with a new classifier, and the choice of the trainable parameters.
    let config = BertConfig::from_json(&read_text(folder, "config.json")?)?;
    let seed = settings.arguments.seed;
    let loader = WeightsLoader {
        config: &config,
        own_labels: dataset.labels.len(),
        num_labels: dataset.labels.len(),
        seed,
        device: &Device::flex().autodiff(),
        limits: LoadLimits::default(),
    };
    let (model, _) = loader.load(&mut read_weights(folder)?).await?;
    let model = model.with_pooling(settings.classifier_pooling);
    let model = settings.tuning.apply(model, seed)?;

    // Training: a step is one update of the parameters, or one batch of the evaluation at the end of an epoch.
    let options = settings.trainer_options(tokenizer.pad_token_id());
    let mut trainer = Trainer::new(model, train.into(), test.into(), options)?;
    let (mut logs, mut evaluations) = (Vec::new(), Vec::new());
    loop {
        match trainer.step().await? {
            Event::Step { logs: new, .. } => {
                for log in &new {
                    println!("step {}: loss {:.4}", log.step, log.loss);
                }
                logs.extend(new);
            }
            Event::Evaluating { .. } => {}
            Event::Evaluated(evaluation) | Event::FinalEvaluation(evaluation) => {
                let (accuracy, loss) = (evaluation.metrics.accuracy, evaluation.loss);
                println!("evaluation: accuracy {accuracy:.3}, loss {loss:.4}");
                evaluations.push(evaluation);
            }
            Event::Finished => break,
        }
    }

    // Prediction: the trained network on the device without autodiff, where dropout is off.
    let (model, pad) = (trainer.model()?.valid(), tokenizer.pad_token_id());
    let encoding = tokenizer.encode(sentence, max_length)?;
    let probabilities = probabilities(&model, &encoding, pad).await?;
    for (label, probability) in dataset.labels.iter().zip(&probabilities) {
        println!("{label}: {probability:.3}");
    }
    Ok(Outcome {
        logs,
        evaluations,
        probabilities,
    })
}

/// Runs the program with the arguments of its command line.
///
/// # Errors
/// A message for the terminal: the usage, a setting that is refused, a file that cannot be read, or a run that fails.
pub fn run(arguments: impl Iterator<Item = OsString>) -> Result<Outcome> {
    let arguments: Vec<String> = arguments
        .map(|argument| argument.into_string().map_err(|_| USAGE))
        .collect::<std::result::Result<_, _>>()?;
    let [folder, sentence, settings @ ..] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let mut values = Values::new();
    for setting in settings {
        let Some((name, value)) = setting.split_once('=') else {
            return Err(format!("{setting:?} is not NAME=VALUE.\n\n{USAGE}").into());
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        values.insert(name.into(), value);
    }
    let settings = RunSettings::from_values(&values)?;
    pollster::block_on(finetune(Path::new(folder), sentence, settings))
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    fs::read(&path).map_err(|error| format!("{} cannot be read: {error}.", path.display()).into())
}

fn read_text(folder: &Path, name: &str) -> Result<String> {
    let text = String::from_utf8(read(folder, name)?);
    text.map_err(|_| format!("{} is not UTF-8 text.", folder.join(name).display()).into())
}

fn read_tokenizer(folder: &Path) -> Result<Tokenizer> {
    let optional = |name: &str| match folder.join(name).exists() {
        true => read_text(folder, name).map(Some),
        false => Ok(None),
    };
    let vocab = optional("vocab.txt")?;
    let files = TokenizerFiles {
        tokenizer_json: match vocab {
            Some(_) => optional("tokenizer.json")?,
            None => Some(read_text(folder, "tokenizer.json")?),
        },
        vocab,
        tokenizer_config: optional("tokenizer_config.json")?,
        special_tokens_map: optional("special_tokens_map.json")?,
        added_tokens: optional("added_tokens.json")?,
        model_class: TokenizerFiles::class_of_model(&read_text(folder, "config.json")?),
    };
    Ok(files.load()?)
}

fn read_weights(folder: &Path) -> Result<MemoryFile> {
    let (full, half) = ("model.safetensors", "model.fp16.safetensors");
    let name = if folder.join(half).exists() && !folder.join(full).exists() {
        half
    } else {
        full
    };
    Ok(MemoryFile::new(name, read(folder, name)?))
}

fn main() -> ExitCode {
    match run(env::args_os().skip(1)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
