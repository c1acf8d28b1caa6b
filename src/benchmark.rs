//! Measurements of a device: the matrix products of BERT's linear layers in each tile, and whole training steps.
//!
//! `examples/native_bench.rs` prints them for the adapter of this machine.

mod products;
mod steps;

pub use products::{LinearProduct, Operands, Timing, linear_products};
pub use steps::{TrainingSteps, training_steps};

use crate::bert::BertConfig;

/// The networks that are measured, with the names of their checkpoints.
pub fn networks() -> [(&'static str, BertConfig); 2] {
    let minilm = BertConfig {
        hidden_size: 384,
        num_hidden_layers: 6,
        num_attention_heads: 12,
        intermediate_size: 1536,
        ..BertConfig::default()
    };
    [("MiniLM", minilm), ("bert-base", BertConfig::default())]
}
