//! Embeddings of texts: the mean of a checkpoint's last hidden states, as sentence-transformers' `Pooling` and
//! `Normalize` make them of a BERT.

use crate::Result;
use crate::bert::BertForSequenceClassification;
use crate::kernels::ActivationPadding;
use crate::tokens::{DataCollator, Encoding};
use burn::tensor::Tensor;

/// Rows of a batch.
const BATCH_SIZE: usize = 16;
/// Batches whose results are read back together, because a read-back stalls the GPU queue.
const BATCHES_PER_READ: usize = 4;

/// Computes embeddings batch by batch. Its caller steps it, and may stop between two batches.
#[derive(Debug)]
pub struct Embedder<'a> {
    model: BertForSequenceClassification,
    rows: Vec<&'a Encoding>,
    /// Row indices from the longest row to the shortest: the rows of a batch are of similar length.
    order: Vec<usize>,
    collator: DataCollator,
    widest: [usize; 2],
    queued: usize,
    done: usize,
    outputs: Vec<Tensor<1>>,
    values: Vec<f32>,
    hidden_size: usize,
}

impl<'a> Embedder<'a> {
    /// Prepares the embeddings of `rows`. `model` must be on a device without autodiff, which disables dropout.
    pub fn new(
        model: BertForSequenceClassification,
        rows: Vec<&'a Encoding>,
        pad_token_id: u32,
    ) -> Self {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| std::cmp::Reverse(rows[row].input_ids.len()));
        let collator = DataCollator::longest(0, pad_token_id);
        let hidden_size = model.hidden_size();
        Self {
            widest: collator.widest_batch(rows.iter().copied(), BATCH_SIZE),
            values: vec![0.0; rows.len() * hidden_size],
            queued: 0,
            done: 0,
            outputs: Vec::new(),
            model,
            rows,
            order,
            collator,
            hidden_size,
        }
    }

    /// Computes a batch. Returns the rows that are done; all of them after the last batch.
    ///
    /// # Errors
    /// [`crate::Error::Device`] if the device fails.
    pub async fn step(&mut self) -> Result<usize> {
        let end = self.rows.len().min(self.queued + BATCH_SIZE);
        if self.queued < end {
            let rows = self.order[self.queued..end].iter();
            let rows: Vec<&Encoding> = rows.map(|&row| self.rows[row]).collect();
            let batch = self.collator.collate(&rows);
            let padding = ActivationPadding::new([batch.batch, batch.seq], self.widest);
            self.outputs
                .push(self.model.mean_pooled(&batch).flatten::<1>(0, 1));
            drop(padding);
            self.queued = end;
        }
        if self.outputs.len() >= BATCHES_PER_READ || self.queued == self.rows.len() {
            self.read().await?;
        }
        Ok(self.done)
    }

    async fn read(&mut self) -> Result<()> {
        let outputs = std::mem::take(&mut self.outputs);
        if outputs.is_empty() {
            return Ok(());
        }
        let values: Vec<f32> = Tensor::cat(outputs, 0)
            .into_data_async()
            .await?
            .try_into_vec()?;
        for embedding in values.chunks_exact(self.hidden_size) {
            let norm = embedding.iter().map(|value| value * value).sum::<f32>();
            let scale = 1.0 / norm.sqrt().max(1e-12);
            let at = self.order[self.done] * self.hidden_size;
            let row = &mut self.values[at..at + self.hidden_size];
            for (value, &from) in row.iter_mut().zip(embedding) {
                *value = from * scale;
            }
            self.done += 1;
        }
        Ok(())
    }

    /// The embeddings of the rows that are done, each of length 1.
    ///
    /// # Shapes
    /// `[rows, hidden_size]`, row-major, in the order of the rows.
    pub fn finish(self) -> Vec<f32> {
        self.values
    }
}
