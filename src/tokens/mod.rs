//! Text becomes WordPiece ids: encode, truncate, pad, batch.

mod batch;
mod tokenizer;

pub use batch::{Batch, Padding, batch_width, pad_batch, padding_tokens, widest_batch};
pub use tokenizer::{Encoding, Tokenizer, VocabSettings};
