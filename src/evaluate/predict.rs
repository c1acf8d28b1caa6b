//! The forward pass without training: over the test rows, or over one text.

use super::Metrics;
use super::evaluator::{EvaluationEvent, Evaluator, finite};
use crate::Result;
use crate::bert::{BertForSequenceClassification, CrossEntropy};
use crate::kernels::ActivationPadding;
use crate::tokens::{DataCollator, Encoding, Example};

/// The buffers of a single text have the size of the next multiple of this many tokens.
const LENGTH_STEP: usize = 64;

/// An evaluation of the test rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean loss over the rows; with class weights the weighted mean.
    pub loss: f64,
    /// Probabilities, `[rows][num_labels]`, in the order of the test rows.
    pub probabilities: Vec<Vec<f32>>,
    /// Logits, `[rows][num_labels]`.
    pub logits: Vec<Vec<f32>>,
    /// The metrics of the probabilities.
    pub metrics: Metrics,
}

/// The options of an evaluation: a collator, and the fields of `TrainingArguments` that transformers'
/// `Trainer.evaluate` reads.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationOptions {
    /// Pads the batches.
    pub collator: DataCollator,
    /// Rows of a batch.
    pub per_device_eval_batch_size: usize,
    /// The loss function.
    pub loss: CrossEntropy,
    /// Whether matrix products have f16 operands.
    pub fp16: bool,
}

/// Evaluates `model` over `examples` without a pause; see [`Evaluator`]. Calls `progress` with the rows done and all
/// rows.
///
/// # Errors
/// As [`Evaluator::new`] and [`Evaluator::step`].
pub async fn evaluate(
    model: &BertForSequenceClassification,
    examples: &[Example],
    options: &EvaluationOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Evaluation> {
    let mut evaluator = Evaluator::new(model.clone(), examples, options)?;
    loop {
        match evaluator.step(examples).await? {
            EvaluationEvent::Batch { done, total } => progress(done, total),
            EvaluationEvent::Done(evaluation) => {
                progress(examples.len(), examples.len());
                return Ok(evaluation);
            }
        }
    }
}

/// Probabilities of one text by label id, from a forward pass of the shape `[1, seq]`. `model` must be on a device
/// without autodiff.
///
/// # Errors
/// [`Error::NotFinite`](crate::Error::NotFinite) for logits that are not finite,
/// [`Error::Device`](crate::Error::Device) if the device fails.
pub async fn probabilities(
    model: &BertForSequenceClassification,
    encoding: &Encoding,
    pad_token_id: u32,
) -> Result<Vec<f32>> {
    let batch = DataCollator::longest(0, pad_token_id).collate(&[encoding]);
    // Buffers of a few sizes serve texts of all lengths.
    let widest = [1, batch.seq.next_multiple_of(LENGTH_STEP)];
    let padding = ActivationPadding::new([1, batch.seq], widest);
    let logits = model.forward(&batch);
    drop(padding);
    let logits: Vec<f32> = logits.into_data_async().await?.try_into_vec()?;
    finite(&logits, || "this text".into())?;
    Ok(softmax(&logits))
}

pub(super) fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let sum: f32 = exp.iter().sum();
    exp.iter().map(|value| value / sum).collect()
}
