//! The whole classifier: embeddings, encoder, pooler, dropout, linear head.

use super::attention::attention_bias;
use super::{BertEmbeddings, BertEncoder, Dropout, Linear};
use crate::kernels::DropoutStream;
use crate::tokens::Batch;
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// `tanh(W x + b)` of the first token.
#[derive(Module, Debug)]
pub struct BertPooler {
    /// `[hidden_size, hidden_size]`.
    pub dense: Linear,
}

impl BertPooler {
    /// `[batch * seq, hidden_size]` → `[batch, hidden_size]`.
    pub fn forward(&self, hidden: Tensor<2>, batch: usize) -> Tensor<2> {
        let [rows, hidden_size] = hidden.dims();
        let first = hidden
            .reshape([batch, rows / batch, hidden_size])
            .slice([0..batch, 0..1])
            .reshape([batch, hidden_size]);
        self.dense.forward(first).tanh()
    }
}

/// transformers' `BertModel`.
#[derive(Module, Debug)]
pub struct BertModel {
    /// Ids to vectors.
    pub embeddings: BertEmbeddings,
    /// The layers.
    pub encoder: BertEncoder,
    /// The first token's summary.
    pub pooler: BertPooler,
}

/// transformers' `BertForSequenceClassification`.
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    /// The pretrained part.
    pub bert: BertModel,
    /// `classifier_dropout`.
    pub dropout: Dropout,
    /// The new head, `[num_labels, hidden_size]`.
    pub classifier: Linear,
}

impl BertForSequenceClassification {
    /// A padded batch → `logits` `[batch, num_labels]`, on the device of the parameters and without dropouts.
    pub fn forward(&self, batch: &Batch) -> Tensor<2> {
        self.logits(batch, &mut None)
    }

    /// As [`forward`](Self::forward), with the dropouts' masks drawn from `dropouts`.
    pub fn forward_with_dropouts(&self, batch: &Batch, dropouts: DropoutStream) -> Tensor<2> {
        self.logits(batch, &mut Some(dropouts))
    }

    fn logits(&self, batch: &Batch, dropouts: &mut Option<DropoutStream>) -> Tensor<2> {
        let (input_ids, bias) = batch_tensors(batch, &self.device());
        let hidden = self.bert.embeddings.forward(input_ids, dropouts);
        let hidden = self.bert.encoder.forward(hidden, bias, dropouts);
        self.head(hidden, batch.batch, dropouts)
    }

    /// What is behind the encoder: the last hidden states `[batch * seq, hidden_size]` → `logits` `[batch, num_labels]`.
    pub(crate) fn head(
        &self,
        hidden: Tensor<2>,
        batch: usize,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let pooled = self.bert.pooler.forward(hidden, batch);
        self.classifier
            .forward(self.dropout.forward(pooled, dropouts))
    }

    /// The device of the parameters.
    pub fn device(&self) -> Device {
        self.classifier.weight.val().device()
    }

    /// Number of classes.
    pub fn num_labels(&self) -> usize {
        self.classifier.weight.dims()[0]
    }
}

/// `input_ids` and the attention's bias, both `[batch, seq]`.
pub(crate) fn batch_tensors(batch: &Batch, device: &Device) -> (Tensor<2, Int>, Tensor<2>) {
    let shape = [batch.batch, batch.seq];
    let input_ids = Tensor::from_data(TensorData::new(batch.input_ids.clone(), shape), device);
    (input_ids, attention_bias(batch, device))
}
