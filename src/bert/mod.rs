//! The network, with a struct for each module of transformers' [`modeling_bert.py`][hf], and loading of its parameters
//! from safetensors files. Devlin et al., 2018: [BERT](https://arxiv.org/abs/1810.04805).
//!
//! - `embeddings`, `attention`, `encoder`, `classifier`: the modules, each with the names of its parameters.
//! - `activation`: `hidden_act`.
//! - `layers`, `lora`, `loss`: linear layer, LayerNorm and dropout; LoRA adapters; cross entropy.
//! - `config`, `incompatible`, `labels`: `config.json`, what is refused, and the labels of its head.
//! - `parameters`, `named`, `merged`, `adapters`: the parameters under their names in files of transformers and PEFT.
//! - `read_back`: the values of many tensors, in chunks.
//! - `weights`, `file_plan`, `header`, `shards`, `names`, `upload`, `limits`: safetensors files → parameters on the
//!   device.
//! - `random`: networks and checkpoints for tests.
//!
//! [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/bert/modeling_bert.py

mod activation;
mod adapters;
mod attention;
mod classifier;
mod config;
mod embeddings;
mod encoder;
mod file_plan;
mod header;
mod incompatible;
mod labels;
mod layers;
mod limits;
mod lora;
mod loss;
mod merged;
mod named;
mod names;
mod parameters;
pub(crate) mod random;
mod read_back;
mod shards;
mod upload;
mod weights;

pub use activation::HiddenAct;
pub use attention::{BertAttention, BertSelfAttention, BertSelfOutput};
pub(crate) use classifier::batch_tensors;
pub use classifier::{BertForSequenceClassification, BertModel, BertPooler};
pub use config::{BertConfig, ClassifierPooling};
pub use embeddings::{BertEmbeddings, WordEmbeddings};
pub use encoder::{BertEncoder, BertIntermediate, BertLayer, BertOutput};
pub(crate) use header::{header_bytes, read_header};
pub use labels::HeadLabels;
pub use layers::{Dropout, LayerNorm, Linear};
pub use limits::LoadLimits;
pub use lora::{LoraAdapter, LoraConfig, TargetModules};
pub use loss::{CrossEntropy, balanced_class_weights, cross_entropy, targets};
pub use merged::MergedParameter;
pub use named::{NamedParameter, ParameterPart, read_all};
pub use parameters::parameter_bytes;
pub use random::{random_checkpoint, random_network};
pub(crate) use read_back::{CHUNK, read_back};
pub use shards::{INDEX_FILE, ShardIndex};
pub use weights::{LoadReport, WeightsLoader};
