//! Texts → WordPiece ids: encoding, truncation, padding, batches.

mod batch;
mod encoded;
mod estimate;
mod examples;
mod tokenizer;

pub use batch::{Batch, DataCollator, Example, Padding};
pub use encoded::EncodedSplit;
pub use estimate::estimated_tokens;
pub use tokenizer::{Encoding, TokenCount, Tokenizer, VocabSettings};
