//! What each operation means, in burn's primitives: the implementation of every device without kernels of its own, and what those with
//! are compared with.

use super::dropout::mask_tensor;
use super::{AdamWScalars, BertOps, DropoutMask, HeadsShape, Precision, SquaresPlace, TablesShape};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Scalar, TensorMetadata};
use burn::tensor::{FloatDType, IndexingUpdateOp, Shape, Slice, TensorData};

fn scalar(value: f64) -> Scalar {
    value.into()
}

/// Zeros beside `like`.
fn zeros<B: Backend>(like: &FloatTensor<B>, shape: [usize; 2]) -> FloatTensor<B> {
    B::float_zeros(Shape::from(shape), &like.device(), FloatDType::F32)
}

/// The sum over the rows of `[m, n]`, `[n]`.
fn sum_rows<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let width = input.shape()[1];
    B::float_reshape(B::float_sum_dim(input, 0), Shape::from([width]))
}

pub(super) fn embeddings<B: Backend>(
    words: FloatTensor<B>,
    positions: FloatTensor<B>,
    types: FloatTensor<B>,
    ids: IntTensor<B>,
    seq: usize,
) -> FloatTensor<B> {
    let (tokens, width) = (ids.shape()[0], words.shape()[1]);
    let cube = [tokens / seq, seq, width];
    let words = B::float_reshape(rows_of::<B>(words, ids, 0), Shape::from(cube));
    let positions = B::float_slice(positions, &[Slice::from(0..seq)]);
    let types = B::float_slice(types, &[Slice::from(0..1)]);
    let places = B::float_reshape(B::float_add(positions, types), Shape::from([1, seq, width]));
    B::float_reshape(B::float_add(words, places), Shape::from([tokens, width]))
}

/// The place of each id in a block of `rows` rows whose first is the table's row `first`, any place where it has none, and whether it has
/// one, as 1 and 0, `[tokens, 1]`.
fn places_in<B: Backend>(
    ids: IntTensor<B>,
    first: usize,
    rows: usize,
) -> (IntTensor<B>, FloatTensor<B>) {
    let tokens = ids.shape()[0];
    let index = |value: usize| Scalar::from(value as i64);
    let ids = B::int_sub_scalar(ids, index(first));
    let places = B::int_clamp(ids.clone(), index(0), index(rows - 1));
    let off = B::int_into_float(B::int_sub(ids, places.clone()), FloatDType::F32);
    let off = B::float_clamp_max(B::float_mul(off.clone(), off), scalar(1.0));
    let has = B::float_add_scalar(B::float_mul_scalar(off, scalar(-1.0)), scalar(1.0));
    (places, B::float_reshape(has, Shape::from([tokens, 1])))
}

/// The rows of `block` that `ids` name, 0 where they are in another one.
fn rows_of<B: Backend>(block: FloatTensor<B>, ids: IntTensor<B>, first: usize) -> FloatTensor<B> {
    let (places, has) = places_in::<B>(ids, first, block.shape()[0]);
    B::float_mul(B::float_select(block, 0, places), has)
}

pub(super) fn add_words<B: Backend>(
    sum: FloatTensor<B>,
    block: FloatTensor<B>,
    ids: IntTensor<B>,
    first: usize,
) -> FloatTensor<B> {
    B::float_add(sum, rows_of::<B>(block, ids, first))
}

pub(super) fn words_backward<B: Backend>(
    grad: FloatTensor<B>,
    ids: IntTensor<B>,
    first: usize,
    shape: [usize; 2],
) -> FloatTensor<B> {
    let table = zeros::<B>(&grad, shape);
    let (places, has) = places_in::<B>(ids, first, shape[0]);
    B::float_select_assign(
        table,
        0,
        places,
        B::float_mul(grad, has),
        IndexingUpdateOp::Add,
    )
}

pub(super) fn write<B: Backend>(
    tensor: FloatTensor<B>,
    values: Vec<f32>,
    start: usize,
) -> FloatTensor<B> {
    let (len, device) = (values.len(), tensor.device());
    let piece = B::float_from_data(TensorData::new(values, [len]), &device);
    if len == tensor.shape()[0] {
        return piece;
    }
    B::float_slice_assign(tensor, &[Slice::from(start..start + len)], piece)
}

pub(super) fn places_backward<B: Backend>(
    grad: FloatTensor<B>,
    shape: TablesShape,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (tokens, width) = (grad.shape()[0], shape.width);
    let positions = zeros::<B>(&grad, [shape.positions, width]);
    let types = zeros::<B>(&grad, [shape.types, width]);
    let cube = Shape::from([tokens / shape.seq, shape.seq, width]);
    let sums = B::float_sum_dim(B::float_reshape(grad, cube), 0);
    let sums = B::float_reshape(sums, Shape::from([shape.seq, width]));
    let all = B::float_sum_dim(sums.clone(), 0);
    (
        B::float_slice_assign(positions, &[Slice::from(0..shape.seq)], sums),
        B::float_slice_assign(types, &[Slice::from(0..1)], all),
    )
}

/// What a product of this precision multiplies, in f32.
fn rounded<B: Backend>(operand: FloatTensor<B>, precision: Precision) -> FloatTensor<B> {
    match precision {
        Precision::F32 => operand,
        Precision::F16 => B::float_cast(B::float_cast(operand, FloatDType::F16), FloatDType::F32),
    }
}

/// The matrix product. Two f16 have an exact product in f32, so that rounding them first is what tensor cores do.
pub(super) fn product<B: Backend>(
    lhs: FloatTensor<B>,
    rhs: FloatTensor<B>,
    precision: Precision,
) -> FloatTensor<B> {
    B::float_matmul(rounded::<B>(lhs, precision), rounded::<B>(rhs, precision))
}

pub(super) fn linear<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    precision: Precision,
) -> FloatTensor<B> {
    let width = bias.shape().num_elements();
    let product = product::<B>(input, B::float_transpose(weight), precision);
    B::float_add(product, B::float_reshape(bias, Shape::from([1, width])))
}

pub(super) fn linear_weight_grad<B: Backend>(
    grad: FloatTensor<B>,
    input: FloatTensor<B>,
    precision: Precision,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let for_weight = product::<B>(B::float_transpose(grad.clone()), input, precision);
    (for_weight, sum_rows::<B>(rounded::<B>(grad, precision)))
}

/// `Φ(x)`, the distribution function of the standard normal.
fn normal_cdf<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let erf = B::float_erf(B::float_mul_scalar(
        input,
        scalar(std::f64::consts::FRAC_1_SQRT_2),
    ));
    B::float_mul_scalar(B::float_add_scalar(erf, scalar(1.0)), scalar(0.5))
}

/// `x Φ(x)`, the exact GELU (Hendrycks & Gimpel, 2016).
pub(super) fn gelu<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let cdf = normal_cdf::<B>(input.clone());
    B::float_mul(input, cdf)
}

/// `Φ(x) + x φ(x)`, the exact derivative: burn 0.22's own is that of the tanh approximation.
pub(super) fn gelu_slope<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
    let cdf = normal_cdf::<B>(input.clone());
    let squares = B::float_mul(input.clone(), input.clone());
    let density = B::float_exp(B::float_mul_scalar(squares, scalar(-0.5)));
    let slope = B::float_mul(input, B::float_mul_scalar(density, scalar(INV_SQRT_2PI)));
    B::float_add(cdf, slope)
}

pub(super) fn dropout<B: Backend>(input: FloatTensor<B>, mask: DropoutMask) -> FloatTensor<B> {
    if mask.is_none() {
        return input;
    }
    let mask = mask_tensor::<B>(input.shape(), mask, &input.device());
    B::float_mul(input, mask)
}

/// Gradients of what is normalized, of the weight and of the bias.
pub(super) fn layer_norm_backward<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    grad: FloatTensor<B>,
    eps: f64,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let width = weight.shape().num_elements();
    let centered = B::float_sub(input.clone(), B::float_mean_dim(input, 1));
    let squares = B::float_mul(centered.clone(), centered.clone());
    let variance = B::float_mean_dim(squares, 1);
    let deviation = B::float_sqrt(B::float_add_scalar(variance, scalar(eps)));
    let normalized = B::float_div(centered, deviation.clone());
    let for_weight = sum_rows::<B>(B::float_mul(grad.clone(), normalized.clone()));
    let for_bias = sum_rows::<B>(grad.clone());
    let scaled = B::float_mul(grad, B::float_reshape(weight, Shape::from([1, width])));
    let mean = B::float_mean_dim(scaled.clone(), 1);
    let along = B::float_mean_dim(B::float_mul(scaled.clone(), normalized.clone()), 1);
    let centered = B::float_sub(scaled, mean);
    let rest = B::float_sub(centered, B::float_mul(normalized, along));
    (B::float_div(rest, deviation), for_weight, for_bias)
}

/// `base` with `(input aᵀ) bᵀ` added to its columns from `start` on, and `input aᵀ`.
pub(super) fn lora<B: Backend>(
    base: FloatTensor<B>,
    input: FloatTensor<B>,
    lora_a: FloatTensor<B>,
    lora_b: FloatTensor<B>,
    start: usize,
    precision: Precision,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let place = columns::<B>(&base, start, lora_b.shape()[0]);
    let low = product::<B>(input, B::float_transpose(lora_a), precision);
    let update = product::<B>(low.clone(), B::float_transpose(lora_b), precision);
    let sum = B::float_add(B::float_slice(base.clone(), &place), update);
    (B::float_slice_assign(base, &place, sum), low)
}

/// The gradients of `input`, `lora_a` and `lora_b`.
pub(super) fn lora_backward<B: Backend>(
    grad: FloatTensor<B>,
    input: FloatTensor<B>,
    low: FloatTensor<B>,
    lora_a: FloatTensor<B>,
    lora_b: FloatTensor<B>,
    start: usize,
    precision: Precision,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let place = columns::<B>(&grad, start, lora_b.shape()[0]);
    let grad = B::float_slice(grad, &place);
    let for_b = product::<B>(B::float_transpose(grad.clone()), low, precision);
    let for_low = product::<B>(grad, lora_b, precision);
    let for_a = product::<B>(B::float_transpose(for_low.clone()), input, precision);
    (product::<B>(for_low, lora_a, precision), for_a, for_b)
}

/// `len` columns of a matrix, from `start` on.
fn columns<B: Backend>(matrix: &FloatTensor<B>, start: usize, len: usize) -> [Slice; 2] {
    [
        Slice::from(0..matrix.shape()[0]),
        Slice::from(start..start + len),
    ]
}

/// `[1]`, beside `like`.
pub(super) fn zero<B: Backend>(like: &FloatTensor<B>) -> FloatTensor<B> {
    B::float_zeros(Shape::from([1]), &like.device(), FloatDType::F32)
}

/// Query, key or value as `[batch, heads, seq, head_size]`.
fn split<B: Backend>(joined: FloatTensor<B>, shape: HeadsShape, part: usize) -> FloatTensor<B> {
    let HeadsShape {
        batch,
        seq,
        heads,
        head_size,
    } = shape;
    let width = heads * head_size;
    let rows = Slice::from(0..batch * seq);
    let part = B::float_slice(
        joined,
        &[rows, Slice::from(part * width..(part + 1) * width)],
    );
    let part = B::float_reshape(part, Shape::from([batch, seq, heads, head_size]));
    B::float_swap_dims(part, 1, 2)
}

/// The way back: `[batch * seq, heads * head_size]`.
fn merge<B: Backend>(part: FloatTensor<B>, shape: HeadsShape) -> FloatTensor<B> {
    let flat = [shape.batch * shape.seq, shape.heads * shape.head_size];
    B::float_reshape(B::float_swap_dims(part, 1, 2), Shape::from(flat))
}

pub(super) fn attention<B: BertOps>(
    projected: FloatTensor<B>,
    bias: FloatTensor<B>,
    shape: HeadsShape,
    mask: DropoutMask,
    precision: Precision,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let [query, key, value] = [0, 1, 2].map(|part| split::<B>(projected.clone(), shape, part));
    let bias = B::float_reshape(bias, Shape::from([shape.batch, 1, 1, shape.seq]));
    let scores = product::<B>(query, B::float_transpose(key), precision);
    let scores = B::float_mul_scalar(scores, scalar(shape.scale()));
    let probs = B::softmax(B::float_add(scores, bias), 3);
    let dropped = B::bert_dropout(probs.clone(), mask);
    let context = product::<B>(dropped.clone(), value, precision);
    (merge::<B>(context, shape), probs, dropped)
}

pub(super) fn attention_backward<B: BertOps>(
    projected: FloatTensor<B>,
    probs: FloatTensor<B>,
    dropped: FloatTensor<B>,
    grad: FloatTensor<B>,
    shape: HeadsShape,
    mask: DropoutMask,
    precision: Precision,
) -> FloatTensor<B> {
    let [query, key, value] = [0, 1, 2].map(|part| split::<B>(projected.clone(), shape, part));
    // The gradient is one part as wide as a row.
    let grad = split::<B>(grad, shape, 0);
    let for_value = product::<B>(B::float_transpose(dropped), grad.clone(), precision);
    let for_dropped = product::<B>(grad, B::float_transpose(value), precision);
    let for_probs = B::bert_dropout(for_dropped, mask);
    let along = B::float_sum_dim(B::float_mul(probs.clone(), for_probs.clone()), 3);
    let slope = B::float_mul(probs, B::float_sub(for_probs, along));
    let for_scores = B::float_mul_scalar(slope, scalar(shape.scale()));
    let for_query = product::<B>(for_scores.clone(), key, precision);
    let for_key = product::<B>(B::float_transpose(for_scores), query, precision);
    let parts = [for_query, for_key, for_value].map(|part| merge::<B>(part, shape));
    B::float_cat(parts.into(), 1)
}

pub(super) fn cross_entropy<B: Backend>(
    logits: FloatTensor<B>,
    targets: FloatTensor<B>,
    scale: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let logs = B::log_softmax(logits, 1);
    let loss = B::float_sum(B::float_mul(logs.clone(), targets.clone()));
    let loss = B::float_reshape(B::float_mul_scalar(loss, scalar(-scale)), Shape::from([1]));
    let total = B::float_sum_dim(targets.clone(), 1);
    let slope = B::float_sub(B::float_mul(B::float_exp(logs), total), targets);
    (loss, B::float_mul_scalar(slope, scalar(scale)))
}

/// The parameter and its moments, after one update.
pub(super) fn adamw<B: Backend>(
    parameter: FloatTensor<B>,
    gradient: FloatTensor<B>,
    moments: FloatTensor<B>,
    clip: FloatTensor<B>,
    scalars: AdamWScalars,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let elements = gradient.shape().num_elements();
    let first = B::float_slice(moments.clone(), &[Slice::from(0..elements)]);
    let second = B::float_slice(moments, &[Slice::from(elements..2 * elements)]);
    let gradient = B::float_mul(gradient, B::float_slice(clip, &[Slice::from(1..2)]));
    let first = B::float_add(
        B::float_mul_scalar(first, scalar(scalars.beta1)),
        B::float_mul_scalar(gradient.clone(), scalar(1.0 - scalars.beta1)),
    );
    let squares = B::float_mul(gradient.clone(), gradient);
    let second = B::float_add(
        B::float_mul_scalar(second, scalar(scalars.beta2)),
        B::float_mul_scalar(squares, scalar(1.0 - scalars.beta2)),
    );
    let root = B::float_mul_scalar(
        B::float_sqrt(second.clone()),
        scalar(1.0 / scalars.bias_correction2_sqrt),
    );
    let denominator = B::float_add_scalar(root, scalar(scalars.eps));
    let update = B::float_div(
        B::float_mul_scalar(first.clone(), scalar(scalars.step_size)),
        denominator,
    );
    let decayed = B::float_mul_scalar(parameter, scalar(scalars.decay));
    let moments = B::float_cat(vec![first, second], 0);
    (B::float_sub(decayed, update), moments)
}

pub(super) fn squares<B: Backend>(
    sums: FloatTensor<B>,
    input: FloatTensor<B>,
    place: SquaresPlace,
) -> FloatTensor<B> {
    if place.sums == 0 {
        return sums;
    }
    let sum = B::float_sum(B::float_mul(input.clone(), input));
    let slice = Slice::from(place.offset..place.offset + 1);
    B::float_slice_assign(sums, &[slice], sum)
}

pub(super) fn clip_coefficient<B: Backend>(
    squares: FloatTensor<B>,
    max_norm: f64,
) -> FloatTensor<B> {
    let norm = B::float_sqrt(squares);
    let coefficient = if max_norm == 0.0 {
        B::float_add_scalar(B::float_mul_scalar(norm.clone(), scalar(0.0)), scalar(1.0))
    } else {
        let inverse = B::float_recip(B::float_add_scalar(norm.clone(), scalar(1e-6)));
        B::float_clamp_max(B::float_mul_scalar(inverse, scalar(max_norm)), scalar(1.0))
    };
    B::float_cat(vec![norm, coefficient], 0)
}
