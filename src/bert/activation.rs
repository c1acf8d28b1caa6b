//! The activation of the feed-forward network, `hidden_act` of `config.json`.

use crate::kernels;
use burn::tensor::{Tensor, activation};

/// `√(2/π)`, as transformers writes it in `FastGELUActivation`.
const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;

/// The factor of `x³` in the approximation of GELU by tanh.
const CUBE: f64 = 0.044_715;

/// `tanh` is 1 in f32 from here on. Some GPUs compute it from exponentials that overflow for large inputs.
const LARGE: f64 = 20.0;

/// The activations of transformers' [`ACT2FN`][hf] that a BERT is published with, under all of their names.
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/activations.py
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HiddenAct {
    /// `gelu`, `gelu_python`: `x Φ(x)`.
    #[default]
    Gelu,
    /// `gelu_new`, `gelu_pytorch_tanh`, `gelu_python_tanh`, `gelu_fast`, `gelu_accurate`:
    /// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    GeluTanh,
    /// `quick_gelu`: `x σ(1.702 x)`.
    QuickGelu,
    /// `relu`.
    Relu,
    /// `relu6`: `min(max(x, 0), 6)`.
    Relu6,
    /// `relu2`: `max(x, 0)²`.
    Relu2,
    /// `leaky_relu`: `x` above 0, `0.01 x` below.
    LeakyRelu,
    /// `silu`, `swish`: `x σ(x)`.
    Silu,
    /// `tanh`.
    Tanh,
    /// `sigmoid`: `σ(x)`.
    Sigmoid,
    /// `mish`: `x tanh(ln(1 + eˣ))`.
    Mish,
    /// `linear`: `x`.
    Linear,
}

/// The names of [`HiddenAct`] in `config.json`.
const NAMES: [(&str, HiddenAct); 18] = [
    ("gelu", HiddenAct::Gelu),
    ("gelu_python", HiddenAct::Gelu),
    ("gelu_new", HiddenAct::GeluTanh),
    ("gelu_pytorch_tanh", HiddenAct::GeluTanh),
    ("gelu_python_tanh", HiddenAct::GeluTanh),
    ("gelu_fast", HiddenAct::GeluTanh),
    ("gelu_accurate", HiddenAct::GeluTanh),
    ("quick_gelu", HiddenAct::QuickGelu),
    ("relu", HiddenAct::Relu),
    ("relu6", HiddenAct::Relu6),
    ("relu2", HiddenAct::Relu2),
    ("leaky_relu", HiddenAct::LeakyRelu),
    ("silu", HiddenAct::Silu),
    ("swish", HiddenAct::Silu),
    ("tanh", HiddenAct::Tanh),
    ("sigmoid", HiddenAct::Sigmoid),
    ("mish", HiddenAct::Mish),
    ("linear", HiddenAct::Linear),
];

impl HiddenAct {
    /// Returns the activation of a name in `config.json`; none for a name that is not supported.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut names = NAMES.iter();
        names.find(|(found, _)| *found == name).map(|(_, act)| *act)
    }

    /// Returns every name that [`from_name`](Self::from_name) accepts.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Applies the activation to every value.
    ///
    /// # Shapes
    /// `[rows, columns]` → the same shape.
    pub fn forward(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Gelu => kernels::gelu(x),
            Self::GeluTanh => {
                let cubed = x.clone() * x.clone() * x.clone();
                let inner = (x.clone() + cubed.mul_scalar(CUBE)).mul_scalar(SQRT_2_OVER_PI);
                x.mul_scalar(0.5) * bounded_tanh(inner).add_scalar(1.0)
            }
            Self::QuickGelu => x.clone() * activation::sigmoid(x.mul_scalar(1.702)),
            Self::Relu => activation::relu(x),
            Self::Relu6 => activation::relu(x).clamp_max(6.0),
            Self::Relu2 => {
                let positive = activation::relu(x);
                positive.clone() * positive
            }
            Self::LeakyRelu => activation::leaky_relu(x, 0.01),
            Self::Silu => activation::silu(x),
            Self::Tanh => bounded_tanh(x),
            Self::Sigmoid => activation::sigmoid(x),
            Self::Mish => x.clone() * activation::softplus(x.clamp_max(LARGE), 1.0).tanh(),
            Self::Linear => x,
        }
    }
}

/// `tanh(x)` without an overflow.
fn bounded_tanh(x: Tensor<2>) -> Tensor<2> {
    x.clamp(-LARGE, LARGE).tanh()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Tolerance};

    const INPUT: [f32; 5] = [-3.0, -0.5, 0.0, 0.7, 6.5];

    #[allow(clippy::excessive_precision, reason = "as Python prints them")]
    /// Values of `ACT2FN[name](torch.tensor([-3.0, -0.5, 0.0, 0.7, 6.5]))` in transformers 5.24 with PyTorch 2.15.
    const EXPECTED: [(&str, [f32; 5]); 18] = [
        ("gelu", [-0.00405023, -0.15426877, 0.0, 0.53062546, 6.5]),
        (
            "gelu_python",
            [-0.00404969, -0.15426877, 0.0, 0.53062546, 6.5],
        ),
        ("gelu_new", [-0.00363743, -0.154286, 0.0, 0.53057015, 6.5]),
        (
            "gelu_pytorch_tanh",
            [-0.00363743, -0.154286, 0.0, 0.53057015, 6.5],
        ),
        (
            "gelu_python_tanh",
            [-0.00363743, -0.154286, 0.0, 0.53057015, 6.5],
        ),
        ("gelu_fast", [-0.00363743, -0.154286, 0.0, 0.53057015, 6.5]),
        (
            "gelu_accurate",
            [-0.00363743, -0.154286, 0.0, 0.53057015, 6.5],
        ),
        (
            "quick_gelu",
            [-0.01807131, -0.14961156, 0.0, 0.53689396, 6.49989796],
        ),
        ("relu", [0.0, 0.0, 0.0, 0.69999999, 6.5]),
        ("relu6", [0.0, 0.0, 0.0, 0.69999999, 6.0]),
        ("relu2", [0.0, 0.0, 0.0, 0.48999998, 42.25]),
        ("leaky_relu", [-0.03, -0.005, 0.0, 0.69999999, 6.5]),
        (
            "silu",
            [-0.14227761, -0.18877034, 0.0, 0.46773142, 6.490242],
        ),
        (
            "swish",
            [-0.14227761, -0.18877034, 0.0, 0.46773142, 6.490242],
        ),
        (
            "tanh",
            [-0.99505478, -0.46211717, 0.0, 0.60436779, 0.99999547],
        ),
        (
            "sigmoid",
            [0.04742587, 0.37754068, 0.5, 0.66818774, 0.9984988],
        ),
        (
            "mish",
            [-0.14564747, -0.22074376, 0.0, 0.56114835, 6.49997044],
        ),
        ("linear", [-3.0, -0.5, 0.0, 0.69999999, 6.5]),
    ];

    #[test]
    fn values_equal_those_of_transformers() {
        for (name, expected) in EXPECTED {
            let input = Tensor::<2>::from_data([INPUT], &Device::flex());
            let output = HiddenAct::from_name(name).unwrap().forward(input);
            output.into_data().assert_approx_eq::<f32>(
                &burn::tensor::TensorData::from([expected]),
                Tolerance::absolute(2e-6),
            );
        }
        assert_eq!(HiddenAct::names().count(), EXPECTED.len());
        assert_eq!(HiddenAct::from_name("gelu_exact"), None);
    }
}
