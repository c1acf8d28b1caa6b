//! The operations whose speed or exactness burn's own do not give: one backend-extension trait, [`BertOps`], with a plain
//! implementation in burn's primitives for every device, an autodiff rule, and kernels for WebGPU where they pay.
//!
//! Nothing outside this room knows which device computes.

mod autodiff;
#[cfg(feature = "gpu")]
mod cube;
mod dropout;
mod flex;
mod ops;

pub use dropout::{DropoutMask, DropoutStream};
pub use ops::{AdamWScalars, BertOps};

use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// The matrix product of the last two dimensions, `[..., m, k] × [..., k, n]` → `[..., m, n]`; the leading dimensions are equal.
pub fn matmul<const D: usize>(lhs: Tensor<D>, rhs: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::bert_matmul(
        lhs.into_dispatch(),
        rhs.into_dispatch(),
    ))
}

/// `input weightᵀ + bias`: `[m, k]`, `[n, k]` and `[n]` → `[m, n]` (`torch.nn.functional.linear`).
pub fn linear(input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    ))
}

/// `x Φ(x)`, the exact GELU (Hendrycks & Gimpel, 2016), with the exact derivative: burn 0.22's own backward is the one of the
/// tanh approximation.
pub fn gelu<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::bert_gelu(input.into_dispatch()))
}

/// Zeroes the values that `mask` names and scales the others.
pub fn dropout<const D: usize>(input: Tensor<D>, mask: DropoutMask) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::bert_dropout(input.into_dispatch(), mask))
}

/// `LayerNorm(dropout(input) + residual)`: how both halves of a layer end. `input` and `residual` `[rows, width]`, `weight` and
/// `bias` `[width]` → `[rows, width]`.
pub fn residual_layer_norm(
    input: Tensor<2>,
    residual: Tensor<2>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
    mask: DropoutMask,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_residual_layer_norm(
        input.into_dispatch(),
        residual.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        eps,
        mask,
    ))
}

/// `dropout(softmax(scale * scores + bias))` over the last dimension: `scores` `[batch, heads, seq, seq]`, `bias`
/// `[batch, 1, 1, seq]`, to which no gradient flows.
pub fn attention_probs(
    scores: Tensor<4>,
    bias: Tensor<4>,
    scale: f64,
    mask: DropoutMask,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::bert_attention_probs(
        scores.into_dispatch(),
        bias.into_dispatch(),
        scale,
        mask,
    ))
}

/// One AdamW update of one parameter. `clip` `[1]` is multiplied into the gradient first. Returns the parameter and its two moments.
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: (Tensor<D>, Tensor<D>),
    clip: Tensor<1>,
    scalars: AdamWScalars,
) -> (Tensor<D>, (Tensor<D>, Tensor<D>)) {
    let (parameter, first, second) = Dispatch::bert_adamw(
        parameter.into_dispatch(),
        gradient.into_dispatch(),
        moments.0.into_dispatch(),
        moments.1.into_dispatch(),
        clip.into_dispatch(),
        scalars,
    );
    (
        Tensor::from_dispatch(parameter),
        (Tensor::from_dispatch(first), Tensor::from_dispatch(second)),
    )
}

/// Where [`squares`] puts the partial sums of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SquaresPlace {
    /// Index of the first.
    pub offset: usize,
    /// How many there are, from [`SquaresPlace::sums_of`].
    pub sums: usize,
}

impl SquaresPlace {
    /// Partial sums that a tensor of `elements` values is added up in: enough to keep a GPU busy.
    pub fn sums_of(elements: usize) -> usize {
        elements.div_ceil(64).clamp(1, 1024)
    }
}

/// Puts partial sums of the squares of `input` into `sums` `[n]`, all 0 there before: their total is the sum of the squares. One dispatch
/// a tensor, where a sum of its own and a concatenation would be three.
pub fn squares<const D: usize>(
    sums: Tensor<1>,
    input: Tensor<D>,
    place: SquaresPlace,
) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_squares(
        sums.into_dispatch(),
        input.into_dispatch(),
        place,
    ))
}
