//! LoRA's products: two on the way forth, the second added into columns of the layer's own result, and four on the way back.

use super::layout::{Layout, Side, Size};
use super::linear::{columns, rows};
use super::matmul::{Epilogue, launch};
use super::{empty, writable};
use crate::kernels::Precision;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// The columns of `tensor` from `start` on.
fn part(tensor: &CubeTensor, start: usize) -> Side<'_> {
    let layout = Layout {
        start,
        ..Layout::rows(tensor.meta.shape()[1])
    };
    Side { tensor, layout }
}

/// See [`lora`](crate::kernels::lora): the sum, written over `base` where nobody else holds it, and `input lora_aᵀ`.
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
    let low = empty(&input, [m, r]);
    plain(
        rows(&input),
        columns(&lora_a),
        &low,
        Size::one(m, r, k),
        precision,
    );
    launch(
        rows(&low),
        columns(&lora_b),
        part(&base, start),
        Size::one(m, n, r),
        precision,
        Epilogue::Add,
        None,
        None,
    );
    (base, low)
}

/// The gradients of `input`, `lora_a` and `lora_b`.
pub(super) fn backward(
    grad: CubeTensor,
    input: CubeTensor,
    low: CubeTensor,
    lora_a: CubeTensor,
    lora_b: CubeTensor,
    start: usize,
    precision: Precision,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let [grad, input, low, lora_a, lora_b] =
        [grad, input, low, lora_a, lora_b].map(into_contiguous);
    let [m, k] = [input.meta.shape()[0], input.meta.shape()[1]];
    let [n, r] = [lora_b.meta.shape()[0], lora_b.meta.shape()[1]];
    let (for_input, for_low) = (empty(&input, [m, k]), empty(&input, [m, r]));
    let (for_a, for_b) = (empty(&input, [r, k]), empty(&input, [n, r]));
    let grad_columns = || part(&grad, start);
    let grad_rows = Side {
        layout: grad_columns().layout.transposed(),
        ..grad_columns()
    };
    plain(
        grad_columns(),
        rows(&lora_b),
        &for_low,
        Size::one(m, r, n),
        precision,
    );
    plain(grad_rows, rows(&low), &for_b, Size::one(n, r, m), precision);
    plain(
        columns(&for_low),
        rows(&input),
        &for_a,
        Size::one(r, k, m),
        precision,
    );
    plain(
        rows(&for_low),
        rows(&lora_a),
        &for_input,
        Size::one(m, k, r),
        precision,
    );
    (for_input, for_a, for_b)
}

fn plain(lhs: Side, rhs: Side, out: &CubeTensor, size: Size, precision: Precision) {
    launch(
        lhs,
        rhs,
        rows(out),
        size,
        precision,
        Epilogue::None,
        None,
        None,
    );
}
