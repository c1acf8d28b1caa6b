//! The definition of each operation, in burn's primitives. Tests compare the kernels of the CPU device with it, and
//! those of WebGPU with the CPU device.
//!
//! Functions without documentation implement the method of [`BertOps`] that has their name.

mod attention;
mod embeddings;
mod update;

pub(super) use attention::{attention, attention_backward};
pub(super) use embeddings::{
    add_word_embeddings, embeddings, position_type_backward, word_embeddings_backward, write,
};
#[cfg(test)]
pub(super) use update::adamw;
pub(super) use update::squares;

use super::dropout::mask_tensor;
use super::{BertOps, DropoutMask, Precision};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Scalar, TensorMetadata};
use burn::tensor::{FloatDType, Shape, Slice};

fn scalar(value: f64) -> Scalar {
    value.into()
}

/// Returns zeros on the device of `like`.
fn zeros<B: Backend>(like: &FloatTensor<B>, shape: [usize; 2]) -> FloatTensor<B> {
    B::float_zeros(Shape::from(shape), &like.device(), FloatDType::F32)
}

/// Sums over the rows: `[m, n]` → `[n]`.
fn sum_rows<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let width = input.shape()[1];
    B::float_reshape(B::float_sum_dim(input, 0), Shape::from([width]))
}

/// Rounds an operand of a matrix product to `precision`. The result is f32.
fn rounded<B: Backend>(operand: FloatTensor<B>, precision: Precision) -> FloatTensor<B> {
    match precision {
        Precision::F32 => operand,
        Precision::F16 => B::float_cast(B::float_cast(operand, FloatDType::F16), FloatDType::F32),
    }
}

/// Computes the matrix product. Two f16 have an exact product in f32, so rounding them first equals a tensor core.
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
    let weight_grad = product::<B>(B::float_transpose(grad.clone()), input, precision);
    (weight_grad, sum_rows::<B>(rounded::<B>(grad, precision)))
}

/// Computes `Φ(x)`, the distribution function of the standard normal.
fn normal_cdf<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let erf = B::float_erf(B::float_mul_scalar(
        input,
        scalar(std::f64::consts::FRAC_1_SQRT_2),
    ));
    B::float_mul_scalar(B::float_add_scalar(erf, scalar(1.0)), scalar(0.5))
}

/// Computes `x Φ(x)`, the exact GELU.
pub(super) fn gelu<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let cdf = normal_cdf::<B>(input.clone());
    B::float_mul(input, cdf)
}

/// Computes `Φ(x) + x φ(x)`, the exact derivative of GELU. burn 0.22 has that of the tanh approximation only.
pub(super) fn gelu_derivative<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
    let cdf = normal_cdf::<B>(input.clone());
    let squares = B::float_mul(input.clone(), input.clone());
    let density = B::float_exp(B::float_mul_scalar(squares, scalar(-0.5)));
    let density = B::float_mul_scalar(density, scalar(INV_SQRT_2PI));
    B::float_add(cdf, B::float_mul(input, density))
}

pub(super) fn dropout<B: Backend>(input: FloatTensor<B>, mask: DropoutMask) -> FloatTensor<B> {
    if mask.is_none() {
        return input;
    }
    let mask = mask_tensor::<B>(input.shape(), mask, &input.device());
    B::float_mul(input, mask)
}

pub(super) fn layer_norm<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    eps: f64,
) -> FloatTensor<B> {
    B::layer_norm(input, weight, Some(bias), eps)
}

/// With `x̂ = (x - mean) / σ` and `g = grad * weight`, the gradient of `x` is `(g - mean(g) - x̂ mean(g x̂)) / σ`, as
/// in [PyTorch](https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/cpu/layer_norm_kernel.cpp).
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
    let weight_grad = sum_rows::<B>(B::float_mul(grad.clone(), normalized.clone()));
    let bias_grad = sum_rows::<B>(grad.clone());
    let scaled = B::float_mul(grad, B::float_reshape(weight, Shape::from([1, width])));
    let mean = B::float_mean_dim(scaled.clone(), 1);
    let dot = B::float_mean_dim(B::float_mul(scaled.clone(), normalized.clone()), 1);
    let centered = B::float_sub(scaled, mean);
    let input_grad = B::float_sub(centered, B::float_mul(normalized, dot));
    (B::float_div(input_grad, deviation), weight_grad, bias_grad)
}

/// Computes `dropout(input) + residual`.
pub(super) fn sum_with_dropout<B: BertOps>(
    input: FloatTensor<B>,
    residual: FloatTensor<B>,
    mask: DropoutMask,
) -> FloatTensor<B> {
    B::float_add(B::bert_dropout(input, mask), residual)
}

pub(super) fn residual_layer_norm_backward<B: BertOps>(
    input: FloatTensor<B>,
    residual: FloatTensor<B>,
    weight: FloatTensor<B>,
    grad: FloatTensor<B>,
    eps: f64,
    mask: DropoutMask,
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    let sum = sum_with_dropout::<B>(input, residual, mask);
    let (residual_grad, weight_grad, bias_grad) = layer_norm_backward::<B>(sum, weight, grad, eps);
    let input_grad = B::bert_dropout(residual_grad.clone(), mask);
    (input_grad, residual_grad, weight_grad, bias_grad)
}

/// Implements [`BertOps::bert_lora_parts`].
pub(super) fn lora<B: Backend>(
    base: FloatTensor<B>,
    input: FloatTensor<B>,
    lora_a: FloatTensor<B>,
    lora_b: FloatTensor<B>,
    start: usize,
    precision: Precision,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let slice = columns::<B>(&base, start, lora_b.shape()[0]);
    let low_rank = product::<B>(input, B::float_transpose(lora_a), precision);
    let update = product::<B>(low_rank.clone(), B::float_transpose(lora_b), precision);
    let sum = B::float_add(B::float_slice(base.clone(), &slice), update);
    (B::float_slice_assign(base, &slice, sum), low_rank)
}

pub(super) fn lora_backward<B: Backend>(
    grad: FloatTensor<B>,
    input: FloatTensor<B>,
    low_rank: FloatTensor<B>,
    lora_a: FloatTensor<B>,
    lora_b: FloatTensor<B>,
    start: usize,
    precision: Precision,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let slice = columns::<B>(&grad, start, lora_b.shape()[0]);
    let grad = B::float_slice(grad, &slice);
    let b_grad = product::<B>(B::float_transpose(grad.clone()), low_rank, precision);
    let low_rank_grad = product::<B>(grad, lora_b, precision);
    let a_grad = product::<B>(B::float_transpose(low_rank_grad.clone()), input, precision);
    (
        product::<B>(low_rank_grad, lora_a, precision),
        a_grad,
        b_grad,
    )
}

/// Returns the slice of `len` columns of a matrix from `start` on.
fn columns<B: Backend>(matrix: &FloatTensor<B>, start: usize, len: usize) -> [Slice; 2] {
    [
        Slice::from(0..matrix.shape()[0]),
        Slice::from(start..start + len),
    ]
}

/// Returns a zero `[1]` on the device of `like`.
pub(super) fn zero<B: Backend>(like: &FloatTensor<B>) -> FloatTensor<B> {
    B::float_zeros(Shape::from([1]), &like.device(), FloatDType::F32)
}

/// Implements [`BertOps::bert_cross_entropy_parts`]. The gradient of a logit is
/// `(softmax(logits) * sum(targets) - targets) * scale`.
pub(super) fn cross_entropy<B: Backend>(
    logits: FloatTensor<B>,
    targets: FloatTensor<B>,
    scale: f64,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let logs = B::log_softmax(logits, 1);
    let loss = B::float_sum(B::float_mul(logs.clone(), targets.clone()));
    let loss = B::float_reshape(B::float_mul_scalar(loss, scalar(-scale)), Shape::from([1]));
    let total = B::float_sum_dim(targets.clone(), 1);
    let logits_grad = B::float_sub(B::float_mul(B::float_exp(logs), total), targets);
    (loss, B::float_mul_scalar(logits_grad, scalar(scale)))
}
