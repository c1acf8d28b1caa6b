//! A safetensors file becomes the network's parameters, front to back; [`upload`](super::upload) has how a tensor gets to the device.
//!
//! Names are Hugging Face's, with or without the `bert.` prefix; the heads of other tasks are left out. Every other tensor's name, shape
//! and dtype is checked against `config.json` before the first weight is read; of sharded weights, every name before the first weight,
//! and the shapes of each shard before that shard's.

use super::assembly::Assembly;
use super::header::{data_len, read_header};
use super::layers::parameter;
use super::names::{WORDS, expected_shapes, place_of};
use super::shards::{INDEX_FILE, ShardIndex};
use super::upload::{Origin, Upload};
use super::{BertConfig, BertForSequenceClassification, Linear, LoadLimits};
use crate::io::ByteSource;
use crate::random::TorchGenerator;
use crate::{Error, Result};
use burn::tensor::Device;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::{BTreeMap, BTreeSet};

/// What a weights file held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReport {
    /// Tensors in the file.
    pub tensors: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// Dtype of the word embeddings as safetensors names it, e.g. `F16`.
    pub dtype: String,
    /// Whether the file had a classifier of this number of labels; else a new head was drawn.
    pub has_classifier: bool,
    /// Tensors of another task's head, which were left out: a language model's, or a classifier of other labels.
    pub dropped: Vec<String>,
}

/// What of a file is read.
struct Plan {
    /// Under their names with the `bert.` prefix, in the order of the file.
    tensors: Vec<(String, TensorInfo)>,
    /// Under their names in the file.
    dropped: Vec<String>,
}

impl Plan {
    fn has(&self, full_name: &str) -> bool {
        self.tensors.iter().any(|(name, _)| name == full_name)
    }
}

/// What has been read so far, of one file or of several.
struct Read {
    upload: Upload,
    dropped: Vec<String>,
    dtype: String,
    count: usize,
    bytes: u64,
}

/// Builds a [`BertForSequenceClassification`] from a weights file, or from the shards of one.
pub struct WeightsLoader<'a> {
    /// Shapes and dropouts.
    pub config: &'a BertConfig,
    /// Classes of the head.
    pub num_labels: usize,
    /// Seed of a new head.
    pub seed: u32,
    /// Where the parameters go; with autodiff they are trainable.
    pub device: &'a Device,
    /// How much of the network that takes at once.
    pub limits: LoadLimits,
}

impl WeightsLoader<'_> {
    /// Reads the file front to back. A head that the file does not have is drawn from N(0, `initializer_range`) with zero bias.
    ///
    /// # Errors
    /// [`Error::WeightsFile`] when it is not safetensors or is cut short, [`Error::Tensor`] for a missing, unexpected or misshapen
    /// tensor, an unknown dtype or a parameter that is too large for the device, [`Error::Download`] from the source.
    pub async fn load(
        &self,
        source: &mut impl ByteSource,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let file = source.name().to_string();
        self.check_limits(&file)?;
        let mut read = self.begin();
        self.read(source, &mut read, None).await?;
        self.build(file, read)
    }

    /// Reads the files of an index one after the other, each front to back; `open` gives the file of a name.
    ///
    /// # Errors
    /// As [`load`](Self::load), and [`Error::Tensor`] for a tensor that is not in the file that the index says.
    pub async fn load_shards<S: ByteSource>(
        &self,
        index: &ShardIndex,
        mut open: impl AsyncFnMut(&str) -> Result<S>,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        self.check_limits(INDEX_FILE)?;
        let names = index.tensors().filter(|name| !is_old_buffer(name));
        let names: BTreeSet<String> = names.map(full_name).collect();
        self.check_whole(INDEX_FILE, |name| names.contains(name))?;
        let mut read = self.begin();
        for file in index.files() {
            let mut source = open(file).await?;
            self.read(&mut source, &mut read, Some(index)).await?;
            source.finish().await?;
        }
        self.build(INDEX_FILE.into(), read)
    }

    fn begin(&self) -> Read {
        Read {
            upload: Upload::new(self.limits, self.device),
            dropped: Vec::new(),
            dtype: String::new(),
            count: 0,
            bytes: 0,
        }
    }

    /// Reads one file; with an index, the one of its files that this is.
    async fn read(
        &self,
        source: &mut impl ByteSource,
        read: &mut Read,
        index: Option<&ShardIndex>,
    ) -> Result<()> {
        let file = source.name().to_string();
        let (header_len, metadata) = read_header(source, &file).await?;
        let plan = self.plan(&file, &metadata)?;
        match index {
            None => self.check_whole(&file, |name| plan.has(name))?,
            Some(index) => check_shard(&file, index, &metadata)?,
        }
        for (name, info) in &plan.tensors {
            let origin = Origin {
                file: &file,
                name,
                info,
                start: header_len + info.data_offsets.0 as u64,
            };
            read.upload.read(source, &origin).await?;
        }
        if let Some((_, info)) = plan.tensors.iter().find(|(name, _)| name == WORDS) {
            read.dtype = format!("{:?}", info.dtype);
        }
        read.count += metadata.tensors().len();
        read.bytes += header_len + data_len(&metadata);
        read.dropped.extend(plan.dropped);
        Ok(())
    }

    fn build(
        &self,
        file: String,
        read: Read,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let Read {
            mut upload,
            mut dropped,
            dtype,
            count,
            bytes,
        } = read;
        let mut head = ["classifier.weight", "classifier.bias"]
            .into_iter()
            .filter(|name| upload.loaded.contains_key(*name));
        if dropped.iter().any(|name| name.starts_with("classifier.")) {
            // Weight and bias belong together, whichever of them does not fit.
            let of_head: Vec<&str> = head.collect();
            for name in of_head {
                upload.loaded.remove(name);
                dropped.push(name.into());
            }
        } else if head.next().is_some() && head.next().is_none() {
            return Err(Error::Tensor {
                file,
                tensor: "classifier".into(),
                problem: "has a weight or a bias, but not both.".into(),
            });
        }
        dropped.sort();
        let has_classifier = upload.loaded.contains_key("classifier.weight");
        if !has_classifier {
            self.new_head(&mut upload);
        }
        let report = LoadReport {
            tensors: count,
            bytes,
            dtype,
            has_classifier,
            dropped,
        };
        let assembly = Assembly {
            file,
            tensors: upload.loaded,
            trainable: self.device.is_autodiff(),
        };
        Ok((assembly.classifier(self.config)?, report))
    }

    /// Whether the device takes every parameter; the words may come in blocks of rows.
    fn check_limits(&self, file: &str) -> Result<()> {
        let most = self.limits.parameter;
        for (name, shape) in expected_shapes(self.config, self.num_labels) {
            let values: usize = match shape[..] {
                [_, columns] if name == WORDS => columns,
                _ => place_of(&name).parts * shape.iter().product::<usize>(),
            };
            let bytes = (values * size_of::<f32>()) as u64;
            if bytes > most {
                return Err(Error::Tensor {
                    file: file.into(),
                    tensor: name,
                    problem: format!(
                        "takes {bytes} bytes on this device in one piece, but a parameter may have {most} here (half of the adapter's maxStorageBufferBindingSize, since AdamW keeps two moments of it). Take a smaller model, or another device."
                    ),
                });
            }
        }
        Ok(())
    }

    /// Whether every parameter but the head's is there.
    fn check_whole(&self, file: &str, has: impl Fn(&str) -> bool) -> Result<()> {
        let expected = expected_shapes(self.config, self.num_labels);
        match expected
            .keys()
            .find(|name| !has(name) && !name.starts_with("classifier."))
        {
            None => Ok(()),
            Some(name) => Err(Error::Tensor {
                file: file.into(),
                tensor: name.clone(),
                problem: "is missing: the file is not a whole BERT of this config.json.".into(),
            }),
        }
    }

    /// Checks the tensors of one file, which may be a part of the network.
    fn plan(&self, file: &str, metadata: &Metadata) -> Result<Plan> {
        let refuse = |tensor: &str, problem: String| Error::Tensor {
            file: file.into(),
            tensor: tensor.into(),
            problem,
        };
        let expected = expected_shapes(self.config, self.num_labels);
        let (mut found, mut dropped) = (BTreeMap::new(), Vec::new());
        for (name, info) in metadata.tensors() {
            if is_old_buffer(&name) {
                continue;
            }
            let full = full_name(&name);
            let shape = expected.get(&full);
            let misfits = full.starts_with("classifier.") && shape != Some(&info.shape);
            if misfits || is_other_head(&full) {
                dropped.push(name);
                continue;
            }
            let Some(shape) = shape else {
                return Err(refuse(
                    &name,
                    "is unexpected: a BERT of this config.json has no such parameter.".into(),
                ));
            };
            if info.shape != *shape {
                return Err(refuse(
                    &name,
                    format!(
                        "has shape {:?}, but config.json asks for {shape:?}.",
                        info.shape
                    ),
                ));
            }
            if !matches!(info.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
                return Err(refuse(
                    &name,
                    format!(
                        "is of dtype {:?}, but only F32, F16 and BF16 can be read.",
                        info.dtype
                    ),
                ));
            }
            if found.insert(full, info.clone()).is_some() {
                return Err(refuse(
                    &name,
                    "is there twice, with and without the `bert.` prefix.".into(),
                ));
            }
        }
        let mut tensors: Vec<(String, TensorInfo)> = found.into_iter().collect();
        tensors.sort_by_key(|(_, info)| info.data_offsets.0);
        Ok(Plan { tensors, dropped })
    }

    fn new_head(&self, upload: &mut Upload) {
        let (labels, hidden_size) = (self.num_labels, self.config.hidden_size);
        let std = self.config.initializer_range;
        let (weight, bias) = new_head(labels, hidden_size, std, self.seed);
        upload.put("classifier.weight", weight, &[labels, hidden_size]);
        upload.put("classifier.bias", bias, &[labels]);
    }
}

/// A buffer that older checkpoints stored; transformers ignores it too.
fn is_old_buffer(name: &str) -> bool {
    name.ends_with("embeddings.position_ids")
}

/// Every tensor of a shard must be one that the index says is in it, and the other way round.
fn check_shard(file: &str, index: &ShardIndex, metadata: &Metadata) -> Result<()> {
    let found = metadata.tensors();
    let strayed = found
        .keys()
        .find(|name| index.file_of(name) != Some(file))
        .map(|name| (name.as_str(), "is here, but the index says otherwise."));
    let absent = index
        .tensors()
        .find(|name| index.file_of(name) == Some(file) && !found.contains_key(*name))
        .map(|name| (name, "is missing, though the index says that it is here."));
    match strayed.or(absent) {
        None => Ok(()),
        Some((tensor, problem)) => Err(Error::Tensor {
            file: file.into(),
            tensor: tensor.into(),
            problem: problem.into(),
        }),
    }
}

/// A tensor's name as the network has it: with the `bert.` prefix, and LayerNorm's `gamma` and `beta`, as checkpoints converted from
/// TensorFlow have them (bert-base-uncased among them), as its `weight` and `bias`, which transformers does too.
fn full_name(name: &str) -> String {
    let name = match name.rsplit_once("LayerNorm.") {
        Some((path, "gamma")) => format!("{path}LayerNorm.weight"),
        Some((path, "beta")) => format!("{path}LayerNorm.bias"),
        _ => name.to_string(),
    };
    let has_root = ["bert.", "classifier.", "cls.", "qa_outputs."]
        .iter()
        .any(|root| name.starts_with(root));
    if has_root {
        name
    } else {
        format!("bert.{name}")
    }
}

/// Whether a tensor is of a head that BERT has for another task: the language model's and next sentence's, or a question's answer.
fn is_other_head(full: &str) -> bool {
    full.starts_with("cls.") || full.starts_with("qa_outputs.")
}

/// Weight and bias of an untrained head: N(0, `std`) and 0.
fn new_head(num_labels: usize, hidden_size: usize, std: f64, seed: u32) -> (Vec<f32>, Vec<f32>) {
    let weight = TorchGenerator::new(seed).normal(num_labels * hidden_size, std as f32);
    (weight, vec![0.0; num_labels])
}

impl BertForSequenceClassification {
    /// Puts an untrained head on: weights N(0, `std`) drawn with `seed`, biases 0.
    pub fn with_new_head(self, num_labels: usize, std: f64, seed: u32) -> Self {
        let hidden_size = self.classifier.weight.dims()[1];
        let (weight, bias) = new_head(num_labels, hidden_size, std, seed);
        self.put_head(weight, bias, hidden_size)
    }

    /// Puts another head on: `weight` `[num_labels, hidden_size]` row after row and `bias` `[num_labels]`.
    ///
    /// # Errors
    /// [`Error::Config`] when the lengths do not fit the network.
    pub fn with_head(self, weight: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        let hidden_size = self.classifier.weight.dims()[1];
        if weight.len() != bias.len() * hidden_size {
            return Err(Error::Config(format!(
                "a head of {} weights and {} biases does not fit a hidden_size of {hidden_size}.",
                weight.len(),
                bias.len()
            )));
        }
        Ok(self.put_head(weight, bias, hidden_size))
    }

    fn put_head(mut self, weight: Vec<f32>, bias: Vec<f32>, hidden_size: usize) -> Self {
        let device = self.device();
        let labels = bias.len();
        let weight = parameter(weight, [labels, hidden_size], &device);
        self.classifier = Linear::new(weight, parameter(bias, [labels], &device));
        self
    }
}

#[cfg(test)]
mod tests;
