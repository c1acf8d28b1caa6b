//! The activations of `hidden_act` as operations.

use super::graph::Graph;
use super::proto::AttributeProto;
use crate::bert::HiddenAct;
use std::f32::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// The coefficient of the cube in the tanh approximation of GELU.
const CUBE: f32 = 0.044715;

/// Applies an activation to `input`, with the numbers of [`HiddenAct::forward`].
pub(super) fn activation(graph: &mut Graph, module: &str, act: HiddenAct, input: &str) -> String {
    let mut apply = Apply { graph, module };
    match act {
        HiddenAct::Linear => input.into(),
        HiddenAct::Relu => apply.op("Relu", &[input]),
        HiddenAct::Relu6 => {
            let [least, largest] = [0.0, 6.0].map(|bound| apply.graph.number(bound));
            apply.op("Clip", &[input, &least, &largest])
        }
        HiddenAct::Relu2 => {
            let positive = apply.op("Relu", &[input]);
            apply.op("Mul", &[&positive, &positive])
        }
        HiddenAct::LeakyRelu => {
            let slope = AttributeProto::float("alpha", 0.01);
            apply.graph.op(module, "LeakyRelu", &[input], vec![slope])
        }
        HiddenAct::Tanh => apply.op("Tanh", &[input]),
        HiddenAct::Sigmoid => apply.op("Sigmoid", &[input]),
        HiddenAct::Silu => apply.sigmoid_weighted(input, 1.0),
        HiddenAct::QuickGelu => apply.sigmoid_weighted(input, 1.702),
        HiddenAct::Gelu => apply.gelu(input),
        HiddenAct::GeluTanh => apply.gelu_tanh(input),
        HiddenAct::Mish => {
            let softplus = apply.op("Softplus", &[input]);
            let tanh = apply.op("Tanh", &[&softplus]);
            apply.op("Mul", &[input, &tanh])
        }
    }
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

    /// `0.5 * x * (1 + tanh(√(2/π) * x * (1 + 0.044715 * x²)))`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::onnx::Precision;
    use std::collections::HashMap;

    const INPUTS: [f32; 5] = [-3.0, -0.7, 0.0, 0.4, 2.5];
    /// The outputs of `ACT2FN` of transformers 5.24, computed in f64.
    const EXPECTED: [(HiddenAct, [f32; 5]); 12] = [
        (
            HiddenAct::Gelu,
            [-0.0040497, -0.1693746, 0.0, 0.2621687, 2.4844758],
        ),
        (
            HiddenAct::GeluTanh,
            [-0.0036374, -0.1694299, 0.0, 0.2621612, 2.4849157],
        ),
        (
            HiddenAct::QuickGelu,
            [-0.0180713, -0.163106, 0.0, 0.2655669, 2.4650138],
        ),
        (HiddenAct::Relu, [0.0, 0.0, 0.0, 0.4, 2.5]),
        (
            HiddenAct::Silu,
            [-0.1422776, -0.2322686, 0.0, 0.2394751, 2.3103545],
        ),
        (
            HiddenAct::Mish,
            [-0.1456475, -0.2678702, 0.0, 0.2890305, 2.4713923],
        ),
        (
            HiddenAct::Tanh,
            [-0.9950548, -0.6043678, 0.0, 0.379949, 0.9866143],
        ),
        (
            HiddenAct::Sigmoid,
            [0.0474259, 0.3318122, 0.5, 0.5986877, 0.9241418],
        ),
        (HiddenAct::Relu6, [0.0, 0.0, 0.0, 0.4, 2.5]),
        (HiddenAct::Relu2, [0.0, 0.0, 0.0, 0.16, 6.25]),
        (HiddenAct::LeakyRelu, [-0.03, -0.007, 0.0, 0.4, 2.5]),
        (HiddenAct::Linear, [-3.0, -0.7, 0.0, 0.4, 2.5]),
    ];

    /// The error function by Simpson's rule.
    fn erf(x: f32) -> f32 {
        let (x, steps) = (f64::from(x), 400);
        let width = x / f64::from(steps);
        let sum: f64 = (0..=steps)
            .map(|at| {
                let factor = match at {
                    0 => 1.0,
                    at if at == steps => 1.0,
                    at if at % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                factor * (-(f64::from(at) * width).powi(2)).exp()
            })
            .sum();
        (std::f64::consts::FRAC_2_SQRT_PI * sum * width / 3.0) as f32
    }

    /// Computes the graph of an activation for one value.
    fn computed(act: HiddenAct, input: f32) -> f32 {
        let mut graph = Graph::new(Precision::F32, Vec::new());
        let output = activation(&mut graph, "module", act, "x");
        let mut values = HashMap::from([("x".to_string(), input)]);
        for constant in &graph.constants {
            let bytes = constant.raw_data.as_deref().unwrap();
            let value = f32::from_le_bytes(bytes.try_into().unwrap());
            values.insert(constant.name.clone().unwrap(), value);
        }
        for node in &graph.nodes {
            let inputs: Vec<f32> = node.input.iter().map(|input| values[input]).collect();
            let value = match (node.op_type.as_deref().unwrap(), inputs.as_slice()) {
                ("Mul", [a, b]) => a * b,
                ("Add", [a, b]) => a + b,
                ("Div", [a, b]) => a / b,
                ("Erf", [a]) => erf(*a),
                ("Tanh", [a]) => a.tanh(),
                ("Sigmoid", [a]) => 1.0 / (1.0 + (-a).exp()),
                ("Softplus", [a]) => a.exp().ln_1p(),
                ("Relu", [a]) => a.max(0.0),
                ("LeakyRelu", [a]) => a.max(node.attribute[0].f.unwrap() * a),
                ("Clip", [a, least, largest]) => a.clamp(*least, *largest),
                (op, inputs) => panic!("{op} of {inputs:?}"),
            };
            values.insert(node.output[0].clone(), value);
        }
        values[&output]
    }

    #[test]
    fn activations_have_the_values_of_transformers() {
        for (act, expected) in EXPECTED {
            for (input, expected) in INPUTS.into_iter().zip(expected) {
                let found = computed(act, input);
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{act:?}({input}) = {found}"
                );
            }
        }
    }
}
