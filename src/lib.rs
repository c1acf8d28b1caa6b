//! webtune: fine-tune a BERT text classifier where the visitor is, in a browser tab.
//!
//! The rooms, in the order in which text flows through them:
//!
//! - [`data`]: rows of text and label, and their split into a training and a test part.
//! - [`tokens`]: text becomes WordPiece ids, ids become padded batches.
//! - [`bert`]: the network, from `config.json` and a safetensors file.
//! - [`kernels`]: the operations of a training step that burn's own are too slow or inexact for, for every device.
//! - [`train`]: `TrainingArguments`, learning rates, AdamW, and the trainer, a machine that is stepped.
//! - [`evaluate`]: logits become losses, metrics and the rows that went wrong.
//! - [`export`]: the trained model as a Hugging Face folder in a zip.
//! - [`hub`]: where a model's files come from, as byte ranges.
//! - [`settings`]: the one table of hyper-parameters that drives form, URL and validation.
//! - [`selftest`]: does this device compute what the CPU computes?
//! - `browser`: the only room that knows the browser (wasm only).
//!
//! The device (WebGPU or CPU) is a value that is passed in; nothing but `browser` chooses one.

pub mod bert;
pub mod data;
mod error;
pub mod evaluate;
pub mod export;
pub mod hub;
pub mod io;
pub mod kernels;
pub mod random;
pub mod selftest;
pub mod settings;
pub mod tokens;
pub mod train;
mod warning;

#[cfg(target_family = "wasm")]
mod browser;

pub use error::{Error, Result};
pub use warning::Warning;
