//! The trait and what each operation means, written once in burn's primitives.

use super::dropout::mask_tensor;
use super::{DropoutMask, SquaresPlace};
use burn::backend::{Backend, Scalar, TensorMetadata, backend_extension, tensor::FloatTensor};
use burn::tensor::{Shape, Slice};

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
}

/// Operations of the network and its optimizer with an implementation of their own on some device.
#[backend_extension(Flex, Autodiff, Cube: cfg(feature = "gpu"))]
pub trait BertOps: Backend {
    /// See [`matmul`](super::matmul).
    fn bert_matmul(lhs: FloatTensor<Self>, rhs: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_matmul(lhs, rhs)
    }

    /// See [`linear`](super::linear).
    fn bert_linear(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let width = bias.shape().num_elements();
        let product = Self::bert_matmul(input, Self::float_transpose(weight));
        Self::float_add(product, Self::float_reshape(bias, Shape::from([1, width])))
    }

    /// The sum over the rows of `[m, n]`, `[n]`: the gradient of a bias.
    fn bert_sum_rows(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let width = input.shape()[1];
        Self::float_reshape(Self::float_sum_dim(input, 0), Shape::from([width]))
    }

    /// See [`gelu`](super::gelu).
    fn bert_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let cdf = normal_cdf::<Self>(input.clone());
        Self::float_mul(input, cdf)
    }

    /// The gradient of [`gelu`](super::gelu) with respect to `input`: `grad * (Φ(x) + x φ(x))`.
    fn bert_gelu_backward(input: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
        let cdf = normal_cdf::<Self>(input.clone());
        let squares = Self::float_mul(input.clone(), input.clone());
        let density = Self::float_exp(Self::float_mul_scalar(squares, scalar(-0.5)));
        let slope = Self::float_mul(input, Self::float_mul_scalar(density, scalar(INV_SQRT_2PI)));
        Self::float_mul(grad, Self::float_add(cdf, slope))
    }

    /// See [`dropout`](super::dropout()); its gradient is the same operation on the gradient.
    fn bert_dropout(input: FloatTensor<Self>, mask: DropoutMask) -> FloatTensor<Self> {
        if mask.is_none() {
            return input;
        }
        let mask = mask_tensor::<Self>(input.shape(), mask, &input.device());
        Self::float_mul(input, mask)
    }

    /// See [`residual_layer_norm`](super::residual_layer_norm).
    fn bert_residual_layer_norm(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        let sum = Self::float_add(Self::bert_dropout(input, mask), residual);
        Self::layer_norm(sum, weight, Some(bias), eps)
    }

    /// The gradients of [`residual_layer_norm`](super::residual_layer_norm) with respect to input, residual, weight and bias, in this
    /// order.
    fn bert_residual_layer_norm_backward(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        eps: f64,
        mask: DropoutMask,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let width = weight.shape().num_elements();
        let sum = Self::float_add(Self::bert_dropout(input, mask), residual);
        let centered = Self::float_sub(sum.clone(), Self::float_mean_dim(sum, 1));
        let squares = Self::float_mul(centered.clone(), centered.clone());
        let variance = Self::float_mean_dim(squares, 1);
        let deviation = Self::float_sqrt(Self::float_add_scalar(variance, scalar(eps)));
        let normalized = Self::float_div(centered, deviation.clone());
        let for_weight = Self::bert_sum_rows(Self::float_mul(grad.clone(), normalized.clone()));
        let for_bias = Self::bert_sum_rows(grad.clone());
        let scaled = Self::float_mul(grad, Self::float_reshape(weight, Shape::from([1, width])));
        let mean = Self::float_mean_dim(scaled.clone(), 1);
        let along = Self::float_mean_dim(Self::float_mul(scaled.clone(), normalized.clone()), 1);
        let centered = Self::float_sub(scaled, mean);
        let rest = Self::float_sub(centered, Self::float_mul(normalized, along));
        let for_residual = Self::float_div(rest, deviation);
        let for_input = Self::bert_dropout(for_residual.clone(), mask);
        (for_input, for_residual, for_weight, for_bias)
    }

    /// See [`attention_probs`](super::attention_probs).
    fn bert_attention_probs(
        scores: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        scale: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        Self::bert_attention_probs_pair(scores, bias, scale, mask).1
    }

    /// The probabilities before and after their dropout.
    fn bert_attention_probs_pair(
        scores: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        scale: f64,
        mask: DropoutMask,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let scores = Self::float_add(Self::float_mul_scalar(scores, scalar(scale)), bias);
        let probs = Self::softmax(scores, 3);
        (probs.clone(), Self::bert_dropout(probs, mask))
    }

    /// The gradient of [`attention_probs`](super::attention_probs) with respect to the scores, from the probabilities before their
    /// dropout.
    fn bert_attention_probs_backward(
        probs: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        scale: f64,
        mask: DropoutMask,
    ) -> FloatTensor<Self> {
        let grad = Self::bert_dropout(grad, mask);
        let along = Self::float_sum_dim(Self::float_mul(probs.clone(), grad.clone()), 3);
        let slope = Self::float_mul(probs, Self::float_sub(grad, along));
        Self::float_mul_scalar(slope, scalar(scale))
    }

    /// See [`adamw`](super::adamw).
    fn bert_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        clip: FloatTensor<Self>,
        scalars: AdamWScalars,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let rank = gradient.shape().num_dims();
        let clip = Self::float_reshape(clip, Shape::from(vec![1; rank]));
        let gradient = Self::float_mul(gradient, clip);
        let first = Self::float_add(
            Self::float_mul_scalar(first, scalar(scalars.beta1)),
            Self::float_mul_scalar(gradient.clone(), scalar(1.0 - scalars.beta1)),
        );
        let squares = Self::float_mul(gradient.clone(), gradient);
        let second = Self::float_add(
            Self::float_mul_scalar(second, scalar(scalars.beta2)),
            Self::float_mul_scalar(squares, scalar(1.0 - scalars.beta2)),
        );
        let root = Self::float_mul_scalar(
            Self::float_sqrt(second.clone()),
            scalar(1.0 / scalars.bias_correction2_sqrt),
        );
        let denominator = Self::float_add_scalar(root, scalar(scalars.eps));
        let update = Self::float_div(
            Self::float_mul_scalar(first.clone(), scalar(scalars.step_size)),
            denominator,
        );
        let decayed = Self::float_mul_scalar(parameter, scalar(scalars.decay));
        (Self::float_sub(decayed, update), first, second)
    }

    /// See [`squares`](super::squares).
    fn bert_squares(
        sums: FloatTensor<Self>,
        input: FloatTensor<Self>,
        place: SquaresPlace,
    ) -> FloatTensor<Self> {
        let sum = Self::float_sum(Self::float_mul(input.clone(), input));
        let slice = Slice::from(place.offset..place.offset + 1);
        Self::float_slice_assign(sums, &[slice], sum)
    }
}

/// `Φ(x)`, the distribution function of the standard normal.
fn normal_cdf<B: Backend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let erf = B::float_erf(B::float_mul_scalar(
        input,
        scalar(std::f64::consts::FRAC_1_SQRT_2),
    ));
    B::float_mul_scalar(B::float_add_scalar(erf, scalar(1.0)), scalar(0.5))
}

fn scalar(value: f64) -> Scalar {
    value.into()
}
