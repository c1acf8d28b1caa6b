//! The stack of encoder layers (transformers' `BertLayer`, `BertEncoder`).

use super::{BertAttention, Dropout, LayerNorm, Linear};
use crate::kernels::{self, DropoutStream};
use burn::module::Module;
use burn::tensor::Tensor;

/// Attention, then a feed-forward of two linear layers with the exact GELU, each with residual and LayerNorm.
#[derive(Module, Debug)]
pub struct BertLayer {
    /// Self-attention with its residual.
    pub attention: BertAttention,
    /// `intermediate.dense`, `[intermediate_size, hidden_size]`.
    pub intermediate: Linear,
    /// `output.dense`, `[hidden_size, intermediate_size]`.
    pub output: Linear,
    /// `output.LayerNorm`.
    pub layer_norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
}

impl BertLayer {
    /// `[batch * seq, hidden_size]` and the attention's `bias` `[batch, seq]` → the first's shape. `dropouts` is there while training.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        bias: Tensor<2>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let attended = self.attention.forward(hidden, bias, dropouts);
        let output = if self.intermediate.lora.is_empty() && self.output.lora.is_empty() {
            kernels::feed_forward(
                attended.clone(),
                self.intermediate.parameters(),
                self.output.parameters(),
            )
        } else {
            let middle = self.intermediate.forward(attended.clone());
            self.output.forward(kernels::gelu(middle))
        };
        let mask = self.dropout.mask(dropouts);
        self.layer_norm.forward(output, attended, mask)
    }
}

/// The layers one after another.
#[derive(Module, Debug)]
pub struct BertEncoder {
    /// From the embeddings up.
    pub layer: Vec<BertLayer>,
}

impl BertEncoder {
    /// `[batch * seq, hidden_size]` and the attention's `bias` `[batch, seq]` → the first's shape. `dropouts` is there while training.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        bias: Tensor<2>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        self.layer.iter().fold(hidden, |hidden, layer| {
            layer.forward(hidden, bias.clone(), dropouts)
        })
    }
}
