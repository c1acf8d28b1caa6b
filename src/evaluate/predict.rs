//! Running the network without training it: over a test part, or over one text.

use super::Metrics;
use crate::bert::{BertForSequenceClassification, cross_entropy, targets};
use crate::kernels::{ActivationPadding, Autocast};
use crate::tokens::{DataCollator, Encoding, Example};
use crate::{Error, Result};
use burn::tensor::Tensor;

/// Batches whose results are read from the device together: a read holds its queue back.
const BATCHES_A_READ: usize = 4;

/// Single texts are given the buffers of the next multiple of so many tokens.
const LENGTHS_APART: usize = 64;

/// An evaluation of a test part.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean loss over the rows.
    pub loss: f64,
    /// Probabilities a row and label, in the order of the test part.
    pub probabilities: Vec<Vec<f32>>,
    /// Logits a row and label.
    pub logits: Vec<Vec<f32>>,
    /// What the probabilities amount to.
    pub metrics: Metrics,
}

/// What an evaluation needs beside a model and its rows; the fields of `TrainingArguments` that the Trainer's evaluation reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvaluationOptions {
    /// Pads the batches.
    pub collator: DataCollator,
    /// Rows of a batch.
    pub per_device_eval_batch_size: usize,
    /// Share of the target distribution that is spread over all labels.
    pub label_smoothing_factor: f64,
    /// Whether matrix products take operands of 16 bits.
    pub fp16: bool,
}

/// Evaluates `model` (on a device without autodiff: no dropout) over `examples`. `progress` is told rows done and rows in all. Results are
/// read from the device every few batches, so that rows done are rows computed, not rows queued.
///
/// # Errors
/// [`Error::NotReady`] for no examples, [`Error::Setting`] for `fp16` on a device that cannot compute in f16, [`Error::Device`] from the
/// device.
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
        let room = ActivationPadding::new([batch.batch, batch.seq], widest);
        let autocast = Autocast::new(&device, options.fp16)?;
        let logits = model.forward(&batch);
        drop((room, autocast));
        let smoothing = options.label_smoothing_factor;
        let loss = cross_entropy(
            logits.clone(),
            targets(&labels, num_labels, smoothing, &device),
            examples.len(),
        );
        // One row more than the batch: the batch's share of the loss, so that everything is read at once.
        outputs.push(logits.flatten::<1>(0, 1));
        outputs.push(loss);
        done += rows.len();
        if outputs.len() >= BATCHES_A_READ * 2 || done == examples.len() {
            let read = Tensor::cat(std::mem::take(&mut outputs), 0);
            values.extend(read.into_data_async().await?.try_into_vec::<f32>()?);
            progress(done, examples.len());
        }
    }
    collect(&values, examples, num_labels, options)
}

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

/// Probabilities of one text by label id.
///
/// # Errors
/// [`Error::Device`] from the device.
pub async fn probabilities(
    model: &BertForSequenceClassification,
    encoding: &Encoding,
    pad_token_id: u32,
) -> Result<Vec<f32>> {
    let batch = DataCollator::longest(0, pad_token_id).collate(&[encoding]);
    // Texts of all lengths share a few sets of buffers.
    let widest = [1, batch.seq.next_multiple_of(LENGTHS_APART)];
    let room = ActivationPadding::new([1, batch.seq], widest);
    let logits = model.forward(&batch);
    drop(room);
    let logits: Vec<f32> = logits.into_data_async().await?.try_into_vec()?;
    Ok(softmax(&logits))
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let sum: f32 = exp.iter().sum();
    exp.iter().map(|value| value / sum).collect()
}
