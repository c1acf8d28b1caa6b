//! All heads of an attention: three dispatches forth and five back, on queries, keys and values where the projection left them. Nothing
//! is transposed or copied. Scale, mask, softmax and dropout are one of them; a unit takes a row.

use super::dropout::{Mask, keep_factor, mask_arg};
use super::layout::{Layout, Side, Size};
use super::matmul::{Epilogue, launch};
use super::rows::{lanes, largest, place, sum};
use super::{cube_dim, cubes_for, empty};
use crate::kernels::{DropoutMask, HeadsShape, Precision};
use burn::backend::TensorMetadata;
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Below every score, masked ones too.
const LOWEST: f32 = f32::MIN;

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
    mask: Mask,
    #[comptime] lanes: usize,
    #[comptime] with_dropout: bool,
) {
    let (row, first) = place(lanes);
    if row < rows {
        let start = row * width;
        let bias_start = row / rows_a_batch * width;
        let mut most = f32::new(LOWEST);
        let mut column = first;
        while column < width {
            most = most.max(scores[start + column] * factor + bias[bias_start + column]);
            column += lanes;
        }
        let most = largest(most, lanes);
        let mut part = f32::new(0.0);
        let mut column = first;
        while column < width {
            let score = scores[start + column] * factor + bias[bias_start + column];
            let weight = (score - most).exp();
            probs[start + column] = weight;
            part += weight;
            column += lanes;
        }
        let total = sum(part, lanes);
        let mut column = first;
        while column < width {
            let at = start + column;
            let prob = probs[at] / total;
            probs[at] = prob;
            if comptime![with_dropout] {
                dropped[at] = prob * keep_factor(at, &mask);
            }
            column += lanes;
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
    mask: Mask,
    #[comptime] lanes: usize,
    #[comptime] with_dropout: bool,
) {
    let (row, first) = place(lanes);
    if row < rows {
        let start = row * width;
        let mut part = f32::new(0.0);
        let mut column = first;
        while column < width {
            let at = start + column;
            part += probs[at] * slope_at(grad, at, &mask, with_dropout);
            column += lanes;
        }
        let along = sum(part, lanes);
        let mut column = first;
        while column < width {
            let at = start + column;
            let slope = slope_at(grad, at, &mask, with_dropout);
            output[at] = factor * probs[at] * (slope - along);
            column += lanes;
        }
    }
}

/// The gradient before the dropout.
#[cube]
fn slope_at(grad: &[f32], at: usize, mask: &Mask, #[comptime] with_dropout: bool) -> f32 {
    let mut slope = grad[at];
    if comptime![with_dropout] {
        slope *= keep_factor(at, mask);
    }
    slope
}

/// One head's queries (`part` 0), keys (1) or values (2) of each text in `[batch * seq, 3 * heads * head_size]`.
fn part(shape: HeadsShape, part: usize) -> Layout {
    let width = shape.heads * shape.head_size;
    Layout {
        start: part * width,
        batch: shape.seq * 3 * width,
        head: shape.head_size,
        row: 3 * width,
        column: 1,
    }
}

/// One head's columns of each text in `[batch * seq, heads * head_size]`.
fn context(shape: HeadsShape) -> Layout {
    let width = shape.heads * shape.head_size;
    Layout {
        start: 0,
        batch: shape.seq * width,
        head: shape.head_size,
        row: width,
        column: 1,
    }
}

/// One head's scores of each text in `[batch, heads, seq, seq]`.
fn square(shape: HeadsShape) -> Layout {
    let size = shape.seq * shape.seq;
    Layout {
        start: 0,
        batch: shape.heads * size,
        head: size,
        row: shape.seq,
        column: 1,
    }
}

/// `out = lhs × rhs` in each head of each text, `n` columns wide over `k` values.
fn product(
    (shape, precision): (HeadsShape, Precision),
    (lhs, lhs_layout): (&CubeTensor, Layout),
    (rhs, rhs_layout): (&CubeTensor, Layout),
    (out, out_layout): (&CubeTensor, Layout),
    (n, k): (usize, usize),
) {
    let side = |tensor, layout| Side { tensor, layout };
    let size = Size {
        batches: shape.batch,
        heads: shape.heads,
        m: shape.seq,
        n,
        k,
    };
    launch(
        side(lhs, lhs_layout),
        side(rhs, rhs_layout),
        side(out, out_layout),
        size,
        precision,
        Epilogue::None,
        None,
        None,
    );
}

/// The context, and the probabilities before and after their dropout.
pub(super) fn forward(
    projected: CubeTensor,
    bias: CubeTensor,
    shape: HeadsShape,
    mask: DropoutMask,
    precision: Precision,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let (projected, bias) = (into_contiguous(projected), into_contiguous(bias));
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let scores = empty(&projected, [batch, heads, seq, seq]);
    product(
        (shape, precision),
        (&projected, part(shape, 0)),
        (&projected, part(shape, 1).transposed()),
        (&scores, square(shape)),
        (seq, head_size),
    );
    let (probs, dropped) = probabilities(scores, bias, shape.scale(), mask);
    let output = empty(&projected, [batch * seq, heads * head_size]);
    product(
        (shape, precision),
        (&dropped, square(shape)),
        (&projected, part(shape, 2)),
        (&output, context(shape)),
        (head_size, seq),
    );
    (output, probs, dropped)
}

/// The gradient of queries, keys and values, as they lie in `projected`.
pub(super) fn backward(
    projected: CubeTensor,
    probs: CubeTensor,
    dropped: CubeTensor,
    grad: CubeTensor,
    shape: HeadsShape,
    mask: DropoutMask,
    precision: Precision,
) -> CubeTensor {
    let (projected, grad) = (into_contiguous(projected), into_contiguous(grad));
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let output = empty(&projected, [batch * seq, 3 * heads * head_size]);
    let for_probs = empty(&projected, [batch, heads, seq, seq]);
    product(
        (shape, precision),
        (&dropped, square(shape).transposed()),
        (&grad, context(shape)),
        (&output, part(shape, 2)),
        (head_size, seq),
    );
    product(
        (shape, precision),
        (&grad, context(shape)),
        (&projected, part(shape, 2).transposed()),
        (&for_probs, square(shape)),
        (seq, head_size),
    );
    let for_scores = probabilities_backward(probs, for_probs, shape.scale(), mask);
    product(
        (shape, precision),
        (&for_scores, square(shape)),
        (&projected, part(shape, 1)),
        (&output, part(shape, 0)),
        (head_size, seq),
    );
    product(
        (shape, precision),
        (&for_scores, square(shape).transposed()),
        (&projected, part(shape, 0)),
        (&output, part(shape, 1)),
        (head_size, seq),
    );
    output
}

/// The probabilities before and after their dropout.
fn probabilities(
    scores: CubeTensor,
    bias: CubeTensor,
    factor: f64,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor) {
    let shape = scores.shape();
    let (rows_a_batch, width) = (shape[1] * shape[2], shape[3]);
    let rows = shape[0] * rows_a_batch;
    let with_dropout = !mask.is_none();
    let lanes = lanes(&scores);
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
            cubes_for(rows * lanes),
            cube_dim(),
            scores.into_buffer_arg(),
            bias.into_buffer_arg(),
            probs.clone().into_buffer_arg(),
            dropped.clone().into_buffer_arg(),
            rows,
            rows_a_batch,
            width,
            factor as f32,
            mask_arg(mask),
            lanes,
            with_dropout,
        );
    }
    let dropped = if with_dropout { dropped } else { probs.clone() };
    (probs, dropped)
}

/// The gradient of the scores.
fn probabilities_backward(
    probs: CubeTensor,
    grad: CubeTensor,
    factor: f64,
    mask: DropoutMask,
) -> CubeTensor {
    let shape = probs.shape();
    let output = empty(&probs, shape.clone());
    let lanes = lanes(&probs);
    let (rows, width) = (shape[0] * shape[1] * shape[2], shape[3]);
    // SAFETY: the three buffers hold `rows * width` values; no unit goes past `rows`.
    unsafe {
        backward_kernel::launch_unchecked(
            &output.client,
            cubes_for(rows * lanes),
            cube_dim(),
            probs.into_buffer_arg(),
            grad.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            rows,
            width,
            factor as f32,
            mask_arg(mask),
            lanes,
            !mask.is_none(),
        );
    }
    output
}
