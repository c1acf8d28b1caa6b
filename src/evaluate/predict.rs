//! The forward pass without training: over the test rows, or over one text.

use super::Metrics;
use crate::bert::{BertForSequenceClassification, cross_entropy, targets};
use crate::kernels::{ActivationPadding, Autocast};
use crate::tokens::{DataCollator, Encoding, Example};
use crate::{Error, Result};
use burn::tensor::Tensor;

/// Batches whose results are read back together, because a read-back stalls the GPU queue.
const BATCHES_PER_READ: usize = 4;

/// The buffers of a single text have the size of the next multiple of this many tokens.
const LENGTH_STEP: usize = 64;

/// An evaluation of the test rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean loss over the rows.
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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationOptions {
    /// Pads the batches.
    pub collator: DataCollator,
    /// Rows of a batch.
    pub per_device_eval_batch_size: usize,
    /// Share of the target distribution that is spread over all classes.
    pub label_smoothing_factor: f64,
    /// Whether matrix products have f16 operands.
    pub fp16: bool,
}

/// Evaluates `model` over `examples`, as
/// [`Trainer.evaluate`](https://huggingface.co/docs/transformers/main_classes/trainer#transformers.Trainer.evaluate).
/// `model` must be on a device without autodiff, which disables dropout.
///
/// Calls `progress` with the rows done and all rows. Results are read back every few batches, so that rows done are
/// computed, not only queued.
///
/// # Errors
/// [`Error::NotReady`] for no examples, [`Error::Setting`] for `fp16` on a device without f16, [`Error::Device`] if the
/// device fails.
pub async fn evaluate(
    model: &BertForSequenceClassification,
    examples: &[Example],
    options: &EvaluationOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Evaluation> {
    if examples.is_empty() {
        return Err(Error::NotReady(
            "There are no test rows. Make the split first.".into(),
        ));
    }
    let device = model.device();
    let num_labels = model.num_labels();
    let batch_size = options.per_device_eval_batch_size;
    let rows = examples.iter().map(|row| &row.encoding);
    let widest = options.collator.widest_batch(rows, batch_size);
    let (mut outputs, mut values, mut done) = (Vec::new(), Vec::new(), 0);
    for rows in examples.chunks(batch_size) {
        let encodings: Vec<&Encoding> = rows.iter().map(|row| &row.encoding).collect();
        let labels: Vec<usize> = rows.iter().map(|row| row.label).collect();
        let batch = options.collator.collate(&encodings);
        let padding = ActivationPadding::new([batch.batch, batch.seq], widest);
        let autocast = Autocast::new(&device, options.fp16)?;
        let logits = model.forward(&batch);
        drop((padding, autocast));
        let smoothing = options.label_smoothing_factor;
        let loss = cross_entropy(
            logits.clone(),
            targets(&labels, num_labels, smoothing, &device),
            examples.len(),
        );
        // The loss of a batch follows its logits, so that one read-back returns both.
        outputs.push(logits.flatten::<1>(0, 1));
        outputs.push(loss);
        done += rows.len();
        if outputs.len() >= BATCHES_PER_READ * 2 || done == examples.len() {
            let read = Tensor::cat(std::mem::take(&mut outputs), 0);
            values.extend(read.into_data_async().await?.try_into_vec::<f32>()?);
            progress(done, examples.len());
        }
    }
    collect(&values, examples, num_labels, options)
}

/// Splits values that were read back into the logits and losses of the batches.
fn collect(
    values: &[f32],
    examples: &[Example],
    num_labels: usize,
    options: &EvaluationOptions,
) -> Result<Evaluation> {
    let (mut logits, mut loss, mut rest) = (Vec::with_capacity(examples.len()), 0.0, values);
    for rows in examples.chunks(options.per_device_eval_batch_size) {
        let Some((batch, tail)) = rest.split_at_checked(rows.len() * num_labels + 1) else {
            return Err(Error::Device(
                "The device returned fewer results than were computed.".into(),
            ));
        };
        loss += f64::from(batch[batch.len() - 1]);
        logits.extend(
            batch[..batch.len() - 1]
                .chunks_exact(num_labels)
                .map(<[f32]>::to_vec),
        );
        rest = tail;
    }
    let probabilities: Vec<Vec<f32>> = logits.iter().map(|row| softmax(row)).collect();
    let labels: Vec<usize> = examples.iter().map(|row| row.label).collect();
    Ok(Evaluation {
        loss,
        metrics: Metrics::new(&labels, &probabilities, num_labels),
        probabilities,
        logits,
    })
}

/// Probabilities of one text by label id, from a forward pass of the shape `[1, seq]`. `model` must be on a device
/// without autodiff.
///
/// # Errors
/// [`Error::Device`] if the device fails.
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
    Ok(softmax(&logits))
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let sum: f32 = exp.iter().sum();
    exp.iter().map(|value| value / sum).collect()
}
