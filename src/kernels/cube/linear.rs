//! The products of a linear layer, with bias, GELU and the gradient of the bias as epilogues.

use super::matmul::{Epilogue, Matmul};
use super::strides::{MatmulShape, Operand};
use super::{empty, empty_activation};
use crate::kernels::Precision;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

/// Computes `input × weightᵀ + bias`.
pub(super) fn forward(
    input: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    precision: Precision,
) -> CubeTensor {
    let [input, weight, bias] = [input, weight, bias].map(into_contiguous);
    let shape = forward_shape(&input, &weight);
    let out = empty_activation(&input, [shape.m, shape.n]);
    Matmul {
        lhs: Operand::matrix(&input),
        rhs: Operand::matrix(&weight).transposed(),
        out: Operand::matrix(&out),
        shape,
        precision,
        epilogue: Epilogue::Bias(&bias),
    }
    .launch();
    out
}

/// Computes `input × weightᵀ + bias` and its GELU.
pub(super) fn forward_gelu(
    input: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    precision: Precision,
) -> (CubeTensor, CubeTensor) {
    let [input, weight, bias] = [input, weight, bias].map(into_contiguous);
    let shape = forward_shape(&input, &weight);
    let pre_activation = empty_activation(&input, [shape.m, shape.n]);
    let activation = empty_activation(&input, [shape.m, shape.n]);
    Matmul {
        lhs: Operand::matrix(&input),
        rhs: Operand::matrix(&weight).transposed(),
        out: Operand::matrix(&activation),
        shape,
        precision,
        epilogue: Epilogue::BiasGelu {
            bias: &bias,
            pre_activation: &pre_activation,
        },
    }
    .launch();
    (pre_activation, activation)
}

/// Returns the dimensions of `[m, k] × [n, k]ᵀ`.
fn forward_shape(input: &CubeTensor, weight: &CubeTensor) -> MatmulShape {
    let [m, k] = [input.meta.shape()[0], input.meta.shape()[1]];
    MatmulShape::single(m, weight.meta.shape()[0], k)
}

/// Computes `grad × weight`, multiplied by the derivative of GELU at `pre_activation` if there is one.
pub(super) fn input_grad(
    grad: CubeTensor,
    weight: CubeTensor,
    pre_activation: Option<CubeTensor>,
    precision: Precision,
) -> CubeTensor {
    let [grad, weight] = [grad, weight].map(into_contiguous);
    let pre_activation = pre_activation.map(into_contiguous);
    let [m, k] = [grad.meta.shape()[0], grad.meta.shape()[1]];
    let n = weight.meta.shape()[1];
    let out = empty_activation(&grad, [m, n]);
    Matmul {
        lhs: Operand::matrix(&grad),
        rhs: Operand::matrix(&weight),
        out: Operand::matrix(&out),
        shape: MatmulShape::single(m, n, k),
        precision,
        epilogue: pre_activation
            .as_ref()
            .map_or(Epilogue::None, Epilogue::GeluDerivative),
    }
    .launch();
    out
}

/// Computes `gradᵀ × input` and the sum over the rows of `grad`.
pub(super) fn weight_grad(
    grad: CubeTensor,
    input: CubeTensor,
    precision: Precision,
) -> (CubeTensor, CubeTensor) {
    let [grad, input] = [grad, input].map(into_contiguous);
    let [k, m] = [grad.meta.shape()[0], grad.meta.shape()[1]];
    let n = input.meta.shape()[1];
    let (weight_grad, bias_grad) = (empty(&grad, [m, n]), empty(&grad, [m]));
    Matmul {
        lhs: Operand::matrix(&grad).transposed(),
        rhs: Operand::matrix(&input),
        out: Operand::matrix(&weight_grad),
        shape: MatmulShape::single(m, n, k),
        precision,
        epilogue: Epilogue::RowSums(&bias_grad),
    }
    .launch();
    (weight_grad, bias_grad)
}
