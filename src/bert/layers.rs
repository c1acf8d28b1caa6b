//! The layers that BERT consists of, with PyTorch's parameter layout: `Linear` stores its weight as
//! `[out_features, in_features]`, so that the bytes of a checkpoint are the bytes of the parameter.

use super::LoraAdapter;
use crate::kernels::{self, DropoutMask, DropoutStream};
use burn::module::{Module, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

/// `y = x Wᵀ + b`, plus the updates of the LoRA adapters, if any.
///
/// Mirrors [`torch.nn.Linear`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html).
#[derive(Module, Debug)]
pub struct Linear {
    /// `[out_features, in_features]`.
    pub weight: Param<Tensor<2>>,
    /// `[out_features]`.
    pub bias: Param<Tensor<1>>,
    /// LoRA adapters. Each adds to a range of the output columns.
    pub lora: Vec<LoraAdapter>,
}

impl Linear {
    /// Creates a layer without adapters.
    pub fn new(weight: Param<Tensor<2>>, bias: Param<Tensor<1>>) -> Self {
        Self {
            weight,
            bias,
            lora: Vec::new(),
        }
    }

    /// Creates a layer of weight `[out_features, in_features]` that allocates nothing until its parameters are read.
    pub(super) fn lazy(out_features: usize, in_features: usize, device: &Device) -> Self {
        let weight = lazy_parameter([out_features, in_features], device);
        Self::new(weight, lazy_parameter([out_features], device))
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// `input` `[rows, in_features]` → `[rows, out_features]`.
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let (weight, bias) = self.parameters();
        let output = kernels::linear(input.clone(), weight, bias);
        self.lora.iter().fold(output, |output, adapter| {
            adapter.add_to(output, input.clone())
        })
    }

    /// Returns weight and bias.
    pub fn parameters(&self) -> (Tensor<2>, Tensor<1>) {
        (self.weight.val(), self.bias.val())
    }
}

/// LayerNorm over the last dimension, with the biased variance.
///
/// Mirrors [`torch.nn.LayerNorm`](https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html).
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
    /// Creates a LayerNorm that allocates nothing until its parameters are read.
    pub(super) fn lazy(hidden_size: usize, eps: f64, device: &Device) -> Self {
        Self {
            weight: lazy_parameter([hidden_size], device),
            bias: lazy_parameter([hidden_size], device),
            eps,
        }
    }

    /// Normalizes `input`.
    ///
    /// # Shapes
    /// `[rows, hidden_size]` → `[rows, hidden_size]`.
    pub fn normalize(&self, input: Tensor<2>) -> Tensor<2> {
        kernels::layer_norm(input, self.weight.val(), self.bias.val(), self.eps)
    }

    /// Normalizes the sum of `residual` and of `input` after dropout by `mask`.
    ///
    /// # Shapes
    /// `input` and `residual` `[rows, hidden_size]` → `[rows, hidden_size]`.
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

/// Dropout, active during training only.
///
/// Mirrors [`torch.nn.Dropout`](https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html).
#[derive(Module, Debug)]
pub struct Dropout {
    /// Probability that a value is zeroed; the others are scaled by `1 / (1 - prob)`.
    pub prob: f64,
}

impl Dropout {
    /// Returns the next mask of `stream`, or the mask that keeps every value if there is no stream.
    pub fn mask(&self, stream: &mut Option<DropoutStream>) -> DropoutMask {
        match stream {
            Some(stream) if self.prob > 0.0 => stream.mask(self.prob),
            _ => DropoutMask::NONE,
        }
    }

    /// Zeroes random values of `input`, if there is a `stream`.
    ///
    /// # Shapes
    /// Any shape → the same shape.
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

/// Creates a parameter of `values`, trainable if `device` has autodiff.
pub(crate) fn parameter<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_data(TensorData::new(values, shape), device)
}

/// Creates a parameter of zeros that is allocated when it is first read, so that a network of them only has shapes.
pub(super) fn lazy_parameter<const D: usize>(
    shape: [usize; D],
    device: &Device,
) -> Param<Tensor<D>> {
    let init = move |device: &Device, require_grad| {
        Tensor::<D>::zeros(shape, device).set_require_grad(require_grad)
    };
    Param::uninitialized(ParamId::new(), init, device.clone(), true, shape.into())
}
