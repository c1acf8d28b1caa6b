//! The operations whose speed or exactness burn's own do not give: one backend-extension trait, [`BertOps`], with a plain
//! implementation in burn's primitives for every device, autodiff rules, and kernels for WebGPU.
//!
//! Nothing outside this room knows which device computes.

mod autocast;
mod autodiff;
#[cfg(feature = "gpu")]
mod cube;
mod dropout;
mod flex;
mod ops;
mod plain;
mod room;
mod scaling;

pub use autocast::{Autocast, Precision, supports_f16};
pub use dropout::{DropoutMask, DropoutStream};
pub use ops::BertOps;
pub use room::BatchRoom;
pub use scaling::{COEFFICIENT, LossScaling, PROCEEDS, SCALE, SCALER_VALUES};

use autocast::precision;
use burn::backend::Dispatch;
use burn::tensor::{Int, Tensor};

/// How the rows of an attention are cut into heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadsShape {
    /// Texts.
    pub batch: usize,
    /// Tokens of each, padding included.
    pub seq: usize,
    /// `num_attention_heads`.
    pub heads: usize,
    /// `hidden_size / num_attention_heads`.
    pub head_size: usize,
}

impl HeadsShape {
    /// What the scores are multiplied by, `1 / sqrt(head_size)`.
    pub fn scale(self) -> f64 {
        1.0 / (self.head_size as f64).sqrt()
    }
}

/// Rows of the three embedding tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TablesShape {
    /// `vocab_size`, or the rows of the first block.
    pub words: usize,
    /// `max_position_embeddings`.
    pub positions: usize,
    /// `type_vocab_size`.
    pub types: usize,
    /// `hidden_size`.
    pub width: usize,
    /// Tokens of a text, padding included.
    pub seq: usize,
}

/// The scalars of one AdamW update (Loshchilov & Hutter, 2019; `torch.optim.AdamW`). Bias corrections are computed in f64, as PyTorch does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWScalars {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// `1 - lr * weight_decay`, multiplied into the parameter before the update.
    pub decay: f64,
    /// `lr / (1 - beta1^t)`.
    pub step_size: f64,
    /// `sqrt(1 - beta2^t)`, by which the root of the second moment is divided.
    pub bias_correction2_sqrt: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// Whether [`update_scale`] decides about the update: both bias corrections are taken from its values then, and 1 here.
    pub scaled: bool,
}

/// One parameter on its way through an update.
#[derive(Debug)]
pub struct AdamWState {
    /// `[n]`.
    pub parameter: Tensor<1>,
    /// `[n]`.
    pub gradient: Tensor<1>,
    /// The first moments, then the second: `[2 n]`.
    pub moments: Tensor<1>,
    /// Those of its group.
    pub scalars: AdamWScalars,
}

/// Where [`squares`] puts the partial sums of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SquaresPlace {
    /// Index of the first.
    pub offset: usize,
    /// How many there are, from [`SquaresPlace::sums_of`]; 0 leaves the tensor out.
    pub sums: usize,
}

impl SquaresPlace {
    /// Partial sums that a tensor of `elements` values is added up in: enough to keep a GPU busy.
    pub fn sums_of(elements: usize) -> usize {
        elements.div_ceil(64).clamp(1, 1024)
    }
}

/// Rows of `words` `[vocab_size, hidden_size]` by `ids` `[batch * seq]`, plus those of `positions` in order and the first of `types`:
/// `[batch * seq, hidden_size]`. `words` may be the table's first block: ids past it have no row yet, see [`add_words`].
pub fn embeddings(
    words: Tensor<2>,
    positions: Tensor<2>,
    types: Tensor<2>,
    ids: Tensor<1, Int>,
    seq: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_embeddings(
        words.into_dispatch(),
        positions.into_dispatch(),
        types.into_dispatch(),
        ids.into_dispatch(),
        seq,
    ))
}

/// `sum` `[batch * seq, hidden_size]` with rows of `block` `[rows, hidden_size]` added, by those of `ids` `[batch * seq]` that lie in it;
/// its first row is the table's row `first`.
pub fn add_words(sum: Tensor<2>, block: Tensor<2>, ids: Tensor<1, Int>, first: usize) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_add_words(
        sum.into_dispatch(),
        block.into_dispatch(),
        ids.into_dispatch(),
        first,
    ))
}

/// Writes `values` over those of `tensor` `[n]` from `start` on, without autodiff.
pub fn write(tensor: Tensor<1>, values: Vec<f32>, start: usize) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_write(tensor.into_dispatch(), values, start))
}

/// `input weightᵀ + bias`: `[m, k]`, `[n, k]` and `[n]` → `[m, n]` (`torch.nn.functional.linear`). This and every other product is in the
/// precision of the [`Autocast`] that lives.
pub fn linear(input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_linear(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        precision(),
    ))
}

/// A [`linear`] layer (`weight`, `bias`), the exact GELU, and another (`out_weight`, `out_bias`).
pub fn feed_forward(
    input: Tensor<2>,
    (weight, bias): (Tensor<2>, Tensor<1>),
    (out_weight, out_bias): (Tensor<2>, Tensor<1>),
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_feed_forward(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        out_weight.into_dispatch(),
        out_bias.into_dispatch(),
        precision(),
    ))
}

/// The exact GELU, `x Φ(x)` (Hendrycks & Gimpel, 2016), of `[rows, width]`.
pub fn gelu(input: Tensor<2>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_gelu(input.into_dispatch()))
}

/// A low-rank update beside a linear layer (Hu et al., 2021): `base` `[m, width]` with `(input lora_aᵀ) lora_bᵀ` added to its columns from
/// `start` on; `input` `[m, k]`, `lora_a` `[r, k]`, `lora_b` `[n, r]`, `start + n <= width`. Any scaling is in `lora_b` already.
pub fn lora(
    base: Tensor<2>,
    input: Tensor<2>,
    lora_a: Tensor<2>,
    lora_b: Tensor<2>,
    start: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_lora(
        base.into_dispatch(),
        input.into_dispatch(),
        lora_a.into_dispatch(),
        lora_b.into_dispatch(),
        start,
        precision(),
    ))
}

/// A scalar `[1]` whose gradient with respect to `output` is `gradient`, of the same shape: going back from it takes up a way back that
/// was left at `output`. Its own value is 0 and means nothing.
pub fn with_gradient(output: Tensor<2>, gradient: Tensor<2>) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_with_gradient(
        output.into_dispatch(),
        gradient.into_dispatch(),
    ))
}

/// Zeroes the values that `mask` names and scales the others.
pub fn dropout<const D: usize>(input: Tensor<D>, mask: DropoutMask) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::bert_dropout(input.into_dispatch(), mask))
}

/// LayerNorm over the last dimension: `input` `[rows, width]`, `weight` and `bias` `[width]` → `[rows, width]`.
pub fn layer_norm(input: Tensor<2>, weight: Tensor<1>, bias: Tensor<1>, eps: f64) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_layer_norm(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        eps,
    ))
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

/// Multi-head attention, `dropout(softmax(query keyᵀ / sqrt(head_size) + bias)) value` in each head. `projected`
/// `[batch * seq, 3 * heads * head_size]` has each token's query, key and value one behind another; `bias` `[batch, seq]` is added to the
/// scores of each key, and no gradient flows to it. → `[batch * seq, heads * head_size]`.
pub fn attention(
    projected: Tensor<2>,
    bias: Tensor<2>,
    shape: HeadsShape,
    mask: DropoutMask,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::bert_attention(
        projected.into_dispatch(),
        bias.into_dispatch(),
        shape,
        mask,
        precision(),
    ))
}

/// `-scale * sum(targets * log_softmax(logits))`, both `[batch, num_labels]` → `[1]`; no gradient flows to the targets.
pub fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>, scale: f64) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_cross_entropy(
        logits.into_dispatch(),
        targets.into_dispatch(),
        scale,
    ))
}

/// One AdamW update of two parameters, their gradients multiplied by the second value of `clip` (see [`clip_coefficient`], or for scaled
/// gradients [`update_scale`], which may decide that nothing is updated) first. Two,
/// because that many fit into the 8 bindings that every WebGPU adapter has.
pub fn adamw(pair: [AdamWState; 2], clip: Tensor<1>) -> [(Tensor<1>, Tensor<1>); 2] {
    let scalars = [pair[0].scalars, pair[1].scalars];
    let [one, other] = pair;
    let (parameter, moments, other_parameter, other_moments) = Dispatch::bert_adamw(
        one.parameter.into_dispatch(),
        one.gradient.into_dispatch(),
        one.moments.into_dispatch(),
        other.parameter.into_dispatch(),
        other.gradient.into_dispatch(),
        other.moments.into_dispatch(),
        clip.into_dispatch(),
        scalars,
    );
    [(parameter, moments), (other_parameter, other_moments)].map(|(parameter, moments)| {
        (
            Tensor::from_dispatch(parameter),
            Tensor::from_dispatch(moments),
        )
    })
}

/// Puts partial sums of the squares of six tensors into `sums` `[n]`, all 0 there before: their total is the sum of the squares. Six,
/// because that many fit into the bindings of one dispatch.
pub fn squares(sums: Tensor<1>, inputs: [Tensor<1>; 6], places: [SquaresPlace; 6]) -> Tensor<1> {
    let [first, second, third, fourth, fifth, sixth] = inputs.map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::bert_squares(
        sums.into_dispatch(),
        first,
        second,
        third,
        fourth,
        fifth,
        sixth,
        places,
    ))
}

/// From the sum of all squares `[1]`: the norm, and what the gradients are multiplied by so that their norm is at most `max_norm` (1 when
/// that is 0), PyTorch's epsilon of 1e-6 included: `[2]`.
pub fn clip_coefficient(squares: Tensor<1>, max_norm: f64) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_clip_coefficient(
        squares.into_dispatch(),
        max_norm,
    ))
}

/// A loss scaler's values `[SCALER_VALUES]` after an update, from the sum of the squares of all scaled gradients `[1]` and the values before
/// it: the norm without the scale, what the scaled gradients are multiplied by, 1 (or 0 when they are not finite and the update is to be
/// skipped), the next scale, the updates since it changed, and AdamW's two bias corrections. A new scaler's values are 0 but for the scale.
pub fn update_scale(squares: Tensor<1>, state: Tensor<1>, scaling: LossScaling) -> Tensor<1> {
    Tensor::from_dispatch(Dispatch::bert_update_scale(
        squares.into_dispatch(),
        state.into_dispatch(),
        scaling,
    ))
}
