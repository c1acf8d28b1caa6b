//! Attention of short sequences on a GPU: one dispatch forward and one backward. A workgroup computes a head of a
//! sequence, one step after the other, with storage barriers between them.
//!
//! A step is spread over all threads of the workgroup, and its operands are in the cache. Longer sequences have enough
//! values for the tiles of separate products.

use crate::kernels::cube::dropout::{MaskArgs, keep_factor, mask_args, mask_of, pass_key};
use crate::kernels::cube::{
    WORKGROUP_SIZE, empty, empty_activation, kernel_form, workgroup_count, workgroup_dim,
};
use crate::kernels::{DropoutMask, HeadsShape, KernelForm, Precision};
use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::tensor::CubeTensor;

/// Tokens of the longest sequence. At 64, a thread computes 64 scores.
const MAX_SEQ: usize = 64;
/// Threads of a workgroup.
const THREADS: usize = WORKGROUP_SIZE as usize;

/// Whether one dispatch computes the attention.
pub(super) fn is_selected(projected: &CubeTensor, seq: usize, precision: Precision) -> bool {
    precision == Precision::F32 && seq <= MAX_SEQ && kernel_form(projected) == KernelForm::Gpu
}

/// [`HeadsShape`] as a kernel takes it.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Shape {
    /// Heads of all sequences.
    matrices: usize,
    seq: usize,
    heads: usize,
    head_size: usize,
    /// Factor of the scores.
    scale: f32,
}

impl Shape {
    fn launch(shape: HeadsShape) -> ShapeLaunch {
        ShapeLaunch::new(
            shape.batch * shape.heads,
            shape.seq,
            shape.heads,
            shape.head_size,
            shape.scale() as f32,
        )
    }
}

/// Indices of the first values of a workgroup's head.
#[derive(CubeType, Clone, Copy)]
struct Head {
    /// Of the queries. A token's key and value follow its query after `width` values each.
    query: usize,
    key: usize,
    value: usize,
    /// Values between two tokens of `projected`.
    projected_row: usize,
    /// Of the context.
    context: usize,
    /// Values between two tokens of the context.
    width: usize,
    /// Of the scores.
    scores: usize,
}

/// Returns the head of workgroup `matrix`.
#[cube]
fn head_of(matrix: usize, shape: &Shape) -> Head {
    let width = shape.heads * shape.head_size;
    let first_token = matrix / shape.heads * shape.seq;
    let column = matrix % shape.heads * shape.head_size;
    let query = first_token * 3 * width + column;
    Head {
        query,
        key: query + width,
        value: query + 2 * width,
        projected_row: 3 * width,
        context: first_token * width + column,
        width,
        scores: matrix * shape.seq * shape.seq,
    }
}

/// Returns the product of two vectors of `len` adjacent values.
#[cube]
fn dot(lhs: &[f32], lhs_start: usize, rhs: &[f32], rhs_start: usize, len: usize) -> f32 {
    let mut sum = f32::new(0.0);
    for at in 0..len {
        sum += lhs[lhs_start + at] * rhs[rhs_start + at];
    }
    sum
}

/// Returns the product of two vectors of `len` values, of which each is a number of values behind the one before.
#[cube]
#[allow(clippy::too_many_arguments, reason = "they are the two vectors")]
fn strided_dot(
    lhs: &[f32],
    lhs_start: usize,
    lhs_stride: usize,
    rhs: &[f32],
    rhs_start: usize,
    rhs_stride: usize,
    len: usize,
) -> f32 {
    let mut sum = f32::new(0.0);
    for at in 0..len {
        sum += lhs[lhs_start + at * lhs_stride] * rhs[rhs_start + at * rhs_stride];
    }
    sum
}

/// Writes the probabilities to `probs`, those after dropout to `dropped` if there is dropout, and the context.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn forward_kernel(
    projected: &[f32],
    bias: &[f32],
    pass: &[u32],
    probs: &mut [f32],
    dropped: &mut [f32],
    context: &mut [f32],
    shape: Shape,
    mask: MaskArgs,
    #[comptime] with_dropout: bool,
) {
    let matrix = CUBE_POS;
    if matrix < shape.matrices {
        let (seq, head_size) = (shape.seq, shape.head_size);
        let head = head_of(matrix, &shape);
        let bias_start = matrix / shape.heads * seq;
        let mut at = UNIT_POS as usize;
        while at < seq * seq {
            let query = head.query + at / seq * head.projected_row;
            let key = head.key + at % seq * head.projected_row;
            let score = dot(projected, query, projected, key, head_size);
            probs[head.scores + at] = score * shape.scale + bias[bias_start + at % seq];
            at += THREADS;
        }
        sync_storage();
        let mask = mask_of(pass, mask, with_dropout);
        let mut row = UNIT_POS as usize;
        while row < seq {
            softmax(probs, head.scores + row * seq, seq);
            row += THREADS;
        }
        sync_storage();
        if comptime![with_dropout] {
            let mut at = UNIT_POS as usize;
            while at < seq * seq {
                let position = head.scores + at;
                dropped[position] = probs[position] * keep_factor(position, &mask);
                at += THREADS;
            }
            sync_storage();
        }
        let mut at = UNIT_POS as usize;
        while at < seq * head_size {
            let (row, column) = (at / head_size, at % head_size);
            let weights = head.scores + row * seq;
            let value = head.value + column;
            let stride = head.projected_row;
            let sum = if comptime![with_dropout] {
                strided_dot(&*dropped, weights, 1, projected, value, stride, seq)
            } else {
                strided_dot(&*probs, weights, 1, projected, value, stride, seq)
            };
            context[head.context + row * head.width + column] = sum;
            at += THREADS;
        }
    }
}

/// Replaces the `len` scores from `start` on by their softmax.
#[cube]
fn softmax(scores: &mut [f32], start: usize, len: usize) {
    let mut max = scores[start];
    for at in 1..len {
        max = max.max(scores[start + at]);
    }
    let mut total = f32::new(0.0);
    for at in 0..len {
        let exp = (scores[start + at] - max).exp();
        scores[start + at] = exp;
        total += exp;
    }
    for at in 0..len {
        scores[start + at] /= total;
    }
}

/// Writes the gradients of queries, keys and values. `scores_grad` holds those of the probabilities, then those of the
/// scores. Without dropout, `dropped` is not read.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
fn backward_kernel(
    projected: &[f32],
    probs: &[f32],
    dropped: &[f32],
    grad: &[f32],
    pass: &[u32],
    projected_grad: &mut [f32],
    scores_grad: &mut [f32],
    shape: Shape,
    mask: MaskArgs,
    #[comptime] with_dropout: bool,
) {
    let matrix = CUBE_POS;
    if matrix < shape.matrices {
        let (seq, head_size) = (shape.seq, shape.head_size);
        let head = head_of(matrix, &shape);
        let mask = mask_of(pass, mask, with_dropout);
        let mut at = UNIT_POS as usize;
        while at < seq * seq {
            let of_context = head.context + at / seq * head.width;
            let value = head.value + at % seq * head.projected_row;
            let mut prob_grad = dot(grad, of_context, projected, value, head_size);
            if comptime![with_dropout] {
                prob_grad *= keep_factor(head.scores + at, &mask);
            }
            scores_grad[head.scores + at] = prob_grad;
            at += THREADS;
        }
        sync_storage();
        let mut row = UNIT_POS as usize;
        while row < seq {
            let start = head.scores + row * seq;
            let sum = dot(probs, start, &*scores_grad, start, seq);
            for at in 0..seq {
                let of_score = shape.scale * probs[start + at] * (scores_grad[start + at] - sum);
                scores_grad[start + at] = of_score;
            }
            row += THREADS;
        }
        sync_storage();
        let mut at = UNIT_POS as usize;
        while at < seq * head_size {
            let (token, column) = (at / head_size, at % head_size);
            let of_row = head.scores + token * seq;
            let of_column = head.scores + token;
            let of_token = token * head.projected_row + column;
            let stride = head.projected_row;
            let key = head.key + column;
            let query = head.query + column;
            let of_context = head.context + column;
            projected_grad[head.query + of_token] =
                strided_dot(&*scores_grad, of_row, 1, projected, key, stride, seq);
            projected_grad[head.key + of_token] =
                strided_dot(&*scores_grad, of_column, seq, projected, query, stride, seq);
            let of_value = if comptime![with_dropout] {
                strided_dot(dropped, of_column, seq, grad, of_context, head.width, seq)
            } else {
                strided_dot(probs, of_column, seq, grad, of_context, head.width, seq)
            };
            projected_grad[head.value + of_token] = of_value;
            at += THREADS;
        }
    }
}

/// Returns the context, and the probabilities before and after dropout.
pub(super) fn forward(
    projected: CubeTensor,
    bias: CubeTensor,
    shape: HeadsShape,
    mask: DropoutMask,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let with_dropout = !mask.is_none();
    let scores = || empty_activation(&projected, [batch, heads, seq, seq]);
    let probs = scores();
    // WebGPU needs a buffer for the binding also if the kernel does not write it.
    let dropped = if with_dropout {
        scores()
    } else {
        empty(&projected, [1])
    };
    let output = empty_activation(&projected, [batch * seq, heads * head_size]);
    let pass = pass_key(&projected, mask);
    // SAFETY: the buffers have the sizes of `shape`, and a workgroup does not exceed its head.
    unsafe {
        forward_kernel::launch_unchecked(
            &output.client,
            workgroup_count(batch * heads * THREADS),
            workgroup_dim(),
            projected.into_buffer_arg(),
            bias.into_buffer_arg(),
            pass.into_buffer_arg(),
            probs.clone().into_buffer_arg(),
            dropped.clone().into_buffer_arg(),
            output.clone().into_buffer_arg(),
            Shape::launch(shape),
            mask_args(mask),
            with_dropout,
        );
    }
    let dropped = if with_dropout { dropped } else { probs.clone() };
    (output, probs, dropped)
}

/// Returns the gradient of `projected`.
pub(super) fn backward(
    projected: CubeTensor,
    probs: CubeTensor,
    dropped: CubeTensor,
    grad: CubeTensor,
    shape: HeadsShape,
    mask: DropoutMask,
) -> CubeTensor {
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let with_dropout = !mask.is_none();
    // Without dropout it is the buffer of `probs`, which WebGPU does not bind twice.
    let dropped = if with_dropout {
        dropped
    } else {
        empty(&projected, [1])
    };
    let output = empty_activation(&projected, [batch * seq, 3 * heads * head_size]);
    let scores_grad = empty_activation(&projected, [batch, heads, seq, seq]);
    let pass = pass_key(&projected, mask);
    // SAFETY: as in `forward`.
    unsafe {
        backward_kernel::launch_unchecked(
            &output.client,
            workgroup_count(batch * heads * THREADS),
            workgroup_dim(),
            projected.into_buffer_arg(),
            probs.into_buffer_arg(),
            dropped.into_buffer_arg(),
            grad.into_buffer_arg(),
            pass.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            scores_grad.into_buffer_arg(),
            Shape::launch(shape),
            mask_args(mask),
            with_dropout,
        );
    }
    output
}
