//! The classifier as an [ONNX](https://onnx.ai) model, with the names of inputs, outputs and files that Optimum writes
//! and transformers.js reads. `docs/formats.md` states the format.
//!
//! - `proto`: the messages of the file format.
//! - `graph`, `weights`: nodes and constants, and which parameter becomes which tensor.
//! - `network`, `layers`, `activation`: the operations of BERT.
//! - `file`, `stream`, `values`: the file as bytes, weight by weight. The model is never in memory as a whole.

mod activation;
mod file;
mod graph;
mod layers;
mod network;
mod proto;
mod stream;
mod values;
mod weights;

pub use file::{File, LARGEST_FILE};

use super::refuse;

/// The numbers that a model computes with and stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// f32.
    F32,
    /// Embeddings and weights of linear layers as f16, which are multiplied as f16. Everything else is f32: LayerNorm's
    /// epsilon would be 0, and scores or activations may be beyond the largest f16.
    F16,
    /// Embeddings and weights of linear layers as 8-bit integers; inputs of linear layers are quantized when the model
    /// runs, as by onnxruntime's `quantize_dynamic`.
    Int8,
}

impl Precision {
    /// The name of the file, by which transformers.js finds the precision (`dtype`).
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::F32 => "model.onnx",
            Self::F16 => "model_fp16.onnx",
            Self::Int8 => "model_quantized.onnx",
        }
    }
}

#[cfg(test)]
mod tests;
