//! The three layers that BERT is made of, in PyTorch's parameter layout: `Linear` keeps its weight as
//! `[out_features, in_features]`, so that a checkpoint's bytes are the parameter's bytes.

use super::LoraAdapter;
use crate::kernels::{self, DropoutMask, DropoutStream};
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// `y = x Wᵀ + b` (`torch.nn.Linear`), with the updates of its adapters where it has some.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[out_features, in_features]`.
    pub weight: Param<Tensor<2>>,
    /// `[out_features]`.
    pub bias: Param<Tensor<1>>,
    /// LoRA's, each beside a part of the output.
    pub lora: Vec<LoraAdapter>,
}

impl Linear {
    /// A layer without adapters.
    pub fn new(weight: Param<Tensor<2>>, bias: Param<Tensor<1>>) -> Self {
        Self {
            weight,
            bias,
            lora: Vec::new(),
        }
    }

    /// `input` `[rows, in_features]` → `[rows, out_features]`.
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let (weight, bias) = self.parameters();
        let output = kernels::linear(input.clone(), weight, bias);
        self.lora.iter().fold(output, |output, adapter| {
            adapter.add_to(output, input.clone())
        })
    }

    /// Weight and bias.
    pub fn parameters(&self) -> (Tensor<2>, Tensor<1>) {
        (self.weight.val(), self.bias.val())
    }
}

/// LayerNorm over the last dimension (`torch.nn.LayerNorm`; biased variance).
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// Scale, `[hidden_size]`.
    pub weight: Param<Tensor<1>>,
    /// Shift, `[hidden_size]`.
    pub bias: Param<Tensor<1>>,
    /// Added to the variance.
    pub eps: f64,
}

impl LayerNorm {
    /// Normalizes `input` `[rows, hidden_size]`.
    pub fn normalize(&self, input: Tensor<2>) -> Tensor<2> {
        kernels::layer_norm(input, self.weight.val(), self.bias.val(), self.eps)
    }

    /// Normalizes `residual` plus `input` after its dropout, both `[rows, hidden_size]`.
    pub fn forward(&self, input: Tensor<2>, residual: Tensor<2>, mask: DropoutMask) -> Tensor<2> {
        kernels::residual_layer_norm(
            input,
            residual,
            self.weight.val(),
            self.bias.val(),
            self.eps,
            mask,
        )
    }
}

/// Dropout while training (`torch.nn.Dropout`).
#[derive(Module, Debug)]
pub struct Dropout {
    /// Probability that a value is zeroed; the others are scaled by `1 / (1 - prob)`.
    pub prob: f64,
}

impl Dropout {
    /// The next mask of `stream`; one that keeps everything where there is none.
    pub fn mask(&self, stream: &mut Option<DropoutStream>) -> DropoutMask {
        match stream {
            Some(stream) if self.prob > 0.0 => stream.mask(self.prob),
            _ => DropoutMask::NONE,
        }
    }

    /// Zeroes values at random while training.
    pub fn forward<const D: usize>(
        &self,
        input: Tensor<D>,
        stream: &mut Option<DropoutStream>,
    ) -> Tensor<D> {
        let mask = self.mask(stream);
        if mask.is_none() {
            return input;
        }
        kernels::dropout(input, mask)
    }
}

/// A parameter of `values`, trainable when `device` has autodiff.
pub(crate) fn parameter<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_data(TensorData::new(values, shape), device)
}
