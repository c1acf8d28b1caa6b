//! What the tests of training share: a tiny BERT, rows for it, a run to its end, and parameters by name.
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

/// Rows of the tiny network's vocabulary.
pub const VOCAB_SIZE: usize = 40;

/// A network of two layers of 16, without dropouts, whose weights are large enough for gradients of every parameter to matter.
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

/// A network with random weights and a random head whose biases are not 0, ready to be trained on the CPU device.
pub fn random_model(
    config: &BertConfig,
    num_labels: usize,
    seed: u32,
) -> BertForSequenceClassification {
    let checkpoint = random_checkpoint(config, seed).unwrap();
    let mut draw = TorchGenerator::new(seed + 1);
    let std = config.initializer_range as f32;
    let weight = draw.normal(num_labels * config.hidden_size, std);
    let bias = draw.normal(num_labels, std);
    load(config, num_labels, checkpoint)
        .with_head(weight, bias)
        .unwrap()
}

/// A network from the bytes of a safetensors file, ready to be trained on the CPU device.
pub fn load(
    config: &BertConfig,
    num_labels: usize,
    checkpoint: Vec<u8>,
) -> BertForSequenceClassification {
    let device = Device::flex().autodiff();
    let loader = WeightsLoader {
        config,
        num_labels,
        seed: 0,
        device: &device,
        limits: LoadLimits::default(),
    };
    let mut file = MemoryFile::new("model.safetensors", checkpoint);
    block_on(loader.load(&mut file)).unwrap().0
}

/// Every parameter's values by its checkpoint name.
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

/// Rows of 3 to 17 tokens, whose label can be read off their second token.
pub fn rows(count: usize, num_labels: usize, seed: u32) -> Vec<Example> {
    let mut draw = TorchGenerator::new(seed);
    let mut below = |limit: usize| draw.randperm(limit)[0];
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

/// Options for [`rows`], taken in their order.
pub fn options(arguments: TrainingArguments) -> TrainerOptions {
    TrainerOptions {
        arguments,
        collator: DataCollator::longest(32, 0),
        shuffle: false,
    }
}

/// What a run did.
pub struct Run {
    pub logs: Vec<StepLog>,
    /// With the number of updates done before each.
    pub evaluations: Vec<(usize, Evaluation)>,
    pub trainer: Trainer,
}

/// Trains to the end.
pub fn train(
    model: BertForSequenceClassification,
    train: Vec<Example>,
    eval: Vec<Example>,
    options: TrainerOptions,
) -> Run {
    let mut trainer = Trainer::new(model, train, eval, options).unwrap();
    let (mut logs, mut evaluations) = (Vec::new(), Vec::new());
    loop {
        match block_on(trainer.step(&mut |_, _| ())).unwrap() {
            Event::Step { logs: read, .. } => logs.extend(read),
            Event::Evaluated(evaluation) => {
                evaluations.push((trainer.state().global_step, evaluation));
            }
            Event::Finished => break,
        }
    }
    Run {
        logs,
        evaluations,
        trainer,
    }
}
