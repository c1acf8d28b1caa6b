//! A linear layer's products, with what surrounds them.

use super::empty;
use super::layout::{Layout, Side, Size};
use super::matmul::{Epilogue, launch};
use crate::kernels::Precision;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// A matrix as it lies.
pub(super) fn rows(tensor: &CubeTensor) -> Side<'_> {
    let layout = Layout::rows(tensor.meta.shape()[1]);
    Side { tensor, layout }
}

/// The same matrix transposed.
pub(super) fn columns(tensor: &CubeTensor) -> Side<'_> {
    let layout = Layout::rows(tensor.meta.shape()[1]).transposed();
    Side { tensor, layout }
}

/// `input × weightᵀ + bias`.
pub(super) fn forward(
    input: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    precision: Precision,
) -> CubeTensor {
    let [input, weight, bias] = [input, weight, bias].map(into_contiguous);
    let (m, k, n) = (
        input.meta.shape()[0],
        input.meta.shape()[1],
        weight.meta.shape()[0],
    );
    let out = empty(&input, [m, n]);
    launch(
        rows(&input),
        columns(&weight),
        rows(&out),
        Size::one(m, n, k),
        precision,
        Epilogue::Bias,
        Some(&bias),
        None,
    );
    out
}

/// The same, and the GELU of it.
pub(super) fn forward_gelu(
    input: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    precision: Precision,
) -> (CubeTensor, CubeTensor) {
    let [input, weight, bias] = [input, weight, bias].map(into_contiguous);
    let (m, k, n) = (
        input.meta.shape()[0],
        input.meta.shape()[1],
        weight.meta.shape()[0],
    );
    let (middle, active) = (empty(&input, [m, n]), empty(&input, [m, n]));
    launch(
        rows(&input),
        columns(&weight),
        rows(&active),
        Size::one(m, n, k),
        precision,
        Epilogue::BiasGelu,
        Some(&bias),
        Some(&middle),
    );
    (middle, active)
}

/// `grad × weight`, times the slope of GELU at `middle` where there is one.
pub(super) fn input_grad(
    grad: CubeTensor,
    weight: CubeTensor,
    middle: Option<CubeTensor>,
    precision: Precision,
) -> CubeTensor {
    let [grad, weight] = [grad, weight].map(into_contiguous);
    let middle = middle.map(into_contiguous);
    let (m, k, n) = (
        grad.meta.shape()[0],
        grad.meta.shape()[1],
        weight.meta.shape()[1],
    );
    let out = empty(&grad, [m, n]);
    let epilogue = match middle {
        Some(_) => Epilogue::GeluSlope,
        None => Epilogue::None,
    };
    launch(
        rows(&grad),
        rows(&weight),
        rows(&out),
        Size::one(m, n, k),
        precision,
        epilogue,
        middle.as_ref(),
        None,
    );
    out
}

/// `gradᵀ × input`, and the sum over the rows of `grad`.
pub(super) fn weight_grad(
    grad: CubeTensor,
    input: CubeTensor,
    precision: Precision,
) -> (CubeTensor, CubeTensor) {
    let [grad, input] = [grad, input].map(into_contiguous);
    let (k, m, n) = (
        grad.meta.shape()[0],
        grad.meta.shape()[1],
        input.meta.shape()[1],
    );
    let (for_weight, for_bias) = (empty(&grad, [m, n]), empty(&grad, [m]));
    launch(
        columns(&grad),
        rows(&input),
        rows(&for_weight),
        Size::one(m, n, k),
        precision,
        Epilogue::RowSums,
        None,
        Some(&for_bias),
    );
    (for_weight, for_bias)
}
