//! Text becomes WordPiece ids: encode, truncate, pad, batch.

mod batch;
mod examples;
mod tokenizer;

pub use batch::{Batch, DataCollator, Example, Padding};
pub use tokenizer::{Encoding, Tokenizer, VocabSettings};
