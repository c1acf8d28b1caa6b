//! The softmax of attention, with scale, padding mask and dropout in the same kernel. One dispatch forward and one
//! backward.

use super::dropout::{Mask, MaskArgs, keep_factor, mask_args, mask_of, pass_key};
use super::row_reduction::{row_and_column, row_max, row_sum, threads_per_row};
use super::{empty, empty_activation, workgroup_count, workgroup_dim};
use crate::kernels::DropoutMask;
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Initial value of a maximum. No score is below it, not even one of a masked key.
const LOWEST: f32 = f32::MIN;

/// Writes the probabilities to `probs` and, if there is dropout, those after dropout to `dropped`.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn forward_kernel(
    scores: &[f32],
    bias: &[f32],
    pass: &[u32],
    probs: &mut [f32],
    dropped: &mut [f32],
    rows: usize,
    rows_per_batch: usize,
    width: usize,
    scale: f32,
    mask: MaskArgs,
    #[comptime] threads: usize,
    #[comptime] with_dropout: bool,
) {
    let (row, first_column) = row_and_column(threads);
    if row < rows {
        let mask = mask_of(pass, mask, with_dropout);
        let start = row * width;
        let bias_start = row / rows_per_batch * width;
        let mut max = f32::new(LOWEST);
        let mut column = first_column;
        while column < width {
            max = max.max(scores[start + column] * scale + bias[bias_start + column]);
            column += threads;
        }
        let max = row_max(max, threads);
        let mut partial = f32::new(0.0);
        let mut column = first_column;
        while column < width {
            let score = scores[start + column] * scale + bias[bias_start + column];
            let exp = (score - max).exp();
            probs[start + column] = exp;
            partial += exp;
            column += threads;
        }
        let total = row_sum(partial, threads);
        let mut column = first_column;
        while column < width {
            let at = start + column;
            let prob = probs[at] / total;
            probs[at] = prob;
            if comptime![with_dropout] {
                dropped[at] = prob * keep_factor(at, &mask);
            }
            column += threads;
        }
    }
}

/// Writes `scale * probs * (probs_grad - sum(probs * probs_grad))`, the gradient of the scores.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn backward_kernel(
    probs: &[f32],
    grad: &[f32],
    pass: &[u32],
    output: &mut [f32],
    rows: usize,
    width: usize,
    scale: f32,
    mask: MaskArgs,
    #[comptime] threads: usize,
    #[comptime] with_dropout: bool,
) {
    let (row, first_column) = row_and_column(threads);
    if row < rows {
        let mask = mask_of(pass, mask, with_dropout);
        let start = row * width;
        let mut partial = f32::new(0.0);
        let mut column = first_column;
        while column < width {
            let at = start + column;
            partial += probs[at] * probs_grad(grad, at, &mask, with_dropout);
            column += threads;
        }
        let dot = row_sum(partial, threads);
        let mut column = first_column;
        while column < width {
            let at = start + column;
            let prob_grad = probs_grad(grad, at, &mask, with_dropout);
            output[at] = scale * probs[at] * (prob_grad - dot);
            column += threads;
        }
    }
}

/// Returns the gradient of a probability before dropout.
#[cube]
fn probs_grad(grad: &[f32], at: usize, mask: &Mask, #[comptime] with_dropout: bool) -> f32 {
    let mut value = grad[at];
    if comptime![with_dropout] {
        value *= keep_factor(at, mask);
    }
    value
}

/// Returns the probabilities before and after dropout.
///
/// # Shapes
/// `scores` and both outputs: `[batch, heads, seq, seq]`, `bias`: `[batch, seq]`
pub(super) fn forward(
    scores: CubeTensor,
    bias: CubeTensor,
    scale: f64,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor) {
    let shape = scores.shape();
    let (rows_per_batch, width) = (shape[1] * shape[2], shape[3]);
    let rows = shape[0] * rows_per_batch;
    let with_dropout = !mask.is_none();
    let threads = threads_per_row(&scores);
    let probs = empty_activation(&scores, shape.clone());
    // WebGPU needs a buffer for the binding also if the kernel does not write it.
    let dropped = if with_dropout {
        empty_activation(&scores, shape)
    } else {
        empty(&scores, [1])
    };
    let pass = pass_key(&scores, mask);
    // SAFETY: the score-shaped buffers hold `rows * width` values, `bias` one row per batch; no thread exceeds `rows`.
    unsafe {
        forward_kernel::launch_unchecked(
            &probs.client,
            workgroup_count(rows * threads),
            workgroup_dim(),
            scores.into_buffer_arg(),
            bias.into_buffer_arg(),
            pass.into_buffer_arg(),
            probs.clone().into_buffer_arg(),
            dropped.clone().into_buffer_arg(),
            rows,
            rows_per_batch,
            width,
            scale as f32,
            mask_args(mask),
            threads,
            with_dropout,
        );
    }
    let dropped = if with_dropout { dropped } else { probs.clone() };
    (probs, dropped)
}

/// Returns the gradient of the scores from that of the probabilities after dropout.
///
/// # Shapes
/// `probs`, `grad` and output: `[batch, heads, seq, seq]`
pub(super) fn backward(
    probs: CubeTensor,
    grad: CubeTensor,
    scale: f64,
    mask: DropoutMask,
) -> CubeTensor {
    let shape = probs.shape();
    let output = empty_activation(&probs, shape.clone());
    let threads = threads_per_row(&probs);
    let (rows, width) = (shape[0] * shape[1] * shape[2], shape[3]);
    let pass = pass_key(&probs, mask);
    // SAFETY: the three buffers hold `rows * width` values; no thread exceeds `rows`.
    unsafe {
        backward_kernel::launch_unchecked(
            &output.client,
            workgroup_count(rows * threads),
            workgroup_dim(),
            probs.into_buffer_arg(),
            grad.into_buffer_arg(),
            pass.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            width,
            scale as f32,
            mask_args(mask),
            threads,
            !mask.is_none(),
        );
    }
    output
}
