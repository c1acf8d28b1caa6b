//! `layer_norm(dropout(input) + residual)` and its gradients: one dispatch forward, two backward. The residual is
//! optional.

use super::dropout::{Mask, keep_factor, mask_arg};
use super::row_reduction::{row_and_column, row_sum, threads_per_row};
use super::{empty, empty_activation, workgroup_count, workgroup_dim};
use crate::kernels::DropoutMask;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Compile-time parameters of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Variant {
    threads: usize,
    with_dropout: bool,
    with_residual: bool,
}

/// Computes `dropout(input) + residual` at the flat index `at`.
#[cube]
fn sum_at(
    input: &[f32],
    residual: &[f32],
    at: usize,
    mask: &Mask,
    #[comptime] variant: Variant,
) -> f32 {
    let mut value = input[at];
    if comptime![variant.with_dropout] {
        value *= keep_factor(at, mask);
    }
    if comptime![variant.with_residual] {
        value += residual[at];
    }
    value
}

/// Returns mean and `1 / sqrt(variance + eps)` of the row that starts at `start`. The variance is computed from
/// centered values in a second pass, because `E[x²] - E[x]²` loses precision to cancellation.
#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn moments(
    input: &[f32],
    residual: &[f32],
    start: usize,
    first_column: usize,
    width: usize,
    eps: f32,
    mask: &Mask,
    #[comptime] variant: Variant,
) -> (f32, f32) {
    let mut partial = f32::new(0.0);
    let mut column = first_column;
    while column < width {
        partial += sum_at(input, residual, start + column, mask, variant);
        column += comptime![variant.threads];
    }
    let mean = row_sum(partial, variant.threads) / width as f32;
    let mut partial = f32::new(0.0);
    let mut column = first_column;
    while column < width {
        let centered = sum_at(input, residual, start + column, mask, variant) - mean;
        partial += centered * centered;
        column += comptime![variant.threads];
    }
    let variance = row_sum(partial, variant.threads) / width as f32;
    (mean, (variance + eps).inverse_sqrt())
}

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn forward_kernel(
    input: &[f32],
    residual: &[f32],
    weight: &[f32],
    bias: &[f32],
    output: &mut [f32],
    rows: usize,
    width: usize,
    eps: f32,
    mask: Mask,
    #[comptime] variant: Variant,
) {
    let (row, first_column) = row_and_column(variant.threads);
    if row < rows {
        let start = row * width;
        let (mean, inverse) = moments(
            input,
            residual,
            start,
            first_column,
            width,
            eps,
            &mask,
            variant,
        );
        let mut column = first_column;
        while column < width {
            let at = start + column;
            let value = sum_at(input, residual, at, &mask, variant);
            output[at] = (value - mean) * inverse * weight[column] + bias[column];
            column += comptime![variant.threads];
        }
    }
}

/// Computes the gradients of input and residual, and each row's mean and inverse deviation for [`weight_kernel`]. See
/// `reference::layer_norm_backward` for the formula.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn backward_kernel(
    input: &[f32],
    residual: &[f32],
    weight: &[f32],
    grad: &[f32],
    input_grad: &mut [f32],
    residual_grad: &mut [f32],
    statistics: &mut [f32],
    rows: usize,
    width: usize,
    eps: f32,
    mask: Mask,
    #[comptime] variant: Variant,
) {
    let (row, first_column) = row_and_column(variant.threads);
    if row < rows {
        let start = row * width;
        let (mean, inverse) = moments(
            input,
            residual,
            start,
            first_column,
            width,
            eps,
            &mask,
            variant,
        );
        if first_column == 0 {
            statistics[row * 2] = mean;
            statistics[row * 2 + 1] = inverse;
        }
        let mut total = f32::new(0.0);
        let mut dot = f32::new(0.0);
        let mut column = first_column;
        while column < width {
            let at = start + column;
            let normalized = (sum_at(input, residual, at, &mask, variant) - mean) * inverse;
            let scaled_grad = grad[at] * weight[column];
            total += scaled_grad;
            dot += scaled_grad * normalized;
            column += comptime![variant.threads];
        }
        let total = row_sum(total, variant.threads) / width as f32;
        let dot = row_sum(dot, variant.threads) / width as f32;
        let mut column = first_column;
        while column < width {
            let at = start + column;
            let normalized = (sum_at(input, residual, at, &mask, variant) - mean) * inverse;
            let sum_grad = (grad[at] * weight[column] - total - normalized * dot) * inverse;
            residual_grad[at] = sum_grad;
            if comptime![variant.with_dropout] {
                input_grad[at] = sum_grad * keep_factor(at, &mask);
            }
            column += comptime![variant.threads];
        }
    }
}

/// Computes the gradients of weight and bias, with one thread per column.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn weight_kernel(
    input: &[f32],
    residual: &[f32],
    grad: &[f32],
    statistics: &[f32],
    weight_grad: &mut [f32],
    bias_grad: &mut [f32],
    rows: usize,
    width: usize,
    mask: Mask,
    #[comptime] variant: Variant,
) {
    if ABSOLUTE_POS < width {
        let mut weight_sum = f32::new(0.0);
        let mut bias_sum = f32::new(0.0);
        for row in 0..rows {
            let at = row * width + ABSOLUTE_POS;
            let value = sum_at(input, residual, at, &mask, variant);
            let normalized = (value - statistics[row * 2]) * statistics[row * 2 + 1];
            weight_sum += grad[at] * normalized;
            bias_sum += grad[at];
        }
        weight_grad[ABSOLUTE_POS] = weight_sum;
        bias_grad[ABSOLUTE_POS] = bias_sum;
    }
}

/// The tensors that all kernels read, and their dimensions.
struct Inputs {
    input: CubeTensor,
    residual: CubeTensor,
    rows: usize,
    width: usize,
    variant: Variant,
}

impl Inputs {
    fn new(input: CubeTensor, residual: Option<CubeTensor>, mask: DropoutMask) -> Self {
        let input = into_contiguous(input);
        let variant = Variant {
            threads: threads_per_row(&input),
            with_dropout: !mask.is_none(),
            with_residual: residual.is_some(),
        };
        Self {
            // WebGPU needs a buffer for the binding also if the kernel does not read it.
            residual: residual.map_or_else(|| empty(&input, [1]), into_contiguous),
            rows: input.meta.shape()[0],
            width: input.meta.shape()[1],
            input,
            variant,
        }
    }
}

/// Implements [`residual_layer_norm`](crate::kernels::residual_layer_norm), or
/// [`layer_norm`](crate::kernels::layer_norm) without a residual.
pub(super) fn forward(
    input: CubeTensor,
    residual: Option<CubeTensor>,
    weight: CubeTensor,
    bias: CubeTensor,
    eps: f64,
    mask: DropoutMask,
) -> CubeTensor {
    let [weight, bias] = [weight, bias].map(into_contiguous);
    let Inputs {
        input,
        residual,
        rows,
        width,
        variant,
    } = Inputs::new(input, residual, mask);
    let output = empty_activation(&input, [rows, width]);
    // SAFETY: the row-shaped buffers hold `rows * width` values, the others `width`; no thread exceeds `rows`.
    unsafe {
        forward_kernel::launch_unchecked(
            &output.client,
            workgroup_count(rows * variant.threads),
            workgroup_dim(),
            input.into_buffer_arg(),
            residual.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            width,
            eps as f32,
            mask_arg(mask),
            variant,
        );
    }
    output
}

/// Returns the gradients of input, residual, weight and bias.
pub(super) fn backward(
    input: CubeTensor,
    residual: Option<CubeTensor>,
    weight: CubeTensor,
    grad: CubeTensor,
    eps: f64,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let [weight, grad] = [weight, grad].map(into_contiguous);
    let inputs = Inputs::new(input, residual, mask);
    let (input_grad, residual_grad, statistics) =
        input_gradients(&inputs, weight, grad.clone(), eps, mask);
    let (weight_grad, bias_grad) = weight_gradients(inputs, grad, statistics, mask);
    (input_grad, residual_grad, weight_grad, bias_grad)
}

/// Returns the gradients of input and residual, and each row's mean and inverse deviation.
fn input_gradients(
    inputs: &Inputs,
    weight: CubeTensor,
    grad: CubeTensor,
    eps: f64,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let Inputs {
        input,
        residual,
        rows,
        width,
        variant,
    } = inputs;
    let residual_grad = empty_activation(input, [*rows, *width]);
    // Without dropout, input and residual have the same gradient. WebGPU needs a buffer for the binding all the same,
    // and a different one.
    let input_grad = if variant.with_dropout {
        empty_activation(input, [*rows, *width])
    } else {
        empty(input, [1])
    };
    let statistics = empty_activation(input, [*rows, 2]);
    // SAFETY: as in `forward`; `statistics` holds two values per row.
    unsafe {
        backward_kernel::launch_unchecked(
            &input.client,
            workgroup_count(rows * variant.threads),
            workgroup_dim(),
            input.clone().into_buffer_arg(),
            residual.clone().into_buffer_arg(),
            weight.into_buffer_arg(),
            grad.into_buffer_arg(),
            input_grad.clone().into_buffer_arg(),
            residual_grad.clone().into_buffer_arg(),
            statistics.clone().into_buffer_arg(),
            *rows,
            *width,
            eps as f32,
            mask_arg(mask),
            *variant,
        );
    }
    let input_grad = if variant.with_dropout {
        input_grad
    } else {
        residual_grad.clone()
    };
    (input_grad, residual_grad, statistics)
}

/// Returns the gradients of weight and bias.
fn weight_gradients(
    inputs: Inputs,
    grad: CubeTensor,
    statistics: CubeTensor,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor) {
    let Inputs {
        input,
        residual,
        rows,
        width,
        variant,
    } = inputs;
    let (weight_grad, bias_grad) = (empty(&input, [width]), empty(&input, [width]));
    // SAFETY: no thread exceeds `width`, or in its column `rows`.
    unsafe {
        weight_kernel::launch_unchecked(
            &weight_grad.client,
            workgroup_count(width),
            workgroup_dim(),
            input.into_buffer_arg(),
            residual.into_buffer_arg(),
            grad.into_buffer_arg(),
            statistics.into_buffer_arg(),
            weight_grad.clone().into_buffer_arg(),
            bias_grad.clone().into_buffer_arg(),
            rows,
            width,
            mask_arg(mask),
            variant,
        );
    }
    (weight_grad, bias_grad)
}
