//! Multi-head self-attention with its output projection, residual and LayerNorm (transformers' `BertAttention`).

use super::{Dropout, LayerNorm, Linear};
use crate::kernels::{self, DropoutStream};
use burn::module::Module;
use burn::tensor::Tensor;

/// What is added to the score of a padding token: low enough that its probability is exactly 0 in f32, finite so
/// that a row of padding alone gives no NaN. transformers adds `finfo(float32).min`.
const MASKED: f32 = -1e30;

/// Self-attention and what follows it up to the feed-forward.
#[derive(Module, Debug)]
pub struct BertAttention {
    /// Queries.
    pub query: Linear,
    /// Keys.
    pub key: Linear,
    /// Values.
    pub value: Linear,
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
    /// `hidden` `[batch, seq, hidden_size]` and `bias` `[batch, 1, 1, seq]` from [`attention_bias`] → the shape of `hidden`. `dropouts` is
    /// there while training.
    pub fn forward(
        &self,
        hidden: Tensor<3>,
        bias: Tensor<4>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<3> {
        let [batch, seq, hidden_size] = hidden.dims();
        let head_size = hidden_size / self.num_attention_heads;
        let heads = |projected: Tensor<3>| {
            projected
                .reshape([batch, seq, self.num_attention_heads, head_size])
                .swap_dims(1, 2)
        };
        let query = heads(self.query.forward(hidden.clone()));
        let key = heads(self.key.forward(hidden.clone()));
        let value = heads(self.value.forward(hidden.clone()));
        let scores = kernels::matmul(query, key.transpose());
        let scale = 1.0 / (head_size as f64).sqrt();
        let mask = self.probs_dropout.mask(dropouts);
        let probs = kernels::attention_probs(scores, bias, scale, mask);
        let context =
            kernels::matmul(probs, value)
                .swap_dims(1, 2)
                .reshape([batch, seq, hidden_size]);
        let output = self.dense.forward(context);
        let mask = self.dropout.mask(dropouts);
        self.layer_norm.forward(output, hidden, mask)
    }
}

/// What is added to the attention scores: 0 for a token, [`MASKED`] for padding. `attention_mask` `[batch, seq]` of 1 and 0 →
/// `[batch, 1, 1, seq]`.
pub(super) fn attention_bias(attention_mask: Tensor<2>) -> Tensor<4> {
    let [batch, seq] = attention_mask.dims();
    ((attention_mask - 1.0) * -MASKED).reshape([batch, 1, 1, seq])
}
