//! Multi-head self-attention with its output projection, residual connection and LayerNorm.

use super::parameters::Scope;
use super::{BertConfig, Dropout, LayerNorm, Linear};
use crate::kernels::{self, DropoutStream, HeadsShape};
use crate::tokens::Batch;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

/// Added to the attention score of a padding token. Its probability is then exactly 0 in f32; a finite value avoids the
/// NaN of a row that only has padding. transformers adds `finfo(float32).min`.
const PADDING_BIAS: f32 = -1e30;

/// The attention heads.
///
/// Mirrors transformers' [`BertSelfAttention`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertSelfAttention {
    /// `query`, `key` and `value` as one layer, so that one product computes the three: weight
    /// `[3 * hidden_size, hidden_size]`. Checkpoints and
    /// [`named_parameters`](super::BertForSequenceClassification::named_parameters) have the three.
    pub query_key_value: Linear,
    /// Dropout of the attention probabilities.
    pub dropout: Dropout,
    /// Number of heads.
    pub num_attention_heads: usize,
}

impl BertSelfAttention {
    fn lazy(config: &BertConfig, device: &Device) -> Self {
        let hidden_size = config.hidden_size;
        Self {
            query_key_value: Linear::lazy(3 * hidden_size, hidden_size, device),
            dropout: Dropout {
                prob: config.attention_probs_dropout_prob,
            },
            num_attention_heads: config.num_attention_heads,
        }
    }

    fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        scope.joined_linear(&["query", "key", "value"], &mut self.query_key_value);
    }

    /// Computes the context vectors of all heads. `dropouts` is `Some` during training.
    ///
    /// # Shapes
    /// `hidden` `[batch * seq, hidden_size]`, `bias` `[batch, seq]` → `[batch * seq, hidden_size]`.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        bias: Tensor<2>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let [batch, seq] = bias.dims();
        let shape = HeadsShape {
            batch,
            seq,
            heads: self.num_attention_heads,
            head_size: hidden.dims()[1] / self.num_attention_heads,
        };
        let projected = self.query_key_value.forward(hidden);
        let mask = self.dropout.mask(dropouts);
        kernels::attention(projected, bias, shape, mask)
    }
}

/// The output projection of the attention, with dropout, residual connection and LayerNorm.
///
/// Mirrors transformers' [`BertSelfOutput`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertSelfOutput {
    /// Weight `[hidden_size, hidden_size]`.
    pub dense: Linear,
    /// Applied after the residual connection.
    pub layer_norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
}

impl BertSelfOutput {
    fn lazy(config: &BertConfig, device: &Device) -> Self {
        let hidden_size = config.hidden_size;
        Self {
            dense: Linear::lazy(hidden_size, hidden_size, device),
            layer_norm: LayerNorm::lazy(hidden_size, config.layer_norm_eps, device),
            dropout: Dropout {
                prob: config.hidden_dropout_prob,
            },
        }
    }

    fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        scope.linear("dense", &mut self.dense);
        scope.layer_norm("LayerNorm", &mut self.layer_norm);
    }

    /// Projects `context` and adds it to `residual`. `dropouts` is `Some` during training.
    ///
    /// # Shapes
    /// `context` and `residual` `[batch * seq, hidden_size]` → `[batch * seq, hidden_size]`.
    pub fn forward(
        &self,
        context: Tensor<2>,
        residual: Tensor<2>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let output = self.dense.forward(context);
        let mask = self.dropout.mask(dropouts);
        self.layer_norm.forward(output, residual, mask)
    }
}

/// Self-attention and its output projection.
///
/// Mirrors transformers' [`BertAttention`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertAttention {
    /// `self` in transformers.
    pub self_attention: BertSelfAttention,
    /// Projection, residual connection and LayerNorm.
    pub output: BertSelfOutput,
}

impl BertAttention {
    pub(super) fn lazy(config: &BertConfig, device: &Device) -> Self {
        Self {
            self_attention: BertSelfAttention::lazy(config, device),
            output: BertSelfOutput::lazy(config, device),
        }
    }

    pub(super) fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        self.self_attention.visit_parameters(scope.child("self"));
        self.output.visit_parameters(scope.child("output"));
    }

    /// Applies attention, projection and residual connection. `dropouts` is `Some` during training.
    ///
    /// # Shapes
    /// `hidden` `[batch * seq, hidden_size]`, `bias` `[batch, seq]` of attention scores → `[batch * seq, hidden_size]`.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        bias: Tensor<2>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let context = self.self_attention.forward(hidden.clone(), bias, dropouts);
        self.output.forward(context, hidden, dropouts)
    }
}

/// Returns the term that is added to the attention scores: 0 for a token, [`PADDING_BIAS`] for padding.
///
/// # Shapes
/// A batch of `[batch, seq]` → `[batch, seq]`.
pub(super) fn attention_bias(batch: &Batch, device: &Device) -> Tensor<2> {
    let bias = |&mask: &u8| if mask == 1 { 0.0 } else { PADDING_BIAS };
    let bias: Vec<f32> = batch.attention_mask.iter().map(bias).collect();
    Tensor::from_data(TensorData::new(bias, [batch.batch, batch.seq]), device)
}
