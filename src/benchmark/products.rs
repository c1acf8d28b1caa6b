//! The matrix products of a linear layer, alone: forward pass, gradient of the input and gradient of the weight, with
//! the epilogues that they have in a training step.

use crate::bert::BertConfig;
use crate::kernels::{BertOps, LinearPass, Precision, ProductTimer};
use crate::random::TorchGenerator;
use crate::{Error, Result};
use burn::backend::Dispatch;
use burn::tensor::{Device, Tensor, TensorData};
use std::fmt;

/// Values of the tensors, repeated. Times do not depend on them, as long as they are ordinary numbers.
const PATTERN: usize = 4093;

/// A product of a linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearProduct {
    /// Query, key and value in one (`qkv`), `dense` of the attention, `intermediate`, or `output`.
    pub layer: &'static str,
    /// Which of the layer's three products.
    pub pass: LinearPass,
    /// Tokens of the batch.
    pub tokens: usize,
    /// The layer's input and output features.
    pub features: [usize; 2],
}

/// Returns the products of an encoder layer for a batch of `tokens`.
pub fn linear_products(config: &BertConfig, tokens: usize) -> Vec<LinearProduct> {
    let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
    let layers = [
        ("qkv", [hidden, 3 * hidden]),
        ("dense", [hidden, hidden]),
        ("intermediate", [hidden, intermediate]),
        ("output", [intermediate, hidden]),
    ];
    let of_layer = |(layer, features)| {
        LinearPass::ALL.map(|pass| LinearProduct {
            layer,
            pass,
            tokens,
            features,
        })
    };
    layers.into_iter().flat_map(of_layer).collect()
}

impl fmt::Display for LinearProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [m, n, k] = self.shape();
        write!(f, "{} {}, {m} × {n} × {k}", self.layer, self.pass)
    }
}

/// The tensors of a product.
#[derive(Debug, Clone)]
pub struct Operands {
    product: LinearProduct,
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    grad: Tensor<2>,
}

/// The time of a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Milliseconds, the median of the runs.
    pub ms: f64,
    /// The fastest run.
    pub best_ms: f64,
    /// Runs.
    pub runs: usize,
    /// Whether the device took the times.
    pub timestamps: bool,
}

impl LinearProduct {
    /// Returns the dimensions `[m, n, k]` of `[m, k] × [k, n]`.
    pub fn shape(self) -> [usize; 3] {
        let Self {
            tokens,
            features: [inputs, outputs],
            ..
        } = self;
        match self.pass {
            LinearPass::Forward => [tokens, outputs, inputs],
            LinearPass::InputGrad => [tokens, inputs, outputs],
            LinearPass::WeightGrad => [outputs, inputs, tokens],
        }
    }

    /// Returns the floating-point operations of the product, without its epilogue.
    pub fn flop(self) -> f64 {
        let [m, n, k] = self.shape();
        2.0 * m as f64 * n as f64 * k as f64
    }

    /// Creates the tensors of the product on `device`.
    pub fn operands(self, device: &Device) -> Operands {
        let pattern = TorchGenerator::new(1).normal(PATTERN, 1.0);
        let matrix = |rows, columns| {
            let values = pattern.iter().cycle().take(rows * columns).copied();
            let values: Vec<f32> = values.collect();
            Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), device)
        };
        let [inputs, outputs] = self.features;
        Operands {
            product: self,
            input: matrix(self.tokens, inputs),
            weight: matrix(outputs, inputs),
            bias: Tensor::zeros([outputs], device),
            grad: matrix(self.tokens, outputs),
        }
    }
}

impl Operands {
    /// Computes the product: the output, the gradient of the input, or the gradient of the weight.
    ///
    /// # Shapes
    /// - output: `[m, n]` of [`LinearProduct::shape`]
    pub fn result(&self) -> Tensor<2> {
        let input = self.input.clone().into_dispatch();
        let weight = self.weight.clone().into_dispatch();
        let bias = self.bias.clone().into_dispatch();
        let grad = self.grad.clone().into_dispatch();
        let precision = Precision::F32;
        Tensor::from_dispatch(match (self.product.pass, self.product.layer) {
            (LinearPass::Forward, "intermediate") => {
                Dispatch::bert_linear_gelu(input, weight, bias, precision).1
            }
            (LinearPass::Forward, _) => Dispatch::bert_linear(input, weight, bias, precision),
            (LinearPass::InputGrad, "output") => {
                Dispatch::bert_linear_input_grad_gelu(grad, weight, input, precision)
            }
            (LinearPass::InputGrad, _) => Dispatch::bert_linear_input_grad(grad, weight, precision),
            (LinearPass::WeightGrad, _) => {
                Dispatch::bert_linear_weight_grad(grad, input, precision).0
            }
        })
    }

    /// Times the product in the current form of the kernels: once to compile it, then at least twice and for about
    /// `budget_ms` milliseconds.
    ///
    /// # Errors
    /// [`Error::Device`] if the device has timed nothing, as the CPU device.
    pub async fn time(&self, budget_ms: f64) -> Result<Timing> {
        self.runs(1).await?;
        let first = self.runs(1).await?;
        let more = (budget_ms / first.ms.max(1e-3)) as usize;
        self.runs(more.clamp(2, 50)).await
    }

    async fn runs(&self, runs: usize) -> Result<Timing> {
        let timer = ProductTimer::new();
        for _ in 0..runs {
            drop(self.result());
        }
        let mut times = timer.finish().await;
        times.milliseconds.sort_by(f64::total_cmp);
        let runs = times.milliseconds.len();
        let (Some(&best_ms), Some(&ms)) =
            (times.milliseconds.first(), times.milliseconds.get(runs / 2))
        else {
            return Err(Error::Device("The device has timed no product.".into()));
        };
        Ok(Timing {
            ms,
            best_ms,
            runs,
            timestamps: times.timestamps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::networks;

    #[test]
    fn an_encoder_layer_has_twelve_products() {
        let [(_, config), _] = networks();
        let products = linear_products(&config, 128);
        assert_eq!(products.len(), 12);
        let flop: f64 = products.iter().map(|product| product.flop()).sum();
        // 6 FLOP for each weight and token.
        let weights = 12 * 384 * 384;
        assert_eq!(flop, (6 * weights * 128) as f64);
        let names: Vec<String> = products.iter().map(LinearProduct::to_string).collect();
        assert_eq!(names[0], "qkv forward, 128 × 1152 × 384");
        assert_eq!(names[1], "qkv input gradient, 128 × 384 × 1152");
        assert_eq!(names[11], "output weight gradient, 384 × 1536 × 128");
    }

    #[test]
    fn every_product_has_operands_of_its_dimensions() {
        let [(_, config), _] = networks();
        let small = BertConfig {
            hidden_size: 6,
            intermediate_size: 10,
            ..config
        };
        for product in linear_products(&small, 5) {
            let [m, n, _] = product.shape();
            let result = product.operands(&Device::flex()).result();
            assert_eq!(result.dims(), [m, n], "{product}");
        }
    }
}
