//! Scale, mask, softmax and dropout of the attention scores, one dispatch forth and one back. A unit takes a row.

use super::dropout::keep_factor;
use super::{cube_dim, cubes_for, empty};
use crate::kernels::DropoutMask;
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// `dropped` gets the probabilities after their dropout; without one it is not written.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn forward_kernel(
    scores: &[f32],
    bias: &[f32],
    probs: &mut [f32],
    dropped: &mut [f32],
    rows: usize,
    rows_a_batch: usize,
    width: usize,
    factor: f32,
    threshold: u32,
    key: u32,
    scale: f32,
    #[comptime] with_dropout: bool,
) {
    if ABSOLUTE_POS < rows {
        let start = ABSOLUTE_POS * width;
        let bias_start = ABSOLUTE_POS / rows_a_batch * width;
        let mut largest = scores[start] * factor + bias[bias_start];
        for column in 1..width {
            let score = scores[start + column] * factor + bias[bias_start + column];
            largest = largest.max(score);
        }
        let mut total = f32::new(0.0);
        for column in 0..width {
            let score = scores[start + column] * factor + bias[bias_start + column];
            let weight = (score - largest).exp();
            probs[start + column] = weight;
            total += weight;
        }
        for column in 0..width {
            let at = start + column;
            let prob = probs[at] / total;
            probs[at] = prob;
            if comptime![with_dropout] {
                dropped[at] = prob * keep_factor(at, threshold, key, scale);
            }
        }
    }
}

#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn backward_kernel(
    probs: &[f32],
    grad: &[f32],
    output: &mut [f32],
    rows: usize,
    width: usize,
    factor: f32,
    threshold: u32,
    key: u32,
    scale: f32,
    #[comptime] with_dropout: bool,
) {
    if ABSOLUTE_POS < rows {
        let start = ABSOLUTE_POS * width;
        let mut along = f32::new(0.0);
        for column in 0..width {
            let at = start + column;
            let mut slope = grad[at];
            if comptime![with_dropout] {
                slope *= keep_factor(at, threshold, key, scale);
            }
            along += probs[at] * slope;
        }
        for column in 0..width {
            let at = start + column;
            let mut slope = grad[at];
            if comptime![with_dropout] {
                slope *= keep_factor(at, threshold, key, scale);
            }
            output[at] = factor * probs[at] * (slope - along);
        }
    }
}

/// The probabilities before and after their dropout.
pub(super) fn forward(
    scores: CubeTensor,
    bias: CubeTensor,
    factor: f64,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor) {
    let (scores, bias) = (into_contiguous(scores), into_contiguous(bias));
    let shape = scores.shape();
    let (rows_a_batch, width) = (shape[1] * shape[2], shape[3]);
    let rows = shape[0] * rows_a_batch;
    let with_dropout = !mask.is_none();
    let probs = empty(&scores, shape.clone());
    // Without dropout it is not written; a binding must be there all the same.
    let dropped = if with_dropout {
        empty(&scores, shape)
    } else {
        empty(&scores, [1])
    };
    // SAFETY: the score-shaped buffers hold `rows * width` values, `bias` a row a batch; no unit goes past `rows`.
    unsafe {
        forward_kernel::launch_unchecked(
            &probs.client,
            cubes_for(rows),
            cube_dim(),
            scores.into_buffer_arg(),
            bias.into_buffer_arg(),
            probs.clone().into_buffer_arg(),
            dropped.clone().into_buffer_arg(),
            rows,
            rows_a_batch,
            width,
            factor as f32,
            mask.threshold,
            mask.key,
            mask.scale,
            with_dropout,
        );
    }
    let dropped = if with_dropout { dropped } else { probs.clone() };
    (probs, dropped)
}

/// The gradient of the scores.
pub(super) fn backward(
    probs: CubeTensor,
    grad: CubeTensor,
    factor: f64,
    mask: DropoutMask,
) -> CubeTensor {
    let (probs, grad) = (into_contiguous(probs), into_contiguous(grad));
    let shape = probs.shape();
    let output = empty(&probs, shape.clone());
    let (rows, width) = (shape[0] * shape[1] * shape[2], shape[3]);
    // SAFETY: the three buffers hold `rows * width` values; no unit goes past `rows`.
    unsafe {
        backward_kernel::launch_unchecked(
            &output.client,
            cubes_for(rows),
            cube_dim(),
            probs.into_buffer_arg(),
            grad.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            width,
            factor as f32,
            mask.threshold,
            mask.key,
            mask.scale,
            !mask.is_none(),
        );
    }
    output
}
