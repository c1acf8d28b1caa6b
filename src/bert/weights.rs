//! Loading of the network's parameters from safetensors files, front to back; [`upload`](super::upload) copies a tensor
//! to the device.
//!
//! Names are Hugging Face's, with or without the `bert.` prefix; heads for other tasks are skipped. The name, shape and
//! dtype of every other tensor are checked against `config.json` before the first weight is read. For sharded weights,
//! all names are checked before the first weight, and the shapes of each shard before that shard's first weight.

use super::classifier::new_linear;
use super::embeddings::WordEmbeddings;
use super::header::{data_len, read_header};
use super::names::{CLASSIFIER_PREFIX, canonical_name, is_other_head, is_position_ids};
use super::parameters::CheckpointTensor;
use super::shards::{INDEX_FILE, ShardIndex};
use super::upload::{FileTensor, Upload};
use super::{BertConfig, BertForSequenceClassification, LoadLimits};
use crate::io::ByteSource;
use crate::random::TorchGenerator;
use crate::{Error, Result};
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Device, Tensor};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The tensors of the head.
const HEAD: [&str; 2] = ["classifier.weight", "classifier.bias"];

/// The tensors of the pooler, which checkpoints of other tasks' models often lack.
const POOLER: [&str; 2] = ["bert.pooler.dense.weight", "bert.pooler.dense.bias"];

/// The contents of a weights file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    /// Tensors in the file.
    pub tensors: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// Dtype of the word embeddings, in the spelling of safetensors, e.g. `F16`.
    pub dtype: String,
    /// Whether the file has a pooler. Otherwise a new one is drawn.
    pub has_pooler: bool,
    /// Whether the file has a classifier with this number of labels. Otherwise a new head is drawn.
    pub has_classifier: bool,
    /// The skipped tensors of heads for another task: a language model, or a classifier of other labels.
    pub dropped: Vec<String>,
}

/// The tensors of one file that a load reads, and those that it skips.
struct FilePlan {
    /// The tensors to read, under their names with the `bert.` prefix, in the order of the file.
    tensors: Vec<(String, TensorInfo)>,
    /// The tensors to skip, under their names in the file.
    dropped: Vec<String>,
}

impl FilePlan {
    fn has(&self, canonical_name: &str) -> bool {
        self.tensors.iter().any(|(name, _)| name == canonical_name)
    }
}

/// The state of a load, from one file or several.
struct Load {
    /// The network with lazy parameters, which the uploaded values replace at the end.
    network: BertForSequenceClassification,
    /// The network's tensors by name.
    tensors: BTreeMap<String, CheckpointTensor>,
    upload: Upload,
    dropped: Vec<String>,
    dtype: String,
    tensors_seen: usize,
    bytes: u64,
}

/// Builds a [`BertForSequenceClassification`] from a weights file, or from the shards of one.
pub struct WeightsLoader<'a> {
    /// Shapes and dropouts.
    pub config: &'a BertConfig,
    /// Number of classes.
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
    /// [`Error::WeightsFile`] if the file is not safetensors or is truncated, [`Error::Tensor`] for a missing,
    /// unexpected or misshapen tensor, an unsupported dtype or a parameter that exceeds the device's limit,
    /// [`Error::Download`] from the source.
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
    pub async fn load_shards<S: ByteSource>(
        &self,
        index: &ShardIndex,
        mut open: impl AsyncFnMut(&str) -> Result<S>,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let mut load = self.start(INDEX_FILE)?;
        let names = index.tensors().filter(|name| !is_position_ids(name));
        let names: BTreeSet<String> = names.map(canonical_name).collect();
        load.check_complete(INDEX_FILE, |name| names.contains(name))?;
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
            self.num_labels,
            &self.limits,
            self.device,
        );
        let tensors = network.checkpoint_tensors().into_iter();
        let tensors = tensors.map(|tensor| (tensor.name.clone(), tensor));
        let load = Load {
            tensors: tensors.collect(),
            network,
            upload: Upload::new(self.limits, self.device),
            dropped: Vec::new(),
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
        let plan = load.plan(&file, &metadata)?;
        match index {
            None => load.check_complete(&file, |name| plan.has(name))?,
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
        load.dropped.extend(plan.dropped);
        Ok(())
    }

    fn build(
        &self,
        file: String,
        mut load: Load,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let has_classifier = load.keep_or_drop_head(&file)?;
        let pooler = load.network.bert.pooler.dense.weight.id;
        let has_pooler = load.upload.values.contains_key(&pooler);
        self.insert_new(&mut load, has_pooler, has_classifier);
        let mut missing = load.tensors.values();
        if let Some(tensor) = missing.find(|tensor| !load.upload.contains(tensor)) {
            return Err(Error::Tensor {
                file,
                tensor: tensor.name.clone(),
                problem: "is missing.".into(),
            });
        }
        load.dropped.sort();
        let report = LoadReport {
            tensors: load.tensors_seen,
            bytes: load.bytes,
            dtype: load.dtype,
            has_pooler,
            has_classifier,
            dropped: load.dropped,
        };
        let network = load.network.map(&mut ReplaceParameters {
            values: load.upload.values,
            trainable: self.device.is_autodiff(),
        });
        Ok((network, report))
    }

    /// Draws what the checkpoint lacks from one generator, in the order of transformers: pooler, classifier.
    fn insert_new(&self, load: &mut Load, has_pooler: bool, has_classifier: bool) {
        let (width, std) = (self.config.hidden_size, self.config.initializer_range);
        let mut generator = TorchGenerator::new(self.seed);
        let network = &load.network;
        for (is_there, rows, layer) in [
            (has_pooler, width, &network.bert.pooler.dense),
            (has_classifier, self.num_labels, &network.classifier),
        ] {
            if !is_there {
                let (weight, bias) = new_linear(&mut generator, rows, width, std);
                load.upload.insert(layer.weight.id, weight);
                load.upload.insert(layer.bias.id, bias);
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

    /// Checks that a checkpoint has every tensor of the network but the head's, and the whole pooler or none of it.
    fn check_complete(&self, file: &str, has: impl Fn(&str) -> bool) -> Result<()> {
        let has_pooler = POOLER.iter().any(|name| has(name));
        let is_needed = |name: &str| {
            !name.starts_with(CLASSIFIER_PREFIX) && (has_pooler || !POOLER.contains(&name))
        };
        let mut names = self.tensors.keys();
        match names.find(|name| !has(name) && is_needed(name)) {
            None => Ok(()),
            Some(name) => Err(Error::Tensor {
                file: file.into(),
                tensor: name.clone(),
                problem: "is missing: the file is not a whole BERT of this config.json.".into(),
            }),
        }
    }

    /// Checks the tensors of one file, which may be a shard.
    fn plan(&self, file: &str, metadata: &Metadata) -> Result<FilePlan> {
        let refuse = |tensor: &str, problem: String| Error::Tensor {
            file: file.into(),
            tensor: tensor.into(),
            problem,
        };
        let (mut found, mut dropped) = (BTreeMap::new(), Vec::new());
        for (name, info) in metadata.tensors() {
            if is_position_ids(&name) {
                continue;
            }
            let canonical = canonical_name(&name);
            let shape = self.tensors.get(&canonical).map(|tensor| &tensor.shape);
            let is_other_classifier =
                canonical.starts_with(CLASSIFIER_PREFIX) && shape != Some(&info.shape);
            if is_other_classifier || is_other_head(&canonical) {
                dropped.push(name);
                continue;
            }
            check_tensor(shape, info).map_err(|problem| refuse(&name, problem))?;
            if found.insert(canonical, info.clone()).is_some() {
                let problem = "is there twice, with and without the `bert.` prefix.";
                return Err(refuse(&name, problem.into()));
            }
        }
        let mut tensors: Vec<(String, TensorInfo)> = found.into_iter().collect();
        tensors.sort_by_key(|(_, info)| info.data_offsets.0);
        Ok(FilePlan { tensors, dropped })
    }

    /// Returns whether the checkpoint has a head of this network's shape, and discards half of one.
    fn keep_or_drop_head(&mut self, file: &str) -> Result<bool> {
        let head = HEAD.iter().filter_map(|name| self.tensors.get(*name));
        let found: Vec<_> = head.filter(|tensor| self.upload.contains(tensor)).collect();
        let mut dropped = self.dropped.iter();
        if dropped.any(|name| name.starts_with(CLASSIFIER_PREFIX)) {
            // A weight is useless without its bias, and a bias without its weight.
            for tensor in found {
                self.upload.remove(tensor);
                self.dropped.push(tensor.name.clone());
            }
            return Ok(false);
        }
        if found.len() == 1 {
            return Err(Error::Tensor {
                file: file.into(),
                tensor: "classifier".into(),
                problem: "has a weight or a bias, but not both.".into(),
            });
        }
        Ok(!found.is_empty())
    }
}

/// Checks a tensor's shape against `expected`, which is `None` for a name that the network lacks, and its dtype.
fn check_tensor(expected: Option<&Vec<usize>>, info: &TensorInfo) -> Result<(), String> {
    let Some(shape) = expected else {
        return Err("is unexpected: a BERT of this config.json has no such parameter.".into());
    };
    if info.shape != *shape {
        return Err(format!(
            "has shape {:?}, but config.json asks for {shape:?}.",
            info.shape
        ));
    }
    if !matches!(info.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
        return Err(format!(
            "is of dtype {:?}, but only F32, F16 and BF16 can be read.",
            info.dtype
        ));
    }
    Ok(())
}

/// Checks that a shard has exactly the tensors that the index assigns to it.
fn check_shard(file: &str, index: &ShardIndex, metadata: &Metadata) -> Result<()> {
    let found = metadata.tensors();
    let misplaced = found
        .keys()
        .find(|name| index.file_of(name) != Some(file))
        .map(|name| (name.as_str(), "is here, but the index says otherwise."));
    let absent = index
        .tensors()
        .find(|name| index.file_of(name) == Some(file) && !found.contains_key(*name))
        .map(|name| (name, "is missing, though the index says that it is here."));
    match misplaced.or(absent) {
        None => Ok(()),
        Some((tensor, problem)) => Err(Error::Tensor {
            file: file.into(),
            tensor: tensor.into(),
            problem: problem.into(),
        }),
    }
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
