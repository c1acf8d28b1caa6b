//! The random generators that results depend on. Each reproduces the numbers of its reference for the same seed.

mod numpy;
mod torch;

pub use numpy::RandomState;
pub use torch::TorchGenerator;
