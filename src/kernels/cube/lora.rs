//! The products of LoRA: two in the forward pass, of which the second is added to columns of the layer's output, and
//! four in the backward pass.

use super::matmul::{Epilogue, Matmul};
use super::strides::{Layout, MatmulShape, Operand};
use super::{empty, empty_activation, writable};
use crate::kernels::Precision;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// The columns of `tensor` from `start` on.
fn columns_from(tensor: &CubeTensor, start: usize) -> Operand<'_> {
    let layout = Layout {
        offset: start,
        ..Layout::row_major(tensor.meta.shape()[1])
    };
    Operand { tensor, layout }
}

/// Implements [`lora`](crate::kernels::lora). Returns the sum, which overwrites `base` if no other tensor shares its
/// buffer, and `input × lora_aᵀ`.
pub(super) fn forward(
    base: CubeTensor,
    input: CubeTensor,
    lora_a: CubeTensor,
    lora_b: CubeTensor,
    start: usize,
    precision: Precision,
) -> (CubeTensor, CubeTensor) {
    let base = writable(base);
    let [input, lora_a, lora_b] = [input, lora_a, lora_b].map(into_contiguous);
    let [m, k] = [input.meta.shape()[0], input.meta.shape()[1]];
    let [n, r] = [lora_b.meta.shape()[0], lora_b.meta.shape()[1]];
    let low_rank = empty_activation(&input, [m, r]);
    matmul(
        Operand::matrix(&input),
        Operand::matrix(&lora_a).transposed(),
        &low_rank,
        MatmulShape::single(m, r, k),
        precision,
    );
    Matmul {
        lhs: Operand::matrix(&low_rank),
        rhs: Operand::matrix(&lora_b).transposed(),
        out: columns_from(&base, start),
        shape: MatmulShape::single(m, n, r),
        precision,
        epilogue: Epilogue::Add,
    }
    .launch();
    (base, low_rank)
}

/// Returns the gradients of `input`, `lora_a` and `lora_b`.
pub(super) fn backward(
    grad: CubeTensor,
    input: CubeTensor,
    low_rank: CubeTensor,
    lora_a: CubeTensor,
    lora_b: CubeTensor,
    start: usize,
    precision: Precision,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let [grad, input, low_rank, lora_a, lora_b] =
        [grad, input, low_rank, lora_a, lora_b].map(into_contiguous);
    let [m, k] = [input.meta.shape()[0], input.meta.shape()[1]];
    let [n, r] = [lora_b.meta.shape()[0], lora_b.meta.shape()[1]];
    let (input_grad, low_rank_grad) = (
        empty_activation(&input, [m, k]),
        empty_activation(&input, [m, r]),
    );
    let (a_grad, b_grad) = (empty(&input, [r, k]), empty(&input, [n, r]));
    let grad_columns = columns_from(&grad, start);
    matmul(
        grad_columns,
        Operand::matrix(&lora_b),
        &low_rank_grad,
        MatmulShape::single(m, r, n),
        precision,
    );
    matmul(
        grad_columns.transposed(),
        Operand::matrix(&low_rank),
        &b_grad,
        MatmulShape::single(n, r, m),
        precision,
    );
    matmul(
        Operand::matrix(&low_rank_grad).transposed(),
        Operand::matrix(&input),
        &a_grad,
        MatmulShape::single(r, k, m),
        precision,
    );
    matmul(
        Operand::matrix(&low_rank_grad),
        Operand::matrix(&lora_a),
        &input_grad,
        MatmulShape::single(m, k, r),
        precision,
    );
    (input_grad, a_grad, b_grad)
}

/// Computes `out = lhs × rhs`.
fn matmul(lhs: Operand, rhs: Operand, out: &CubeTensor, shape: MatmulShape, precision: Precision) {
    Matmul {
        lhs,
        rhs,
        out: Operand::matrix(out),
        shape,
        precision,
        epilogue: Epilogue::None,
    }
    .launch();
}
