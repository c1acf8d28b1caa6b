//! Linear layers.

use super::execute::run;
use super::tensors::{Values, dims, output};
use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use webtune_cpu::{ColumnSums, Epilogue, Gemm, Job, Operand};

/// Writes the product of `[m, k]` and `[k, n]` to `c`.
pub(super) fn product(
    [a, b]: [Operand; 2],
    c: *mut f32,
    [m, n, k]: [usize; 3],
    epilogue: Epilogue,
) {
    run(&Job::Gemm(Gemm {
        a,
        b,
        c,
        c_stride: n,
        m,
        n,
        k,
        epilogue,
    }));
}

/// Computes `input × weightᵀ` and the epilogue.
pub(super) fn forward(
    input: FloatTensor<Flex>,
    weight: FloatTensor<Flex>,
    epilogue: Epilogue,
) -> FloatTensor<Flex> {
    let ([m, k], [n, width]) = (dims(&input), dims(&weight));
    assert_eq!(k, width, "a linear layer has the width of its input");
    let (input, weight) = (Values::new(input), Values::new(weight));
    let a = Operand::row_major(input.start(), k);
    let b = Operand::row_major(weight.start(), k).transposed();
    output([m, n], |c| product([a, b], c, [m, n, k], epilogue))
}

/// Computes `input × weightᵀ + bias`, and its GELU.
pub(super) fn forward_gelu(
    input: FloatTensor<Flex>,
    weight: FloatTensor<Flex>,
    bias: FloatTensor<Flex>,
) -> (FloatTensor<Flex>, FloatTensor<Flex>) {
    let shape = [dims(&input)[0], dims(&weight)[0]];
    let bias = Values::of_len(bias, shape[1]);
    let bias = bias.start();
    let mut pre_activation = None;
    let activation = output(shape, |activation| {
        let epilogue = Epilogue::BiasGelu { bias, activation };
        pre_activation = Some(forward(input, weight, epilogue));
    });
    let pre_activation = pre_activation.expect("the output was written");
    (pre_activation, activation)
}

/// Computes `grad × weight` and the epilogue.
pub(super) fn input_grad(
    grad: FloatTensor<Flex>,
    weight: FloatTensor<Flex>,
    epilogue: Epilogue,
) -> FloatTensor<Flex> {
    let ([m, k], [height, n]) = (dims(&grad), dims(&weight));
    assert_eq!(
        k, height,
        "the gradient has the width of the layer's output"
    );
    let (grad, weight) = (Values::new(grad), Values::new(weight));
    let a = Operand::row_major(grad.start(), k);
    let b = Operand::row_major(weight.start(), n);
    output([m, n], |c| product([a, b], c, [m, n, k], epilogue))
}

/// Computes `gradᵀ × input`, and the sums of the columns of `grad`.
pub(super) fn weight_grad(
    grad: FloatTensor<Flex>,
    input: FloatTensor<Flex>,
) -> (FloatTensor<Flex>, FloatTensor<Flex>) {
    let ([rows, m], [height, n]) = (dims(&grad), dims(&input));
    assert_eq!(rows, height, "gradient and input have the same rows");
    let (grad, input) = (Values::new(grad), Values::new(input));
    let a = Operand::row_major(grad.start(), m).transposed();
    let b = Operand::row_major(input.start(), n);
    let weight_grad = output([m, n], |c| {
        product([a, b], c, [m, n, rows], Epilogue::Store);
    });
    let bias_grad = output([m], |sums| {
        run(&Job::ColumnSums(ColumnSums {
            input: grad.start(),
            rows,
            width: m,
            sums,
        }));
    });
    (weight_grad, bias_grad)
}
