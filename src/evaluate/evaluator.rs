//! The evaluation of the test rows, which its caller steps. The caller may stop it between two batches.

use super::predict::softmax;
use super::{Evaluation, EvaluationOptions, Metrics};
use crate::bert::{BertForSequenceClassification, cross_entropy};
use crate::kernels::{ActivationPadding, Autocast};
use crate::tokens::{Encoding, Example};
use crate::{Error, Result};
use burn::tensor::Tensor;

/// Batches whose results are read back together, because a read-back stalls the GPU queue.
const BATCHES_PER_READ: usize = 4;

/// What a step of an evaluation did.
#[derive(Debug)]
pub enum EvaluationEvent {
    /// One batch. Rows are done when their results have been read back, which happens once every few batches.
    Batch {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
    /// The last batch.
    Done(Evaluation),
}

/// Evaluates a network over examples batch by batch, as
/// [`Trainer.evaluate`](https://huggingface.co/docs/transformers/main_classes/trainer#transformers.Trainer.evaluate).
#[derive(Debug)]
pub struct Evaluator {
    model: BertForSequenceClassification,
    options: EvaluationOptions,
    /// Weight of all examples in the loss: their number without class weights.
    weight: f64,
    /// Rows and columns of the widest batch.
    widest: [usize; 2],
    /// Examples whose batches are queued.
    queued: usize,
    /// Examples whose results have been read back.
    done: usize,
    /// Logits and loss of each batch that has not been read back.
    outputs: Vec<Tensor<1>>,
    logits: Vec<Vec<f32>>,
    loss: f64,
}

impl Evaluator {
    /// Prepares an evaluation over `examples`. `model` must be on a device without autodiff, which disables dropout.
    ///
    /// # Errors
    /// [`Error::NotReady`] for no examples, [`Error::Setting`] for `fp16` on a device without f16.
    pub fn new(
        model: BertForSequenceClassification,
        examples: &[Example],
        options: &EvaluationOptions,
    ) -> Result<Self> {
        if examples.is_empty() {
            return Err(Error::NotReady(
                "There are no test rows. Make the split first.".into(),
            ));
        }
        Autocast::new(&model.device(), options.fp16)?;
        let rows = examples.iter().map(|row| &row.encoding);
        let batch_size = options.per_device_eval_batch_size;
        Ok(Self {
            widest: options.collator.widest_batch(rows, batch_size),
            weight: options.loss.weight(examples.iter().map(|row| row.label)),
            options: options.clone(),
            queued: 0,
            done: 0,
            outputs: Vec::new(),
            logits: Vec::with_capacity(examples.len()),
            loss: 0.0,
            model,
        })
    }

    /// Evaluates the next batch. `examples` are those of [`Evaluator::new`].
    ///
    /// # Errors
    /// [`Error::NotFinite`] for logits that are not finite, [`Error::Device`] if the device fails.
    pub async fn step(&mut self, examples: &[Example]) -> Result<EvaluationEvent> {
        let total = examples.len();
        let end = total.min(self.queued + self.options.per_device_eval_batch_size);
        self.queue(&examples[self.queued..end])?;
        self.queued = end;
        // A batch has two outputs.
        if self.outputs.len() >= 2 * BATCHES_PER_READ || self.queued == total {
            self.read().await?;
        }
        if self.done < total {
            let done = self.done;
            return Ok(EvaluationEvent::Batch { done, total });
        }
        let logits = std::mem::take(&mut self.logits);
        let labels: Vec<usize> = examples.iter().map(|row| row.label).collect();
        let probabilities: Vec<Vec<f32>> = logits.iter().map(|row| softmax(row)).collect();
        let metrics = Metrics::new(&labels, &probabilities, self.model.num_labels())?;
        Ok(EvaluationEvent::Done(Evaluation {
            loss: self.loss,
            probabilities,
            logits,
            metrics,
        }))
    }

    /// Queues the forward pass of a batch. Its loss is its share of the mean over all rows.
    fn queue(&mut self, rows: &[Example]) -> Result<()> {
        let device = self.model.device();
        let encodings: Vec<&Encoding> = rows.iter().map(|row| &row.encoding).collect();
        let labels: Vec<usize> = rows.iter().map(|row| row.label).collect();
        let batch = self.options.collator.collate(&encodings);
        let padding = ActivationPadding::new([batch.batch, batch.seq], self.widest);
        let autocast = Autocast::new(&device, self.options.fp16)?;
        let logits = self.model.forward(&batch);
        drop((padding, autocast));
        let loss = &self.options.loss;
        let targets = loss.targets(&labels, self.model.num_labels(), &device);
        let loss = cross_entropy(logits.clone(), targets, self.weight);
        // The loss of a batch follows its logits, so that one read-back returns both.
        self.outputs.push(logits.flatten::<1>(0, 1));
        self.outputs.push(loss);
        Ok(())
    }

    /// Reads back the logits and losses of the batches that are queued.
    async fn read(&mut self) -> Result<()> {
        let outputs = std::mem::take(&mut self.outputs);
        let values: Vec<f32> = Tensor::cat(outputs, 0)
            .into_data_async()
            .await?
            .try_into_vec()?;
        let num_labels = self.model.num_labels();
        let mut rest = values.as_slice();
        while self.done < self.queued {
            let rows = (self.queued - self.done).min(self.options.per_device_eval_batch_size);
            let Some((batch, tail)) = rest.split_at_checked(rows * num_labels + 1) else {
                return Err(Error::Device(
                    "The device returned fewer results than were computed.".into(),
                ));
            };
            let (logits, loss) = batch.split_at(rows * num_labels);
            for row in logits.chunks_exact(num_labels) {
                let number = self.logits.len() + 1;
                finite(row, || format!("row {number} of the test part"))?;
                self.logits.push(row.to_vec());
            }
            self.loss += f64::from(loss[0]);
            self.done += rows;
            rest = tail;
        }
        Ok(())
    }
}

/// Refuses logits that are not finite: their largest is no prediction. `what` names their text.
pub(super) fn finite(logits: &[f32], what: impl FnOnce() -> String) -> Result<()> {
    match logits.iter().find(|logit| !logit.is_finite()) {
        None => Ok(()),
        Some(value) => Err(Error::NotFinite {
            what: what(),
            value: value.to_string(),
        }),
    }
}
