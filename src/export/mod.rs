//! Export of the trained model as a Hugging Face folder in a `.zip`, as a stream of bytes.
//!
//! The folder has [parts](ExportPart), which the visitor chooses. A [`Folder`] makes the [files](Entry) of each part;
//! their sizes are known before a byte is written. The caller of [`Folder::write`] passes a sink for the bytes: a file,
//! or the parts of a browser's `Blob`. Weights are read back from the device a few million values at a time. Neither
//! the model nor the archive is ever in memory as a whole. The archive contains no time stamps, so that the same run
//! gives the same bytes.
//!
//! LoRA's adapters are exported twice: merged into the weights, so that the folder is a complete model, and in
//! `adapter/` in PEFT's format, which needs the base model.

mod adapter;
mod archive;
mod card;
mod config;
mod entry;
mod folder;
mod logs;
pub mod onnx;
mod part;
mod rows;
mod scripts;
mod tokenizer;
mod weights;

pub use archive::Archive;
pub use card::{Baseline, Card};
pub use entry::Entry;
pub use folder::Folder;
pub use part::{ExportPart, UnavailableReason};
pub use rows::RunRows;
pub(crate) use weights::File as WeightsFile;

use crate::Error;

fn refuse(problem: impl Into<String>) -> Error {
    Error::Export(problem.into())
}
