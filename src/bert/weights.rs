//! Loading of the network's parameters from safetensors files, front to back; [`upload`](super::upload) copies a tensor
//! to the device.
//!
//! [`Naming`] tells which tensors are the network's. Their shape and dtype are checked against `config.json` before the
//! first weight is read, for sharded weights before the first weight of each shard. The other tensors are skipped and
//! reported, as transformers does: heads for other tasks, layers beyond `num_hidden_layers`. A pooler or classifier
//! that the file lacks is drawn; a checkpoint that lacks another tensor is refused, whereas transformers draws it.

use super::embeddings::WordEmbeddings;
use super::file_plan::{FilePlan, check_complete, check_shard};
use super::header::{data_len, read_header};
use super::names::{CLASSIFIER_PREFIX, Naming};
use super::parameters::CheckpointTensor;
use super::shards::{INDEX_FILE, ShardIndex};
use super::upload::{FileTensor, Upload};
use super::{BertConfig, BertForSequenceClassification, Linear, LoadLimits};
use crate::io::ByteSource;
use crate::random::TorchGenerator;
use crate::{Error, Result};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Tensor};
use std::collections::{BTreeMap, HashMap};

/// The contents of a weights file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    /// Tensors in the file.
    pub tensors: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// Dtype of the word embeddings, in the spelling of safetensors, e.g. `F16`.
    pub dtype: String,
    /// Whether the file has the weight of a pooler. Otherwise a new one is drawn.
    pub has_pooler: bool,
    /// Whether the file has the weight of a classifier with [`own_labels`](WeightsLoader::own_labels). Otherwise a new
    /// head is drawn.
    pub has_classifier: bool,
    /// The tensors of the file that are not used, sorted: heads for another task, a classifier of another shape, layers
    /// that `config.json` does not count.
    pub skipped: Vec<String>,
    /// Whether the word embeddings were read from the decoder of a language model, which shares them.
    pub has_tied_words: bool,
}

/// The state of a load, from one file or several.
struct Load {
    /// The network with lazy parameters, which the uploaded values replace at the end.
    network: BertForSequenceClassification,
    /// The network's tensors by name.
    tensors: BTreeMap<String, CheckpointTensor>,
    upload: Upload,
    /// How the checkpoint names its tensors, once that is known.
    naming: Option<Naming>,
    skipped: Vec<String>,
    dtype: String,
    tensors_seen: usize,
    bytes: u64,
}

/// Builds a [`BertForSequenceClassification`] from a weights file, or from the shards of one.
pub struct WeightsLoader<'a> {
    /// Shapes and dropouts.
    pub config: &'a BertConfig,
    /// Labels of the head that `config.json` describes, see [`HeadLabels`](super::HeadLabels).
    pub own_labels: usize,
    /// Labels of the head that is drawn where the file has none of `own_labels`.
    pub num_labels: usize,
    /// Seed of a new head.
    pub seed: u32,
    /// The device of the parameters. They are trainable if it has autodiff.
    pub device: &'a Device,
    /// Limits of that device.
    pub limits: LoadLimits,
}

impl WeightsLoader<'_> {
    /// Reads a file front to back. A head that the file lacks is drawn from N(0, `initializer_range`) with zero bias.
    ///
    /// # Errors
    /// [`Error::WeightsFile`] if the file is not safetensors or is truncated, [`Error::Tensor`] for a missing or
    /// misshapen tensor, an unsupported dtype or a parameter that exceeds the device's limit, [`Error::Download`] from
    /// the source.
    pub async fn load(
        &self,
        source: &mut impl ByteSource,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let file = source.name().to_string();
        let mut load = self.start(&file)?;
        self.read_file(source, &mut load, None).await?;
        self.build(file, load)
    }

    /// Reads the files of an index in order, each front to back. `open` returns the file of a name.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), and [`Error::Tensor`] for a tensor that is not in the file that the index names.
    /// A tensor that the index does not name is used, as transformers does.
    pub async fn load_shards<S: ByteSource>(
        &self,
        index: &ShardIndex,
        mut open: impl AsyncFnMut(&str) -> Result<S>,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let mut load = self.start(INDEX_FILE)?;
        load.set_naming(INDEX_FILE, index.tensors())?;
        for file in index.files() {
            let mut source = open(file).await?;
            self.read_file(&mut source, &mut load, Some(index)).await?;
            source.finish().await?;
        }
        self.build(INDEX_FILE.into(), load)
    }

    fn start(&self, file: &str) -> Result<Load> {
        let network = BertForSequenceClassification::lazy(
            self.config,
            self.own_labels,
            &self.limits,
            self.device,
        );
        let load = Load {
            tensors: tensors_by_name(&network),
            network,
            upload: Upload::new(self.limits, self.device),
            naming: None,
            skipped: Vec::new(),
            dtype: String::new(),
            tensors_seen: 0,
            bytes: 0,
        };
        load.check_limits(file, &self.limits)?;
        Ok(load)
    }

    /// Reads one file. With an index, the file is a shard.
    async fn read_file(
        &self,
        source: &mut impl ByteSource,
        load: &mut Load,
        index: Option<&ShardIndex>,
    ) -> Result<()> {
        let file = source.name().to_string();
        let (header_len, metadata) = read_header(source, &file).await?;
        load.set_naming(&file, metadata.tensors().keys().map(String::as_str))?;
        let plan = FilePlan::new(&file, &metadata, load.naming.as_ref(), &load.tensors)?;
        match index {
            None => check_complete(&file, load.tensors.keys(), |name| plan.has(name))?,
            Some(index) => check_shard(&file, index, &metadata)?,
        }
        for (name, info) in &plan.tensors {
            // A plan only has names of the network.
            let Some(target) = load.tensors.get(name) else {
                continue;
            };
            let origin = FileTensor {
                file: &file,
                name,
                info,
                start: header_len + info.data_offsets.0 as u64,
            };
            load.upload.read(source, &origin, target).await?;
            if name == WordEmbeddings::CHECKPOINT_NAME {
                load.dtype = format!("{:?}", info.dtype);
            }
        }
        load.tensors_seen += metadata.tensors().len();
        load.bytes += header_len + data_len(&metadata);
        load.skipped.extend(plan.skipped);
        Ok(())
    }

    fn build(
        &self,
        file: String,
        mut load: Load,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        load.drop_half_a_head();
        let has = |load: &Load, layer: &Linear| load.upload.values.contains_key(&layer.weight.id);
        let has_pooler = has(&load, &load.network.bert.pooler.dense);
        let has_classifier = has(&load, &load.network.classifier);
        if !has_classifier && self.num_labels != self.own_labels {
            let width = self.config.hidden_size;
            load.network.classifier = Linear::lazy(self.num_labels, width, self.device);
            load.tensors = tensors_by_name(&load.network);
        }
        self.insert_new(&mut load);
        check_complete(&file, load.tensors.keys(), |name| {
            load.tensors
                .get(name)
                .is_some_and(|tensor| load.upload.contains(tensor))
        })?;
        load.skipped.sort();
        let report = LoadReport {
            tensors: load.tensors_seen,
            bytes: load.bytes,
            dtype: load.dtype,
            has_pooler,
            has_classifier,
            skipped: load.skipped,
            has_tied_words: load.naming.is_some_and(|naming| naming.has_tied_words()),
        };
        let network = load.network.map(&mut ReplaceParameters {
            values: load.upload.values,
            trainable: self.device.is_autodiff(),
        });
        Ok((network, report))
    }

    /// Draws what the checkpoint lacks from one generator, in the order of transformers: pooler, classifier. A weight
    /// is drawn from N(0, `initializer_range`), a bias is 0.
    fn insert_new(&self, load: &mut Load) {
        let std = self.config.initializer_range as f32;
        let mut generator = TorchGenerator::new(self.seed);
        let network = &load.network;
        for layer in [&network.bert.pooler.dense, &network.classifier] {
            let [rows, columns] = layer.weight.lazy_shape().dims();
            if !load.upload.values.contains_key(&layer.weight.id) {
                let weight = generator.normal(rows * columns, std);
                load.upload.insert(layer.weight.id, weight);
            }
            if !load.upload.values.contains_key(&layer.bias.id) {
                load.upload.insert(layer.bias.id, vec![0.0; rows]);
            }
        }
    }
}

impl Load {
    /// Checks that no parameter exceeds the device's limit, whether it is a tensor, a block of one or joins several.
    fn check_limits(&self, file: &str, limits: &LoadLimits) -> Result<()> {
        let limit = limits.max_parameter_bytes;
        for (name, tensor) in &self.tensors {
            let values = tensor.parts.iter().map(|part| part.param.len());
            let bytes = (values.max().unwrap_or(0) * size_of::<f32>()) as u64;
            if bytes > limit {
                return Err(Error::Tensor {
                    file: file.into(),
                    tensor: name.clone(),
                    problem: format!(
                        "takes {bytes} bytes on this device in one piece, but a parameter may have {limit} here \
                         (half of the adapter's maxStorageBufferBindingSize, since AdamW keeps two moments of it). \
                         Take a smaller model, or another device."
                    ),
                });
            }
        }
        Ok(())
    }

    /// Finds out how the checkpoint names its tensors, unless an earlier file or the index has told.
    fn set_naming<'a>(
        &mut self,
        file: &str,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<()> {
        if self.naming.is_none() {
            self.naming = Naming::of(names).map_err(|[first, second]| Error::Tensor {
                file: file.into(),
                tensor: format!("{first}embeddings.word_embeddings.weight"),
                problem: format!(
                    "is one of two networks: another one begins with `{second}`, and either could be meant. Save one \
                     of them alone."
                ),
            })?;
        }
        Ok(())
    }

    /// Discards the half of a classifier whose other half has another shape.
    fn drop_half_a_head(&mut self) {
        let is_head = |name: &&String| name.starts_with(CLASSIFIER_PREFIX);
        if !self.skipped.iter().any(|name| is_head(&name)) {
            return;
        }
        let head = self.tensors.iter().filter(|(name, _)| is_head(name));
        for (name, tensor) in head {
            if self.upload.contains(tensor) {
                self.upload.remove(tensor);
                self.skipped.push(name.clone());
            }
        }
    }
}

/// Returns the tensors of a checkpoint of this network by name.
fn tensors_by_name(network: &BertForSequenceClassification) -> BTreeMap<String, CheckpointTensor> {
    let tensors = network.checkpoint_tensors().into_iter();
    tensors
        .map(|tensor| (tensor.name.clone(), tensor))
        .collect()
}

/// Replaces lazy parameters by uploaded values.
struct ReplaceParameters {
    values: HashMap<ParamId, Tensor<1>>,
    trainable: bool,
}

impl ModuleMapper for ReplaceParameters {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = self.values.remove(&param.id) else {
            return param;
        };
        let values: Tensor<D> = values.reshape(param.lazy_shape());
        Param::from_tensor(if self.trainable {
            Tensor::from_inner(values)
        } else {
            values
        })
    }
}

#[cfg(test)]
mod tests;
