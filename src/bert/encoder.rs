//! The encoder: a stack of layers of attention and feed-forward network.

use super::parameters::Scope;
use super::{BertAttention, BertConfig, Dropout, HiddenAct, LayerNorm, Linear};
use crate::kernels::{self, DropoutStream};
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// The first half of the feed-forward network: a linear layer, followed by the activation.
///
/// Mirrors transformers' [`BertIntermediate`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertIntermediate {
    /// Weight `[intermediate_size, hidden_size]`.
    pub dense: Linear,
    /// `hidden_act`.
    #[module(skip)]
    pub hidden_act: HiddenAct,
}

impl BertIntermediate {
    fn lazy(config: &BertConfig, device: &Device) -> Self {
        Self {
            dense: Linear::lazy(config.intermediate_size, config.hidden_size, device),
            hidden_act: config.activation(),
        }
    }

    fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        scope.linear("dense", &mut self.dense);
    }
}

/// The second half of the feed-forward network: a linear layer, dropout, residual connection and LayerNorm.
///
/// Mirrors transformers' [`BertOutput`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertOutput {
    /// Weight `[hidden_size, intermediate_size]`.
    pub dense: Linear,
    /// Applied after the residual connection.
    pub layer_norm: LayerNorm,
    /// `hidden_dropout_prob`.
    pub dropout: Dropout,
}

impl BertOutput {
    fn lazy(config: &BertConfig, device: &Device) -> Self {
        let hidden_size = config.hidden_size;
        Self {
            dense: Linear::lazy(hidden_size, config.intermediate_size, device),
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
}

/// Attention and feed-forward network.
///
/// Mirrors transformers' [`BertLayer`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertLayer {
    /// Self-attention with its residual connection.
    pub attention: BertAttention,
    /// First half of the feed-forward network.
    pub intermediate: BertIntermediate,
    /// Second half of the feed-forward network.
    pub output: BertOutput,
}

impl BertLayer {
    fn lazy(config: &BertConfig, device: &Device) -> Self {
        Self {
            attention: BertAttention::lazy(config, device),
            intermediate: BertIntermediate::lazy(config, device),
            output: BertOutput::lazy(config, device),
        }
    }

    fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        self.attention.visit_parameters(scope.child("attention"));
        self.intermediate
            .visit_parameters(scope.child("intermediate"));
        self.output.visit_parameters(scope.child("output"));
    }

    /// Applies the layer. `dropouts` is `Some` during training.
    ///
    /// # Shapes
    /// `hidden` `[batch * seq, hidden_size]`, `bias` `[batch, seq]` of attention scores → `[batch * seq, hidden_size]`.
    pub fn forward(
        &self,
        hidden: Tensor<2>,
        bias: Tensor<2>,
        dropouts: &mut Option<DropoutStream>,
    ) -> Tensor<2> {
        let attended = self.attention.forward(hidden, bias, dropouts);
        let output = self.feed_forward(attended.clone());
        let mask = self.output.dropout.mask(dropouts);
        self.output.layer_norm.forward(output, attended, mask)
    }

    /// Uses the fused kernel, unless a LoRA adapter adds to one of the two linear layers or the activation is not the
    /// exact GELU.
    fn feed_forward(&self, input: Tensor<2>) -> Tensor<2> {
        let (intermediate, output) = (&self.intermediate.dense, &self.output.dense);
        let hidden_act = self.intermediate.hidden_act;
        let is_fused = hidden_act == HiddenAct::Gelu;
        if is_fused && intermediate.lora.is_empty() && output.lora.is_empty() {
            return kernels::feed_forward(input, intermediate.parameters(), output.parameters());
        }
        output.forward(hidden_act.forward(intermediate.forward(input)))
    }
}

/// The stack of layers.
///
/// Mirrors transformers' [`BertEncoder`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py
#[derive(Module, Debug)]
pub struct BertEncoder {
    /// The layers in the order of the forward pass.
    pub layer: Vec<BertLayer>,
}

impl BertEncoder {
    pub(crate) fn lazy(config: &BertConfig, device: &Device) -> Self {
        let layer = |_| BertLayer::lazy(config, device);
        Self {
            layer: (0..config.num_hidden_layers).map(layer).collect(),
        }
    }

    pub(super) fn visit_parameters(&mut self, mut scope: Scope<'_>) {
        for (at, layer) in self.layer.iter_mut().enumerate() {
            layer.visit_parameters(scope.child(&format!("layer.{at}")));
        }
    }

    /// Applies every layer. `dropouts` is `Some` during training.
    ///
    /// # Shapes
    /// `hidden` `[batch * seq, hidden_size]`, `bias` `[batch, seq]` of attention scores → `[batch * seq, hidden_size]`.
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
