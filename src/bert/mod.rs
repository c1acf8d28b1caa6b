//! The network, under Hugging Face's names: [`BertForSequenceClassification`] and its parts, and the mapping
//! between its parameters and a safetensors file.

mod adapters;
mod assembly;
mod attention;
mod classifier;
mod config;
mod embeddings;
mod encoder;
mod header;
mod layers;
mod limits;
mod lora;
mod loss;
mod named;
mod names;
mod random;
mod shards;
mod upload;
mod weights;
mod words;

pub use attention::BertAttention;
pub(crate) use classifier::batch_tensors;
pub use classifier::{BertForSequenceClassification, BertModel, BertPooler};
pub use config::BertConfig;
pub use embeddings::BertEmbeddings;
pub use encoder::{BertEncoder, BertLayer};
pub use layers::{Dropout, LayerNorm, Linear};
pub use limits::LoadLimits;
pub use lora::{LoraAdapter, LoraConfig, TargetModules};
pub use loss::{cross_entropy, targets};
pub use named::{NamedParameter, ParameterPart, read_all};
pub use names::checkpoint_names;
pub use random::random_checkpoint;
pub use shards::{INDEX_FILE, ShardIndex};
pub use weights::{LoadReport, WeightsLoader};
pub use words::WordEmbeddings;
