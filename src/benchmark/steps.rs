//! The time of training steps of a network with random weights.

use crate::bert::{BertConfig, LoadLimits, random_network};
use crate::kernels::ProductTimer;
use crate::tokens::{DataCollator, Encoding, Example};
use crate::train::{Event, Trainer, TrainerOptions, TrainingArguments};
use crate::{Error, Result};
use burn::tensor::Device;

/// The time of training steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingSteps {
    /// Milliseconds of the first step, which compiles the kernels.
    pub first_ms: f64,
    /// Median milliseconds of the other steps, each with a read-back of loss and norm.
    pub ms: f64,
    /// The fastest of them.
    pub best_ms: f64,
    /// Sum of the times of all matrix products of one more step, those of the attention included.
    pub products_ms: f64,
    /// The products of a step.
    pub products: usize,
    /// The loss of the last step, to compare devices.
    pub loss: f64,
}

/// Trains a classifier with random weights for `steps` steps after the first one, as the page does by default: AdamW on
/// every parameter, with dropout. Every row has `seq` tokens.
///
/// # Errors
/// [`Error::Device`] if the device fails, or has timed nothing.
pub async fn training_steps(
    config: &BertConfig,
    device: &Device,
    [batch, seq]: [usize; 2],
    steps: usize,
    now_ms: impl Fn() -> f64,
) -> Result<TrainingSteps> {
    let device = device.clone().autodiff();
    let model = random_network(config, 2, 1, &device, LoadLimits::chunked()).await?;
    let arguments = TrainingArguments {
        per_device_train_batch_size: batch,
        max_steps: steps.max(1) + 2,
        ..TrainingArguments::default()
    };
    let options = TrainerOptions {
        arguments,
        collator: DataCollator::longest(seq, 0),
        shuffle: false,
    };
    let rows = examples(config, [4 * batch, seq]);
    let mut trainer = Trainer::new(model, rows.into(), [].into(), options)?;
    let mut times = Vec::new();
    for _ in 0..=steps.max(1) {
        let started = now_ms();
        step(&mut trainer).await?;
        times.push(now_ms() - started);
    }
    let first_ms = times.remove(0);
    times.sort_by(f64::total_cmp);
    let timer = ProductTimer::new();
    let loss = step(&mut trainer).await?;
    let products = timer.finish().await.milliseconds;
    Ok(TrainingSteps {
        first_ms,
        ms: times[times.len() / 2],
        best_ms: times[0],
        products_ms: products.iter().sum(),
        products: products.len(),
        loss,
    })
}

/// One update with a read-back of its loss, which is returned.
async fn step(trainer: &mut Trainer) -> Result<f64> {
    // The evaluation at the end of an epoch has no rows here.
    trainer.skip_evaluation();
    match trainer.step().await? {
        Event::Step { logs, .. } => logs.last().map(|log| log.loss),
        _ => None,
    }
    .ok_or_else(|| Error::NotReady("The run has ended.".into()))
}

/// Rows of different tokens, half of each label.
fn examples(config: &BertConfig, [rows, seq]: [usize; 2]) -> Vec<Example> {
    let row = |row: usize| Example {
        encoding: Encoding {
            input_ids: (0..seq)
                .map(|at| ((row * 7919 + at * 104_729) % config.vocab_size) as u32)
                .collect(),
            truncated: false,
        },
        label: row % 2,
    };
    (0..rows).map(row).collect()
}
