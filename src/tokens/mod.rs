//! Texts → WordPiece ids: encoding, truncation, padding, batches.
//!
//! - `files`, `class`, `settings`, `generic`, `json`, `vocab`, `added`, `template`: the files of a tokenizer, as
//!   transformers reads them.
//! - `tokenizer`: texts → ids.
//! - `examples`, `encoded`, `batch`, `estimate`: rows and batches of ids.

mod added;
mod batch;
mod class;
mod encoded;
mod estimate;
mod examples;
mod files;
mod generic;
mod json;
mod settings;
mod template;
mod tokenizer;
mod vocab;

pub use batch::{Batch, DataCollator, Example, Padding};
pub use encoded::EncodedSplit;
pub use estimate::estimated_tokens;
pub use files::TokenizerFiles;
pub use settings::VocabSettings;
pub use tokenizer::{Encoding, TokenCount, Tokenizer};
