//! Reproducibility: with dropout, the same seed gives a bit-identical run on the CPU device, and another seed does not.

mod common;

use common::{Run, options, parameters, random_model, rows, tiny_config, train};
use std::collections::BTreeMap;
use webtune::bert::BertConfig;
use webtune::train::{StepLog, TrainerOptions, TrainingArguments};

/// Returns losses, gradient norms and learning rates of a run, and its final weights.
fn trajectory(
    seed: u32,
    dropout: f64,
    learning_rate: f64,
    shuffle: bool,
) -> (Vec<StepLog>, BTreeMap<String, Vec<f32>>) {
    let config = BertConfig {
        hidden_dropout_prob: dropout,
        attention_probs_dropout_prob: dropout,
        classifier_dropout: Some(dropout),
        ..tiny_config()
    };
    let arguments = TrainingArguments {
        per_device_train_batch_size: 4,
        gradient_accumulation_steps: 2,
        num_train_epochs: 2.0,
        learning_rate,
        seed,
        ..TrainingArguments::default()
    };
    let options = TrainerOptions {
        shuffle,
        ..options(arguments)
    };
    let model = random_model(&config, 3, 30);
    let Run { logs, trainer, .. } = train(model, rows(19, 3, 31), rows(5, 3, 32), options);
    (logs, parameters(&trainer.model().unwrap()))
}

#[test]
fn the_same_seed_gives_a_bit_identical_run() {
    let (logs, weights) = trajectory(42, 0.1, 1e-3, true);
    assert_eq!(logs.len(), 6);
    let repeated = trajectory(42, 0.1, 1e-3, true);
    assert_eq!(repeated, (logs.clone(), weights.clone()));

    let (other_logs, other_weights) = trajectory(43, 0.1, 1e-3, true);
    assert_ne!(other_logs[0].loss, logs[0].loss);
    assert_ne!(other_weights, weights);
}

/// With a learning rate of 0 and rows in order, the losses of both epochs are equal without dropout, and all differ
/// with dropout.
#[test]
fn each_update_draws_new_dropout_masks() {
    let losses = |dropout| {
        let (logs, _) = trajectory(42, dropout, 0.0, false);
        let losses: Vec<f64> = logs.iter().map(|log| log.loss).collect();
        (losses[..3].to_vec(), losses[3..].to_vec())
    };
    let (first, second) = losses(0.0);
    assert_eq!(first, second);
    let (first, second) = losses(0.1);
    assert!(
        first.iter().zip(&second).all(|(a, b)| (a - b).abs() > 1e-4),
        "{first:?} and {second:?}"
    );
}

/// Without dropout and updates, only the order of the rows depends on the seed.
#[test]
fn the_seed_determines_the_order_of_the_rows() {
    let loss = |seed| trajectory(seed, 0.0, 0.0, true).0[0].loss;
    assert_eq!(loss(42), loss(42));
    assert_ne!(loss(42), loss(43));
}
