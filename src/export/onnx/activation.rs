//! The activations of `hidden_act`, as transformers' [`ACT2FN`][hf] computes them.
//!
//! [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/activations.py

use super::graph::Graph;
use super::refuse;
use crate::Result;
use std::f32::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// The coefficient of the cube in the tanh approximation of GELU.
const CUBE: f32 = 0.044715;

/// Applies the activation `name` to `input`.
///
/// # Errors
/// [`Error::Export`](crate::Error::Export) for an activation without a translation.
pub(super) fn activation(
    graph: &mut Graph,
    module: &str,
    name: &str,
    input: &str,
) -> Result<String> {
    let mut apply = Apply { graph, module };
    Ok(match name {
        "linear" => input.into(),
        "relu" => apply.op("Relu", &[input]),
        "tanh" => apply.op("Tanh", &[input]),
        "sigmoid" => apply.op("Sigmoid", &[input]),
        "silu" | "swish" => apply.sigmoid_weighted(input, 1.0),
        "quick_gelu" => apply.sigmoid_weighted(input, 1.702),
        "gelu" | "gelu_python" => apply.gelu(input),
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => apply.gelu_tanh(input),
        "mish" => {
            let softplus = apply.op("Softplus", &[input]);
            let tanh = apply.op("Tanh", &[&softplus]);
            apply.op("Mul", &[input, &tanh])
        }
        _ => return Err(refuse(format!("ONNX has no operation for {name}."))),
    })
}

struct Apply<'a> {
    graph: &'a mut Graph,
    module: &'a str,
}

impl Apply<'_> {
    fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.graph.op(self.module, op, inputs, Vec::new())
    }

    fn with_number(&mut self, op: &str, input: &str, number: f32) -> String {
        let number = self.graph.number(number);
        self.op(op, &[input, &number])
    }

    /// `x * sigmoid(factor * x)`.
    fn sigmoid_weighted(&mut self, input: &str, factor: f32) -> String {
        let scaled = if factor == 1.0 {
            input.into()
        } else {
            self.with_number("Mul", input, factor)
        };
        let weight = self.op("Sigmoid", &[&scaled]);
        self.op("Mul", &[input, &weight])
    }

    /// `x * 0.5 * (1 + erf(x / √2))`, in the order of operations that onnxruntime computes as one.
    fn gelu(&mut self, input: &str) -> String {
        let scaled = self.with_number("Div", input, SQRT_2);
        let erf = self.op("Erf", &[&scaled]);
        let shifted = self.with_number("Add", &erf, 1.0);
        let product = self.op("Mul", &[input, &shifted]);
        self.with_number("Mul", &product, 0.5)
    }

    /// `0.5 * x * (1 + tanh(√(2/π) * x * (1 + 0.044715 * x²)))`: no cube of `x`, which overflows in f16 sooner.
    fn gelu_tanh(&mut self, input: &str) -> String {
        let square = self.op("Mul", &[input, input]);
        let square = self.with_number("Mul", &square, CUBE);
        let factor = self.with_number("Add", &square, 1.0);
        let scaled = self.with_number("Mul", input, FRAC_2_SQRT_PI / SQRT_2);
        let inner = self.op("Mul", &[&scaled, &factor]);
        let tanh = self.op("Tanh", &[&inner]);
        let shifted = self.with_number("Add", &tanh, 1.0);
        let product = self.op("Mul", &[input, &shifted]);
        self.with_number("Mul", &product, 0.5)
    }
}
