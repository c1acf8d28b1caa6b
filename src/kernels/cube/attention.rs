//! Multi-head attention of all heads at once: three dispatches forward and five backward. The products read queries,
//! keys and values through strides in the projection's output, so nothing is transposed or copied. Short sequences take
//! one dispatch each way on a GPU (`fused.rs`).

mod fused;

use super::matmul::{Epilogue, Matmul};
use super::strides::{Layout, MatmulShape, Operand};
use super::{empty_activation, softmax};
use crate::kernels::{DropoutMask, HeadsShape, Precision};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// The queries (`part` 0), keys (1) or values (2) of each head in `[batch * seq, 3 * heads * head_size]`.
fn part(shape: HeadsShape, part: usize) -> Layout {
    let width = shape.heads * shape.head_size;
    Layout {
        offset: part * width,
        batch: shape.seq * 3 * width,
        head: shape.head_size,
        row: 3 * width,
        column: 1,
    }
}

/// The columns of each head in `[batch * seq, heads * head_size]`.
fn context(shape: HeadsShape) -> Layout {
    let width = shape.heads * shape.head_size;
    Layout {
        offset: 0,
        batch: shape.seq * width,
        head: shape.head_size,
        row: width,
        column: 1,
    }
}

/// The scores of each head in `[batch, heads, seq, seq]`.
fn scores(shape: HeadsShape) -> Layout {
    let size = shape.seq * shape.seq;
    Layout {
        offset: 0,
        batch: shape.heads * size,
        head: size,
        row: shape.seq,
        column: 1,
    }
}

/// Computes `out = lhs × rhs` in each head of each sequence. `n` is the number of columns of `out`, and `k` is the
/// inner dimension.
fn product(
    (shape, precision): (HeadsShape, Precision),
    (lhs, lhs_layout): (&CubeTensor, Layout),
    (rhs, rhs_layout): (&CubeTensor, Layout),
    (out, out_layout): (&CubeTensor, Layout),
    (n, k): (usize, usize),
) {
    let operand = |tensor, layout| Operand { tensor, layout };
    Matmul {
        lhs: operand(lhs, lhs_layout),
        rhs: operand(rhs, rhs_layout),
        out: operand(out, out_layout),
        shape: MatmulShape {
            batches: shape.batch,
            heads: shape.heads,
            m: shape.seq,
            n,
            k,
        },
        precision,
        epilogue: Epilogue::None,
    }
    .launch();
}

/// Returns the context, and the probabilities before and after dropout.
pub(super) fn forward(
    projected: CubeTensor,
    bias: CubeTensor,
    shape: HeadsShape,
    mask: DropoutMask,
    precision: Precision,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let (projected, bias) = (into_contiguous(projected), into_contiguous(bias));
    if fused::is_selected(&projected, shape.seq, precision) {
        return fused::forward(projected, bias, shape, mask);
    }
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let raw_scores = empty_activation(&projected, [batch, heads, seq, seq]);
    product(
        (shape, precision),
        (&projected, part(shape, 0)),
        (&projected, part(shape, 1).transposed()),
        (&raw_scores, scores(shape)),
        (seq, head_size),
    );
    let (probs, dropped) = softmax::forward(raw_scores, bias, shape.scale(), mask);
    let output = empty_activation(&projected, [batch * seq, heads * head_size]);
    product(
        (shape, precision),
        (&dropped, scores(shape)),
        (&projected, part(shape, 2)),
        (&output, context(shape)),
        (head_size, seq),
    );
    (output, probs, dropped)
}

/// Returns the gradient of `projected`. Each product writes its part of it.
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
    if fused::is_selected(&projected, shape.seq, precision) {
        return fused::backward(projected, probs, dropped, grad, shape, mask);
    }
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let output = empty_activation(&projected, [batch * seq, 3 * heads * head_size]);
    let dropped_grad = empty_activation(&projected, [batch, heads, seq, seq]);
    product(
        (shape, precision),
        (&dropped, scores(shape).transposed()),
        (&grad, context(shape)),
        (&output, part(shape, 2)),
        (head_size, seq),
    );
    product(
        (shape, precision),
        (&grad, context(shape)),
        (&projected, part(shape, 2).transposed()),
        (&dropped_grad, scores(shape)),
        (seq, head_size),
    );
    let scores_grad = softmax::backward(probs, dropped_grad, shape.scale(), mask);
    product(
        (shape, precision),
        (&scores_grad, scores(shape)),
        (&projected, part(shape, 1)),
        (&output, part(shape, 0)),
        (head_size, seq),
    );
    product(
        (shape, precision),
        (&scores_grad, scores(shape).transposed()),
        (&projected, part(shape, 0)),
        (&output, part(shape, 1)),
        (head_size, seq),
    );
    output
}
