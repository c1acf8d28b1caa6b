//! `LayerNorm(dropout(input) + residual)` and its gradients: one dispatch forth, two back. A unit takes a row: it needs no barrier.

use super::dropout::keep_factor;
use super::{cube_dim, cubes_for, empty};
use crate::kernels::DropoutMask;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// `dropout(input) + residual` at one place.
#[cube]
fn sum_at(
    input: &[f32],
    residual: &[f32],
    at: usize,
    threshold: u32,
    key: u32,
    scale: f32,
    #[comptime] with_dropout: bool,
    #[comptime] with_residual: bool,
) -> f32 {
    let mut value = input[at];
    if comptime![with_dropout] {
        value *= keep_factor(at, threshold, key, scale);
    }
    if comptime![with_residual] {
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
    width: usize,
    eps: f32,
    threshold: u32,
    key: u32,
    scale: f32,
    #[comptime] with_dropout: bool,
    #[comptime] with_residual: bool,
) -> (f32, f32) {
    let mut mean = f32::new(0.0);
    for at in start..start + width {
        mean += sum_at(
            input,
            residual,
            at,
            threshold,
            key,
            scale,
            with_dropout,
            with_residual,
        );
    }
    mean /= width as f32;
    let mut variance = f32::new(0.0);
    for at in start..start + width {
        let centered = sum_at(
            input,
            residual,
            at,
            threshold,
            key,
            scale,
            with_dropout,
            with_residual,
        ) - mean;
        variance += centered * centered;
    }
    let inverse = (variance / width as f32 + eps).inverse_sqrt();
    (mean, inverse)
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
    threshold: u32,
    key: u32,
    scale: f32,
    #[comptime] with_dropout: bool,
    #[comptime] with_residual: bool,
) {
    if ABSOLUTE_POS < rows {
        let start = ABSOLUTE_POS * width;
        let (mean, inverse) = moments(
            input,
            residual,
            start,
            width,
            eps,
            threshold,
            key,
            scale,
            with_dropout,
            with_residual,
        );
        for column in 0..width {
            let at = start + column;
            let sum = sum_at(
                input,
                residual,
                at,
                threshold,
                key,
                scale,
                with_dropout,
                with_residual,
            );
            output[at] = (sum - mean) * inverse * weight[column] + bias[column];
        }
    }
}

/// Gradients of both summands, and each row's mean and inverse deviation for [`weight_kernel`].
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
#[allow(
    clippy::needless_range_loop,
    reason = "a kernel's slices are buffers of the device: they have no iterators"
)]
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
    threshold: u32,
    key: u32,
    scale: f32,
    #[comptime] with_dropout: bool,
    #[comptime] with_residual: bool,
) {
    if ABSOLUTE_POS < rows {
        let start = ABSOLUTE_POS * width;
        let (mean, inverse) = moments(
            input,
            residual,
            start,
            width,
            eps,
            threshold,
            key,
            scale,
            with_dropout,
            with_residual,
        );
        statistics[ABSOLUTE_POS * 2] = mean;
        statistics[ABSOLUTE_POS * 2 + 1] = inverse;
        let mut total = f32::new(0.0);
        let mut along = f32::new(0.0);
        for column in 0..width {
            let at = start + column;
            let sum = sum_at(
                input,
                residual,
                at,
                threshold,
                key,
                scale,
                with_dropout,
                with_residual,
            );
            let scaled = grad[at] * weight[column];
            total += scaled;
            along += scaled * (sum - mean) * inverse;
        }
        total /= width as f32;
        along /= width as f32;
        for column in 0..width {
            let at = start + column;
            let sum = sum_at(
                input,
                residual,
                at,
                threshold,
                key,
                scale,
                with_dropout,
                with_residual,
            );
            let normalized = (sum - mean) * inverse;
            let slope = (grad[at] * weight[column] - total - normalized * along) * inverse;
            for_residual[at] = slope;
            if comptime![with_dropout] {
                for_input[at] = slope * keep_factor(at, threshold, key, scale);
            }
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
    threshold: u32,
    key: u32,
    scale: f32,
    #[comptime] with_dropout: bool,
    #[comptime] with_residual: bool,
) {
    if ABSOLUTE_POS < width {
        let mut weight_sum = f32::new(0.0);
        let mut bias_sum = f32::new(0.0);
        for row in 0..rows {
            let at = row * width + ABSOLUTE_POS;
            let sum = sum_at(
                input,
                residual,
                at,
                threshold,
                key,
                scale,
                with_dropout,
                with_residual,
            );
            let normalized = (sum - statistics[row * 2]) * statistics[row * 2 + 1];
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
    let with_residual = residual.is_some();
    let residual = residual.map_or_else(|| empty(&input, [1]), into_contiguous);
    let (rows, width) = (input.meta.shape()[0], input.meta.shape()[1]);
    let output = empty(&input, [rows, width]);
    // SAFETY: the row-shaped buffers hold `rows * width` values, the others `width`; no unit goes past `rows`.
    unsafe {
        forward_kernel::launch_unchecked(
            &output.client,
            cubes_for(rows),
            cube_dim(),
            input.into_buffer_arg(),
            residual.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            width,
            eps as f32,
            mask.threshold,
            mask.key,
            mask.scale,
            !mask.is_none(),
            with_residual,
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
    let with_residual = residual.is_some();
    let residual = residual.map_or_else(|| empty(&input, [1]), into_contiguous);
    let (rows, width) = (input.meta.shape()[0], input.meta.shape()[1]);
    let with_dropout = !mask.is_none();
    let for_residual = empty(&input, [rows, width]);
    // Without dropout both summands have the same gradient; a binding must be there all the same, and not the same one twice.
    let for_input = empty(&input, if with_dropout { [rows, width] } else { [1, 1] });
    let statistics = empty(&input, [rows, 2]);
    let (for_weight, for_bias) = (empty(&input, [width]), empty(&input, [width]));
    let client = input.client.clone();
    // SAFETY: as in `forward`; `statistics` holds two values a row.
    unsafe {
        backward_kernel::launch_unchecked(
            &client,
            cubes_for(rows),
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
            mask.threshold,
            mask.key,
            mask.scale,
            with_dropout,
            with_residual,
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
            mask.threshold,
            mask.key,
            mask.scale,
            with_dropout,
            with_residual,
        );
    }
    let for_input = if with_dropout {
        for_input
    } else {
        for_residual.clone()
    };
    (for_input, for_residual, for_weight, for_bias)
}
