//! LayerNorm, with residual connection and dropout or without.

use super::execute::run;
use super::tensors::{Values, dims, output};
use crate::kernels::DropoutMask;
use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use std::ptr;
use webtune_cpu::{Job, LayerNorm, LayerNormBackward, LayerNormWeights, Rows};

/// Whether rows of the width of `weight` have a kernel: a multiple of four values.
pub(super) fn has_kernel(weight: &FloatTensor<Flex>) -> bool {
    weight.layout().shape().num_elements().is_multiple_of(4)
}

/// The operands of both passes.
struct Operands {
    input: Values,
    residual: Option<Values>,
    mask: DropoutMask,
    eps: f64,
    shape: [usize; 2],
}

impl Operands {
    fn new(
        input: FloatTensor<Flex>,
        residual: Option<FloatTensor<Flex>>,
        eps: f64,
        mask: DropoutMask,
    ) -> Self {
        let shape = dims(&input);
        Self {
            input: Values::new(input),
            residual: residual.map(|residual| Values::of_len(residual, shape[0] * shape[1])),
            mask,
            eps,
            shape,
        }
    }

    fn rows(&self) -> Rows {
        let [rows, width] = self.shape;
        Rows {
            input: self.input.start(),
            residual: Values::start_or_null(self.residual.as_ref()),
            dropout: self.mask.into(),
            rows,
            width,
            eps: self.eps as f32,
        }
    }
}

/// Computes `layer_norm(dropout(input) + residual)`.
pub(super) fn forward(
    input: FloatTensor<Flex>,
    residual: Option<FloatTensor<Flex>>,
    weight: FloatTensor<Flex>,
    bias: FloatTensor<Flex>,
    eps: f64,
    mask: DropoutMask,
) -> FloatTensor<Flex> {
    let operands = Operands::new(input, residual, eps, mask);
    let [weight, bias] = [weight, bias].map(|tensor| Values::of_len(tensor, operands.shape[1]));
    output(operands.shape, |output| {
        run(&Job::LayerNorm(LayerNorm {
            rows: operands.rows(),
            weight: weight.start(),
            bias: bias.start(),
            output,
        }));
    })
}

/// Returns the gradients of input, residual, weight and bias. Without dropout the first two are the same tensor.
pub(super) fn backward(
    input: FloatTensor<Flex>,
    residual: Option<FloatTensor<Flex>>,
    weight: FloatTensor<Flex>,
    grad: FloatTensor<Flex>,
    eps: f64,
    mask: DropoutMask,
) -> (
    FloatTensor<Flex>,
    FloatTensor<Flex>,
    FloatTensor<Flex>,
    FloatTensor<Flex>,
) {
    let operands = Operands::new(input, residual, eps, mask);
    let [rows, width] = operands.shape;
    let weight = Values::of_len(weight, width);
    let grad = Values::of_len(grad, rows * width);
    let mut moments = vec![0.0; 2 * rows];
    let mut rows_job = |input_grad, residual_grad| {
        run(&Job::LayerNormBackward(LayerNormBackward {
            rows: operands.rows(),
            weight: weight.start(),
            grad: grad.start(),
            residual_grad,
            input_grad,
            moments: moments.as_mut_ptr(),
        }));
    };
    let mut input_grad = None;
    let residual_grad = output([rows, width], |residual_grad| match mask.is_none() {
        true => rows_job(ptr::null_mut(), residual_grad),
        false => {
            input_grad = Some(output([rows, width], |input_grad| {
                rows_job(input_grad, residual_grad)
            }));
        }
    });
    let mut weight_grad = None;
    let bias_grad = output([width], |bias_grad| {
        weight_grad = Some(output([width], |weight_grad| {
            run(&Job::LayerNormWeights(LayerNormWeights {
                rows: operands.rows(),
                grad: grad.start(),
                moments: moments.as_ptr(),
                weight_grad,
                bias_grad,
            }));
        }));
    });
    let input_grad = input_grad.unwrap_or_else(|| residual_grad.clone());
    let weight_grad = weight_grad.expect("the output was written");
    (input_grad, residual_grad, weight_grad, bias_grad)
}
