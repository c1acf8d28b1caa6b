//! The random generators that results depend on: each gives the numbers of the generator that it mirrors, for the same seed.

mod numpy;
mod torch;

pub use numpy::RandomState;
pub use torch::TorchGenerator;
