//! The network, under Hugging Face's names: [`BertForSequenceClassification`] and its parts, and the mapping
//! between its parameters and a safetensors file.

mod assembly;
mod attention;
mod classifier;
mod config;
mod embeddings;
mod encoder;
mod header;
mod layers;
mod named;
mod names;
mod random;
mod weights;

pub use attention::BertAttention;
pub use classifier::{BertForSequenceClassification, BertModel, BertPooler};
pub use config::BertConfig;
pub use embeddings::BertEmbeddings;
pub use encoder::{BertEncoder, BertLayer};
pub use layers::{Dropout, LayerNorm, Linear};
pub use named::NamedParameter;
pub use names::checkpoint_names;
pub use random::random_checkpoint;
pub use weights::{LoadReport, WeightsLoader};
