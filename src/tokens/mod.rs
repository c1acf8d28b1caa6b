//! Texts → WordPiece ids: encoding, truncation, padding, batches.

mod batch;
mod encoded;
mod examples;
mod tokenizer;

pub use batch::{Batch, DataCollator, Example, Padding};
pub use encoded::EncodedSplit;
pub use tokenizer::{Encoding, Tokenizer, VocabSettings};
