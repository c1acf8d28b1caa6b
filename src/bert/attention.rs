//! Multi-head self-attention with its output projection, residual and LayerNorm (transformers' `BertAttention`).

use super::{Dropout, LayerNorm, Linear};
use crate::kernels::{self, DropoutStream, HeadsShape};
use crate::tokens::Batch;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

/// What is added to the score of a padding token: low enough that its probability is exactly 0 in f32, finite so
/// that a row of padding alone gives no NaN. transformers adds `finfo(float32).min`.
const MASKED: f32 = -1e30;

/// Self-attention and what follows it up to the feed-forward.
#[derive(Module, Debug)]
pub struct BertAttention {
    /// `query`, `key` and `value`, their rows one behind another: weight `[3 * hidden_size, hidden_size]`. One product instead of three;
    /// checkpoints and [`named_parameters`](super::BertForSequenceClassification::named_parameters) have the three.
    pub query_key_value: Linear,
    /// Output projection (`attention.output.dense`).
    pub dense: Linear,
    /// After the residual (`attention.output.LayerNorm`).
    pub layer_norm: LayerNorm,
    /// Of the attention probabilities.
    pub probs_dropout: Dropout,
    /// Of the projected output.
    pub dropout: Dropout,
    /// Heads.
    pub num_attention_heads: usize,
}

impl BertAttention {
    /// `hidden` `[batch * seq, hidden_size]` and `bias` `[batch, seq]` from [`attention_bias`] → the shape of `hidden`. `dropouts` is there
    /// while training.
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
        let projected = self.query_key_value.forward(hidden.clone());
        let mask = self.probs_dropout.mask(dropouts);
        let context = kernels::attention(projected, bias, shape, mask);
        let output = self.dense.forward(context);
        let mask = self.dropout.mask(dropouts);
        self.layer_norm.forward(output, hidden, mask)
    }
}

/// What is added to the attention scores: 0 for a token, [`MASKED`] for padding, `[batch, seq]`.
pub(super) fn attention_bias(batch: &Batch, device: &Device) -> Tensor<2> {
    let bias = |&mask: &u8| if mask == 1 { 0.0 } else { MASKED };
    let bias: Vec<f32> = batch.attention_mask.iter().map(bias).collect();
    Tensor::from_data(TensorData::new(bias, [batch.batch, batch.seq]), device)
}
