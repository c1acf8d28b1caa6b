//! Shared helpers of the training tests: a tiny BERT, rows for it, complete runs, and parameters by name.
#![allow(dead_code, reason = "each test file uses its own part")]

use burn::tensor::Device;
use pollster::block_on;
use std::collections::BTreeMap;
use webtune::bert::{
    BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader, random_checkpoint,
};
use webtune::evaluate::Evaluation;
use webtune::io::MemoryFile;
use webtune::random::TorchGenerator;
use webtune::tokens::{DataCollator, Encoding, Example};
use webtune::train::{Event, StepLog, Trainer, TrainerOptions, TrainingArguments};

/// Size of the tiny network's vocabulary.
pub const VOCAB_SIZE: usize = 40;

/// Returns a network of two layers of width 16 without dropout. Its weights are large enough for every parameter to
/// have a significant gradient.
pub fn tiny_config() -> BertConfig {
    BertConfig {
        vocab_size: VOCAB_SIZE,
        hidden_size: 16,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 24,
        max_position_embeddings: 32,
        initializer_range: 0.3,
        ..BertConfig::default()
    }
    .without_dropout()
}

/// Returns a trainable network with random weights and a random head with nonzero biases, on the CPU device.
pub fn random_model(
    config: &BertConfig,
    num_labels: usize,
    seed: u32,
) -> BertForSequenceClassification {
    let checkpoint = random_checkpoint(config, seed).unwrap();
    let mut generator = TorchGenerator::new(seed + 1);
    let std = config.initializer_range as f32;
    let weight = generator.normal(num_labels * config.hidden_size, std);
    let bias = generator.normal(num_labels, std);
    load(config, num_labels, checkpoint)
        .with_head(weight, bias)
        .unwrap()
}

/// Loads a trainable network from the bytes of a safetensors file, on the CPU device.
pub fn load(
    config: &BertConfig,
    num_labels: usize,
    checkpoint: Vec<u8>,
) -> BertForSequenceClassification {
    let device = Device::flex().autodiff();
    let loader = WeightsLoader {
        config,
        own_labels: num_labels,
        num_labels,
        seed: 0,
        device: &device,
        limits: LoadLimits::default(),
    };
    let mut file = MemoryFile::new("model.safetensors", checkpoint);
    block_on(loader.load(&mut file)).unwrap().0
}

/// Returns the values of every parameter by its checkpoint name.
pub fn parameters(model: &BertForSequenceClassification) -> BTreeMap<String, Vec<f32>> {
    model
        .named_parameters()
        .into_iter()
        .map(|parameter| {
            let values = block_on(parameter.read()).unwrap();
            (parameter.name, values)
        })
        .collect()
}

/// Returns rows of 3 to 17 tokens. The second token determines the label.
pub fn rows(count: usize, num_labels: usize, seed: u32) -> Vec<Example> {
    let mut generator = TorchGenerator::new(seed);
    let mut below = |limit: usize| generator.randperm(limit)[0];
    (0..count)
        .map(|_| {
            let length = 3 + below(15);
            let input_ids: Vec<u32> = (0..length).map(|_| below(VOCAB_SIZE) as u32).collect();
            Example {
                label: input_ids[1] as usize % num_labels,
                encoding: Encoding {
                    input_ids,
                    truncated: false,
                },
            }
        })
        .collect()
}

/// Returns options for [`rows`], without shuffling.
pub fn options(arguments: TrainingArguments) -> TrainerOptions {
    TrainerOptions {
        arguments,
        collator: DataCollator::longest(32, 0),
        shuffle: false,
    }
}

/// The result of a run.
pub struct Run {
    pub logs: Vec<StepLog>,
    /// Each with the number of updates before it.
    pub evaluations: Vec<(usize, Evaluation)>,
    /// The evaluation of the weights that it ends with, if they are evaluated once more.
    pub last: Option<Evaluation>,
    pub trainer: Trainer,
}

/// Trains a network until the run is finished.
pub fn train(
    model: BertForSequenceClassification,
    train: Vec<Example>,
    eval: Vec<Example>,
    options: TrainerOptions,
) -> Run {
    let mut trainer = Trainer::new(model, train.into(), eval.into(), options).unwrap();
    let (mut logs, mut evaluations, mut last) = (Vec::new(), Vec::new(), None);
    loop {
        match block_on(trainer.step()).unwrap() {
            Event::Step { logs: read, .. } => logs.extend(read),
            Event::Evaluating { .. } => {}
            Event::Evaluated(evaluation) => {
                evaluations.push((trainer.state().global_step, evaluation));
            }
            Event::FinalEvaluation(evaluation) => last = Some(evaluation),
            Event::Finished => break,
        }
    }
    Run {
        logs,
        evaluations,
        last,
        trainer,
    }
}
