//! The whole classifier: embeddings, encoder, pooler, dropout and the linear head.

use super::attention::attention_bias;
use super::layers::parameter;
use super::parameters::{Scope, Visitor};
use super::{
    BertConfig, BertEmbeddings, BertEncoder, ClassifierPooling, Dropout, Linear, LoadLimits,
};
use crate::kernels::DropoutStream;
use crate::random::TorchGenerator;
use crate::tokens::Batch;
use crate::{Error, Result};
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

/// `tanh(W x + b)` of the first token.
///
/// Mirrors transformers' [`BertPooler`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertPooler {
    /// Weight `[hidden_size, hidden_size]`.
    pub dense: Linear,
}

impl BertPooler {
    fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        scope.linear("dense", &mut self.dense);
    }

    /// Pools the hidden state of each text's first token.
    ///
    /// # Shapes
    /// `hidden` `[batch * seq, hidden_size]` → `[batch, hidden_size]`.
    pub fn forward(&self, hidden: Tensor<2>, batch: usize) -> Tensor<2> {
        let [rows, hidden_size] = hidden.dims();
        let first = hidden
            .reshape([batch, rows / batch, hidden_size])
            .slice([0..batch, 0..1])
            .reshape([batch, hidden_size]);
        self.dense.forward(first).tanh()
    }
}

/// The pretrained network without a head.
///
/// Mirrors transformers' [`BertModel`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertModel {
    /// Token ids → vectors.
    pub embeddings: BertEmbeddings,
    /// The layers.
    pub encoder: BertEncoder,
    /// Hidden state of the first token → one vector a text.
    pub pooler: BertPooler,
}

impl BertModel {
    /// Visits the parameters under the names that they have with the prefix `bert.`.
    pub(super) fn visit_parameters(&mut self, visitor: &mut dyn Visitor) {
        let mut root = Scope::root(visitor);
        let mut scope = root.child("bert");
        self.embeddings.visit_parameters(scope.child("embeddings"));
        self.encoder.visit_parameters(scope.child("encoder"));
        self.pooler.visit_parameters(scope.child("pooler"));
    }
}

/// BERT with a linear classifier on the pooled output.
///
/// Mirrors transformers' [`BertForSequenceClassification`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    /// The pretrained network.
    pub bert: BertModel,
    /// `classifier_dropout`.
    pub dropout: Dropout,
    /// The head: weight `[num_labels, hidden_size]`.
    pub classifier: Linear,
    /// What the head gets of a text.
    #[module(skip)]
    pub pooling: ClassifierPooling,
}

impl BertForSequenceClassification {
    /// Creates a network that has shapes, but allocates nothing until its parameters are read or replaced.
    pub(super) fn lazy(
        config: &BertConfig,
        num_labels: usize,
        limits: &LoadLimits,
        device: &Device,
    ) -> Self {
        let hidden_size = config.hidden_size;
        Self {
            bert: BertModel {
                embeddings: BertEmbeddings::lazy(config, limits, device),
                encoder: BertEncoder::lazy(config, device),
                pooler: BertPooler {
                    dense: Linear::lazy(hidden_size, hidden_size, device),
                },
            },
            dropout: Dropout {
                prob: config.classifier_dropout(),
            },
            classifier: Linear::lazy(num_labels, hidden_size, device),
            pooling: config.classifier_pooling,
        }
    }

    /// Visits the parameters in the order of the forward pass, under their names in a checkpoint.
    pub(super) fn visit_parameters(&mut self, visitor: &mut dyn Visitor) {
        self.bert.visit_parameters(visitor);
        Scope::root(visitor).linear("classifier", &mut self.classifier);
    }

    /// Computes the logits of a padded batch on the device of the parameters, without dropout.
    ///
    /// # Shapes
    /// `batch` `[batch, seq]` → `[batch, num_labels]`.
    pub fn forward(&self, batch: &Batch) -> Tensor<2> {
        self.logits(batch, &mut None)
    }

    /// Computes the logits as [`forward`](Self::forward) does, with dropout masks from `dropouts`.
    ///
    /// # Shapes
    /// `batch` `[batch, seq]` → `[batch, num_labels]`.
    pub fn forward_with_dropouts(&self, batch: &Batch, dropouts: DropoutStream) -> Tensor<2> {
        self.logits(batch, &mut Some(dropouts))
    }

    fn logits(&self, batch: &Batch, dropouts: &mut Option<DropoutStream>) -> Tensor<2> {
        let (input_ids, bias) = batch_tensors(batch, &self.device());
        let hidden = self.bert.embeddings.forward(input_ids, dropouts);
        let hidden = self.bert.encoder.forward(hidden, bias, dropouts);
        self.head(hidden, batch, dropouts)
    }

    /// Applies pooling, dropout and classifier to the last hidden states.
    ///
    /// # Shapes
    /// `hidden` `[batch * seq, hidden_size]` → `[batch, num_labels]`.
    pub(crate) fn head(
        &self,
        hidden: Tensor<2>,
        batch: &Batch,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let pooled = match self.pooling {
            ClassifierPooling::Cls => self.bert.pooler.forward(hidden, batch.batch),
            ClassifierPooling::Mean => mean_of_tokens(hidden, batch),
        };
        self.classifier
            .forward(self.dropout.forward(pooled, dropouts))
    }

    /// Computes the mean of the last hidden states of each text's tokens, padding aside, as sentence-transformers'
    /// `Pooling` does.
    ///
    /// # Shapes
    /// `batch` `[batch, seq]` → `[batch, hidden_size]`.
    pub fn mean_pooled(&self, batch: &Batch) -> Tensor<2> {
        let (input_ids, bias) = batch_tensors(batch, &self.device());
        let hidden = self.bert.embeddings.forward(input_ids, &mut None);
        let hidden = self.bert.encoder.forward(hidden, bias, &mut None);
        mean_of_tokens(hidden, batch)
    }

    /// Sets what the classifier gets of a text. With [`ClassifierPooling::Mean`] the pooler is frozen, because nothing
    /// reads it.
    pub fn with_pooling(mut self, pooling: ClassifierPooling) -> Self {
        if pooling == ClassifierPooling::Mean {
            self.bert.pooler = self.bert.pooler.no_grad();
        }
        self.pooling = pooling;
        self
    }

    /// Returns the device of the parameters.
    pub fn device(&self) -> Device {
        self.classifier.weight.val().device()
    }

    /// Returns the number of classes.
    pub fn num_labels(&self) -> usize {
        self.classifier.weight.dims()[0]
    }

    /// Replaces the classifier by an untrained one: weights N(0, `std`) drawn with `seed`, biases 0, as transformers'
    /// `BertPreTrainedModel._init_weights` does with `std = initializer_range`.
    pub fn with_new_head(self, num_labels: usize, std: f64, seed: u32) -> Self {
        let generator = &mut TorchGenerator::new(seed);
        let (weight, bias) = new_linear(generator, num_labels, self.hidden_size(), std);
        self.with_classifier(weight, bias)
    }

    /// Replaces the pooler, and with `num_labels` also the classifier, by untrained ones, drawn one after the other
    /// as transformers does for a checkpoint that lacks them.
    pub fn with_new_pooler(mut self, num_labels: Option<usize>, std: f64, seed: u32) -> Self {
        let (device, width) = (self.device(), self.hidden_size());
        let mut generator = TorchGenerator::new(seed);
        let (weight, bias) = new_linear(&mut generator, width, width, std);
        let weight = parameter(weight, [width, width], &device);
        self.bert.pooler.dense = Linear::new(weight, parameter(bias, [width], &device));
        match num_labels {
            Some(num_labels) => {
                let (weight, bias) = new_linear(&mut generator, num_labels, width, std);
                self.with_classifier(weight, bias)
            }
            None => self,
        }
    }

    /// Replaces the classifier by the one of these values, row-major.
    ///
    /// # Shapes
    /// `weight` `[num_labels, hidden_size]`, `bias` `[num_labels]`.
    ///
    /// # Errors
    /// [`Error::Config`] if the lengths do not fit the network.
    pub fn with_head(self, weight: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        let hidden_size = self.hidden_size();
        if weight.len() != bias.len() * hidden_size {
            return Err(Error::Config(format!(
                "a head of {} weights and {} biases does not fit a hidden_size of {hidden_size}.",
                weight.len(),
                bias.len()
            )));
        }
        Ok(self.with_classifier(weight, bias))
    }

    /// Puts the outputs of the classifier into another order: output `i` becomes the former output `order[i]`.
    pub fn with_label_order(mut self, order: &[usize]) -> Self {
        if order.iter().copied().eq(0..self.num_labels()) {
            return self;
        }
        let device = self.device();
        let indices: Vec<i32> = order.iter().map(|&at| at as i32).collect();
        let indices = TensorData::new(indices, [order.len()]);
        let indices: Tensor<1, Int> =
            Tensor::from_data(indices, &device.clone().without_autodiff());
        let weight = self
            .classifier
            .weight
            .val()
            .inner()
            .select(0, indices.clone());
        let bias = self.classifier.bias.val().inner().select(0, indices);
        let (weight, bias) = match device.is_autodiff() {
            true => (Tensor::from_inner(weight), Tensor::from_inner(bias)),
            false => (weight, bias),
        };
        self.classifier = Linear::new(Param::from_tensor(weight), Param::from_tensor(bias));
        self
    }

    fn with_classifier(mut self, weight: Vec<f32>, bias: Vec<f32>) -> Self {
        let (device, shape) = (self.device(), [bias.len(), self.hidden_size()]);
        let weight = parameter(weight, shape, &device);
        self.classifier = Linear::new(weight, parameter(bias, [shape[0]], &device));
        self
    }

    /// Returns the width of the hidden states.
    pub fn hidden_size(&self) -> usize {
        self.classifier.weight.dims()[1]
    }
}

/// Returns the mean of the hidden states of each text's tokens, without padding.
///
/// # Shapes
/// `hidden` `[batch * seq, hidden_size]` → `[batch, hidden_size]`.
fn mean_of_tokens(hidden: Tensor<2>, batch: &Batch) -> Tensor<2> {
    let hidden_size = hidden.dims()[1];
    let [rows, seq] = [batch.batch, batch.seq];
    let mut shares = Vec::with_capacity(rows * seq);
    for mask in batch.attention_mask.chunks_exact(seq) {
        let tokens: f32 = mask.iter().map(|&mask| f32::from(mask)).sum();
        shares.extend(mask.iter().map(|&mask| f32::from(mask) / tokens.max(1.0)));
    }
    let shares = TensorData::new(shares, [rows, seq, 1]);
    let shares: Tensor<3> = Tensor::from_data(shares, &hidden.device());
    let weighted = hidden.reshape([rows, seq, hidden_size]) * shares;
    weighted.sum_dim(1).reshape([rows, hidden_size])
}

/// Draws weight and bias of an untrained layer: N(0, `std`) and 0.
pub(super) fn new_linear(
    generator: &mut TorchGenerator,
    outputs: usize,
    inputs: usize,
    std: f64,
) -> (Vec<f32>, Vec<f32>) {
    let weight = generator.normal(outputs * inputs, std as f32);
    (weight, vec![0.0; outputs])
}

/// Uploads the token ids and the bias of the attention scores.
///
/// # Shapes
/// Both `[batch, seq]`.
pub(crate) fn batch_tensors(batch: &Batch, device: &Device) -> (Tensor<2, Int>, Tensor<2>) {
    let shape = [batch.batch, batch.seq];
    let input_ids = Tensor::from_data(TensorData::new(batch.input_ids.clone(), shape), device);
    (input_ids, attention_bias(batch, device))
}
