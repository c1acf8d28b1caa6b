//! The trait and what each operation means, written once in burn's primitives.

use burn::backend::{Backend, Scalar, TensorMetadata, backend_extension, tensor::FloatTensor};
use burn::tensor::Shape;

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

    /// See [`squared_sum`](super::squared_sum).
    fn bert_squared_sum(input: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_sum(Self::float_mul(input.clone(), input))
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
