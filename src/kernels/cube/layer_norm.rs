//! `LayerNorm(dropout(input) + residual)` and its gradients: one dispatch forth, two back. The residual may be missing.

use super::dropout::{Mask, keep_factor, mask_arg};
use super::rows::{lanes, place, sum};
use super::{cube_dim, cubes_for, empty};
use crate::kernels::DropoutMask;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// What a kernel is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Form {
    lanes: usize,
    with_dropout: bool,
    with_residual: bool,
}

/// `dropout(input) + residual` at one place.
#[cube]
fn sum_at(input: &[f32], residual: &[f32], at: usize, mask: &Mask, #[comptime] form: Form) -> f32 {
    let mut value = input[at];
    if comptime![form.with_dropout] {
        value *= keep_factor(at, mask);
    }
    if comptime![form.with_residual] {
        value += residual[at];
    }
    value
}

/// Mean and `1 / sqrt(variance + eps)` of the `width` sums from `start` on. Two passes over the row: the variance of the centred values
/// loses no digits to the mean.
#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn moments(
    input: &[f32],
    residual: &[f32],
    start: usize,
    first: usize,
    width: usize,
    eps: f32,
    mask: &Mask,
    #[comptime] form: Form,
) -> (f32, f32) {
    let mut part = f32::new(0.0);
    let mut column = first;
    while column < width {
        part += sum_at(input, residual, start + column, mask, form);
        column += comptime![form.lanes];
    }
    let mean = sum(part, form.lanes) / width as f32;
    let mut part = f32::new(0.0);
    let mut column = first;
    while column < width {
        let centered = sum_at(input, residual, start + column, mask, form) - mean;
        part += centered * centered;
        column += comptime![form.lanes];
    }
    let variance = sum(part, form.lanes) / width as f32;
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
    #[comptime] form: Form,
) {
    let (row, first) = place(form.lanes);
    if row < rows {
        let start = row * width;
        let (mean, inverse) = moments(input, residual, start, first, width, eps, &mask, form);
        let mut column = first;
        while column < width {
            let at = start + column;
            let value = sum_at(input, residual, at, &mask, form);
            output[at] = (value - mean) * inverse * weight[column] + bias[column];
            column += comptime![form.lanes];
        }
    }
}

/// Gradients of both summands, and each row's mean and inverse deviation for [`weight_kernel`].
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn backward_kernel(
    input: &[f32],
    residual: &[f32],
    weight: &[f32],
    grad: &[f32],
    for_input: &mut [f32],
    for_residual: &mut [f32],
    statistics: &mut [f32],
    rows: usize,
    width: usize,
    eps: f32,
    mask: Mask,
    #[comptime] form: Form,
) {
    let (row, first) = place(form.lanes);
    if row < rows {
        let start = row * width;
        let (mean, inverse) = moments(input, residual, start, first, width, eps, &mask, form);
        if first == 0 {
            statistics[row * 2] = mean;
            statistics[row * 2 + 1] = inverse;
        }
        let mut total = f32::new(0.0);
        let mut along = f32::new(0.0);
        let mut column = first;
        while column < width {
            let at = start + column;
            let normalized = (sum_at(input, residual, at, &mask, form) - mean) * inverse;
            let slope = grad[at] * weight[column];
            total += slope;
            along += slope * normalized;
            column += comptime![form.lanes];
        }
        let total = sum(total, form.lanes) / width as f32;
        let along = sum(along, form.lanes) / width as f32;
        let mut column = first;
        while column < width {
            let at = start + column;
            let normalized = (sum_at(input, residual, at, &mask, form) - mean) * inverse;
            let slope = (grad[at] * weight[column] - total - normalized * along) * inverse;
            for_residual[at] = slope;
            if comptime![form.with_dropout] {
                for_input[at] = slope * keep_factor(at, &mask);
            }
            column += comptime![form.lanes];
        }
    }
}

/// Gradients of weight and bias: a unit takes a column.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn weight_kernel(
    input: &[f32],
    residual: &[f32],
    grad: &[f32],
    statistics: &[f32],
    for_weight: &mut [f32],
    for_bias: &mut [f32],
    rows: usize,
    width: usize,
    mask: Mask,
    #[comptime] form: Form,
) {
    if ABSOLUTE_POS < width {
        let mut weight_sum = f32::new(0.0);
        let mut bias_sum = f32::new(0.0);
        for row in 0..rows {
            let at = row * width + ABSOLUTE_POS;
            let value = sum_at(input, residual, at, &mask, form);
            let normalized = (value - statistics[row * 2]) * statistics[row * 2 + 1];
            weight_sum += grad[at] * normalized;
            bias_sum += grad[at];
        }
        for_weight[ABSOLUTE_POS] = weight_sum;
        for_bias[ABSOLUTE_POS] = bias_sum;
    }
}

/// See [`residual_layer_norm`](crate::kernels::residual_layer_norm).
pub(super) fn forward(
    input: CubeTensor,
    residual: Option<CubeTensor>,
    weight: CubeTensor,
    bias: CubeTensor,
    eps: f64,
    mask: DropoutMask,
) -> CubeTensor {
    let [input, weight, bias] = [input, weight, bias].map(into_contiguous);
    let form = Form {
        lanes: lanes(&input),
        with_dropout: !mask.is_none(),
        with_residual: residual.is_some(),
    };
    let residual = residual.map_or_else(|| empty(&input, [1]), into_contiguous);
    let (rows, width) = (input.meta.shape()[0], input.meta.shape()[1]);
    let output = empty(&input, [rows, width]);
    // SAFETY: the row-shaped buffers hold `rows * width` values, the others `width`; no unit goes past `rows`.
    unsafe {
        forward_kernel::launch_unchecked(
            &output.client,
            cubes_for(rows * form.lanes),
            cube_dim(),
            input.into_buffer_arg(),
            residual.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            width,
            eps as f32,
            mask_arg(mask),
            form,
        );
    }
    output
}

/// The gradients of input, residual, weight and bias.
pub(super) fn backward(
    input: CubeTensor,
    residual: Option<CubeTensor>,
    weight: CubeTensor,
    grad: CubeTensor,
    eps: f64,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let [input, weight, grad] = [input, weight, grad].map(into_contiguous);
    let form = Form {
        lanes: lanes(&input),
        with_dropout: !mask.is_none(),
        with_residual: residual.is_some(),
    };
    let residual = residual.map_or_else(|| empty(&input, [1]), into_contiguous);
    let (rows, width) = (input.meta.shape()[0], input.meta.shape()[1]);
    let for_residual = empty(&input, [rows, width]);
    // Without dropout both summands have the same gradient; a binding must be there all the same, and not the same one twice.
    let for_input = empty(
        &input,
        if form.with_dropout {
            [rows, width]
        } else {
            [1, 1]
        },
    );
    let statistics = empty(&input, [rows, 2]);
    let (for_weight, for_bias) = (empty(&input, [width]), empty(&input, [width]));
    let client = input.client.clone();
    // SAFETY: as in `forward`; `statistics` holds two values a row.
    unsafe {
        backward_kernel::launch_unchecked(
            &client,
            cubes_for(rows * form.lanes),
            cube_dim(),
            input.clone().into_buffer_arg(),
            residual.clone().into_buffer_arg(),
            weight.into_buffer_arg(),
            grad.clone().into_buffer_arg(),
            for_input.clone().into_buffer_arg(),
            for_residual.clone().into_buffer_arg(),
            statistics.clone().into_buffer_arg(),
            rows,
            width,
            eps as f32,
            mask_arg(mask),
            form,
        );
    }
    // SAFETY: no unit goes past `width`, or in its column past `rows`.
    unsafe {
        weight_kernel::launch_unchecked(
            &client,
            cubes_for(width),
            cube_dim(),
            input.into_buffer_arg(),
            residual.into_buffer_arg(),
            grad.into_buffer_arg(),
            statistics.into_buffer_arg(),
            for_weight.clone().into_buffer_arg(),
            for_bias.clone().into_buffer_arg(),
            rows,
            width,
            mask_arg(mask),
            form,
        );
    }
    let for_input = if form.with_dropout {
        for_input
    } else {
        for_residual.clone()
    };
    (for_input, for_residual, for_weight, for_bias)
}
