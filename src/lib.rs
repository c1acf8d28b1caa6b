//! webtune fine-tunes a BERT text classifier in a web page, on the visitor's GPU through WebGPU.
//!
//! The modules, in the order of the data flow:
//!
//! - [`error`](Error): the error type of the crate.
//! - [`io`]: files that are read in byte ranges.
//! - [`random`]: the generators of NumPy and PyTorch that results depend on.
//! - [`data`]: rows of text and label, and their split into a training and a test part.
//! - [`tokens`]: texts → WordPiece ids → padded batches.
//! - [`hub`]: sources of model files: listing, pin, resumable downloads.
//! - [`bert`]: the network, from `config.json` and safetensors files.
//! - [`kernels`]: fused operations, as CPU reference, autodiff rules and WebGPU kernels.
//! - [`settings`]: the table of hyper-parameters that drives form, URL and validation.
//! - [`train`]: `TrainingArguments`, learning-rate schedule, AdamW, memory plan, and the trainer.
//! - [`evaluate`]: logits → losses, metrics and misclassified rows.
//! - [`export`]: the trained model as a Hugging Face folder in a zip file.
//! - [`selftest`]: comparison of a device with the CPU, and the times of both.
//! - `benchmark`: times of matrix products and training steps on a GPU (feature `gpu`).
//! - [`session`]: the workflow as one state machine, and the types of the page's protocol.
//! - `browser`: bindings of the browser (wasm only).
//!
//! A fine-tuning run:
//!
//! 1. [`data::Dataset::check`] checks the rows, and [`data::train_test_split`] splits them.
//! 2. [`tokens::Tokenizer::encode`] converts each text to an [`Encoding`](tokens::Encoding) of WordPiece ids.
//! 3. [`bert::WeightsLoader`] builds the network from byte ranges of the weights file.
//! 4. [`settings`] validates the hyper-parameters.
//! 5. [`train::Tuning::apply`] freezes parameters and adds LoRA adapters.
//! 6. [`tokens::DataCollator::collate`] pads the rows of a [`train::Trainer`] step to a batch.
//! 7. The forward pass calls [`kernels`]; [`bert::cross_entropy`] computes the loss.
//! 8. The backward pass computes gradients, [`train::GradientClipper`] clips them, and [`train::AdamW`] updates.
//! 9. [`evaluate`] computes the metrics on the test part.
//! 10. [`export`] writes the network for transformers, or the adapters for PEFT.
//!
//! The device (WebGPU or CPU) is a parameter; only `browser` chooses one.

#[cfg(feature = "gpu")]
pub mod benchmark;
pub mod bert;
pub mod data;
mod error;
pub mod evaluate;
pub mod export;
#[cfg(test)]
mod hostile;
pub mod hub;
pub mod io;
pub mod kernels;
pub mod random;
pub mod selftest;
pub mod session;
pub mod settings;
pub mod tokens;
pub mod train;
mod warning;

#[cfg(target_family = "wasm")]
mod browser;

pub use error::{Error, Result};
pub use warning::Warning;
