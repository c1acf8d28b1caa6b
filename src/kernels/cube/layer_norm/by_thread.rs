//! The backward pass of layer normalization for software adapters: one thread per row, then one thread per column.

use super::{Backward, Buffers, Inputs, Variant, moments, sum_at};
use crate::kernels::cube::dropout::{MaskArgs, keep_factor, mask_args, mask_of, pass_key};
use crate::kernels::cube::row_reduction::{row_and_column, row_sum};
use crate::kernels::cube::{empty, workgroup_count, workgroup_dim};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Computes the gradients of input and residual, and each row's mean and inverse deviation for [`weight_kernel`], which
/// follow the gradient of the input from `statistics_start` on. See `reference::layer_norm_backward` for the formula.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn backward_kernel(
    input: &[f32],
    residual: &[f32],
    weight: &[f32],
    grad: &[f32],
    pass: &[u32],
    input_grad: &mut [f32],
    residual_grad: &mut [f32],
    rows: usize,
    width: usize,
    statistics_start: usize,
    eps: f32,
    mask: MaskArgs,
    #[comptime] variant: Variant,
    #[comptime] with_weight: bool,
) {
    let (row, first_column) = row_and_column(variant.threads);
    if row < rows {
        let mask = mask_of(pass, mask, variant.with_dropout);
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
        if comptime![with_weight] {
            input_grad[statistics_start + row * 2] = mean;
            input_grad[statistics_start + row * 2 + 1] = inverse;
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
    pass: &[u32],
    weight_grad: &mut [f32],
    bias_grad: &mut [f32],
    rows: usize,
    width: usize,
    statistics_start: usize,
    mask: MaskArgs,
    #[comptime] variant: Variant,
) {
    if ABSOLUTE_POS < width {
        let mask = mask_of(pass, mask, variant.with_dropout);
        let mut weight_sum = f32::new(0.0);
        let mut bias_sum = f32::new(0.0);
        for row in 0..rows {
            let at = row * width + ABSOLUTE_POS;
            let value = sum_at(input, residual, at, &mask, variant);
            let of_row = statistics_start + row * 2;
            let normalized = (value - statistics[of_row]) * statistics[of_row + 1];
            weight_sum += grad[at] * normalized;
            bias_sum += grad[at];
        }
        weight_grad[ABSOLUTE_POS] = weight_sum;
        bias_grad[ABSOLUTE_POS] = bias_sum;
    }
}

/// Computes the gradients of input and residual. Returns those of weight and bias, if they are wanted.
pub(super) fn launch(pass: &Backward) -> Option<(CubeTensor, CubeTensor)> {
    let Backward {
        inputs,
        weight,
        grad,
        buffers,
        ..
    } = pass;
    let Inputs {
        input,
        residual,
        rows,
        width,
        variant,
    } = inputs;
    let Buffers {
        residual_grad,
        sums,
        sums_start,
        ..
    } = buffers;
    // SAFETY: the row-shaped buffers hold `rows * width` values, `weight` `width`, and `sums` behind `sums_start` two
    // values per row; no thread exceeds `rows`.
    unsafe {
        backward_kernel::launch_unchecked(
            &input.client,
            workgroup_count(*rows),
            workgroup_dim(),
            input.clone().into_buffer_arg(),
            residual.clone().into_buffer_arg(),
            weight.clone().into_buffer_arg(),
            grad.clone().into_buffer_arg(),
            pass_key(input, pass.mask).into_buffer_arg(),
            sums.clone().into_buffer_arg(),
            residual_grad.clone().into_buffer_arg(),
            *rows,
            *width,
            *sums_start,
            pass.eps as f32,
            mask_args(pass.mask),
            *variant,
            pass.with_weight,
        );
    }
    pass.with_weight.then(|| weight_gradients(pass))
}

/// Returns the gradients of weight and bias.
fn weight_gradients(pass: &Backward) -> (CubeTensor, CubeTensor) {
    let Inputs {
        input,
        residual,
        rows,
        width,
        variant,
    } = &pass.inputs;
    let (weight_grad, bias_grad) = (empty(input, [*width]), empty(input, [*width]));
    // SAFETY: no thread exceeds `width`, or in its column `rows`.
    unsafe {
        weight_kernel::launch_unchecked(
            &weight_grad.client,
            workgroup_count(*width),
            workgroup_dim(),
            input.clone().into_buffer_arg(),
            residual.clone().into_buffer_arg(),
            pass.grad.clone().into_buffer_arg(),
            pass.buffers.sums.clone().into_buffer_arg(),
            pass_key(input, pass.mask).into_buffer_arg(),
            weight_grad.clone().into_buffer_arg(),
            bias_grad.clone().into_buffer_arg(),
            *rows,
            *width,
            pass.buffers.sums_start,
            mask_args(pass.mask),
            *variant,
        );
    }
    (weight_grad, bias_grad)
}
