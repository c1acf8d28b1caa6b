//! WebGPU: kernels of our own where burn's are slow or many, each one compared with the CPU device in the browser tests.
//!
//! None uses subgroups, shared memory or atomics: every WebGPU adapter runs them, and a software adapter, which pays dearly for
//! barriers, runs them well.

mod adamw;
mod attention_probs;
mod dropout;
mod gelu;
mod layer_norm;
mod matmul;
mod reduce;

use super::{AdamWScalars, BertOps, DropoutMask, SquaresPlace};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

impl BertOps for CubeBackend {
    fn bert_matmul(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self> {
        matmul::launch(lhs, rhs, None)
    }

    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        matmul::launch(input, Self::float_transpose(weight), Some(bias))
    }

    fn bert_sum_rows(input: FloatTensor<Self>) -> FloatTensor<Self> {
        reduce::sum_rows(input)
    }

    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::forward(input)
    }

    fn bert_gelu_backward(input: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::backward(input, grad)
    }

    fn bert_dropout(input: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        dropout::launch(input, mask)
    }

    fn bert_residual_layer_norm(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        layer_norm::forward(input, residual, weight, bias, eps, mask)
    }

    fn bert_residual_layer_norm_backward(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        layer_norm::backward(input, residual, weight, grad, eps, mask)
    }

    fn bert_attention_probs_pair(
        scores: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        scale: f64,
        mask: DropoutMask,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        attention_probs::forward(scores, bias, scale, mask)
    }

    fn bert_attention_probs_backward(
        probs: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        scale: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        attention_probs::backward(probs, grad, scale, mask)
    }

    fn bert_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        clip: FloatTensor<Self>,
        scalars: AdamWScalars,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        adamw::step(parameter, gradient, (first, second), clip, scalars)
    }

    fn bert_squares(
        sums: FloatTensor<Self>,
        input: FloatTensor<Self>,
        place: SquaresPlace,
    ) -> FloatTensor<Self> {
        reduce::squares(sums, input, place)
    }
}

/// Units a cube of an element-wise kernel.
const UNITS: u32 = 64;
/// Most cubes in one dimension that WebGPU guarantees (`maxComputeWorkgroupsPerDimension`).
const MOST_CUBES: u32 = 65_535;

/// Cubes enough for one unit per element; the kernel leaves out the units past the end.
fn cubes_for(elements: usize) -> CubeCount {
    let cubes = elements.div_ceil(UNITS as usize) as u32;
    let rows = cubes.div_ceil(MOST_CUBES).max(1);
    CubeCount::Static(cubes.div_ceil(rows), rows, 1)
}

fn cube_dim() -> CubeDim {
    CubeDim::new_1d(UNITS)
}

/// A new tensor beside `like`, its rows one behind another.
fn empty(like: &CubeTensor, shape: impl Into<burn::tensor::Shape>) -> CubeTensor {
    empty_device_contiguous_dtype(
        like.client.clone(),
        like.device.clone(),
        shape.into(),
        like.dtype,
    )
}

/// The tensor's own buffer when nobody else reads it, else a copy, to be written to.
fn writable(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    if tensor.handle.can_mut() {
        tensor
    } else {
        tensor.copy()
    }
}
