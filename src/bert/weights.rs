//! A safetensors file becomes the network's parameters, one tensor at a time: read, converted, uploaded, forgotten.
//!
//! Names are Hugging Face's, with or without the `bert.` prefix. Every tensor's name, shape and dtype is checked against
//! `config.json` before the first weight is read.

use super::assembly::{Assembly, Loaded};
use super::layers::parameter;
use super::names::expected_shapes;
use super::{BertConfig, BertForSequenceClassification, Linear};
use crate::hub::ByteSource;
use crate::random::TorchGenerator;
use crate::{Error, Result};
use burn::tensor::Device;
use safetensors::tensor::{Dtype, Metadata, TensorInfo};
use std::collections::{BTreeMap, HashMap};

/// Largest header that is believed; safetensors' own limit.
const MAX_HEADER: u64 = 100_000_000;

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
}

/// Builds a [`BertForSequenceClassification`] from a weights file.
pub struct WeightsLoader<'a> {
    /// Shapes and dropouts.
    pub config: &'a BertConfig,
    /// Classes of the head.
    pub num_labels: usize,
    /// Seed of a new head.
    pub seed: u32,
    /// Where the parameters go; with autodiff they are trainable.
    pub device: &'a Device,
}

impl WeightsLoader<'_> {
    /// Reads the file front to back. A head that the file does not have is drawn from N(0, `initializer_range`) with zero bias.
    ///
    /// # Errors
    /// [`Error::WeightsFile`] when it is not safetensors or is cut short, [`Error::Tensor`] for a missing, unexpected or misshapen
    /// tensor or an unknown dtype, [`Error::Download`] from the source.
    pub async fn load(
        &self,
        source: &mut impl ByteSource,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let file = source.name().to_string();
        let (header_len, metadata) = read_header(source, &file).await?;
        let plan = self.plan(&file, &metadata)?;
        let mut tensors = HashMap::new();
        for (name, info) in &plan {
            let range =
                header_len + info.data_offsets.0 as u64..header_len + info.data_offsets.1 as u64;
            let bytes = source.read(range).await?;
            let values = to_f32(&file, name, info.dtype, &bytes)?;
            drop(bytes);
            tensors.insert(name.clone(), self.upload(values, &info.shape));
        }
        let has_classifier = tensors.contains_key("classifier.weight");
        if !has_classifier {
            self.new_head(&mut tensors);
        }
        let dtype = plan
            .iter()
            .find(|(name, _)| name.ends_with("word_embeddings.weight"))
            .map(|(_, info)| format!("{:?}", info.dtype));
        let report = LoadReport {
            tensors: metadata.tensors().len(),
            bytes: header_len + data_len(&metadata),
            dtype: dtype.unwrap_or_default(),
            has_classifier,
        };
        Ok((Assembly { file, tensors }.classifier(self.config)?, report))
    }

    /// The tensors to read, under their names with the `bert.` prefix, in the order of the file.
    fn plan(&self, file: &str, metadata: &Metadata) -> Result<Vec<(String, TensorInfo)>> {
        let refuse = |tensor: &str, problem: String| Error::Tensor {
            file: file.into(),
            tensor: tensor.into(),
            problem,
        };
        let expected = expected_shapes(self.config, self.num_labels);
        let mut found = BTreeMap::new();
        for (name, info) in metadata.tensors() {
            // A buffer that older checkpoints stored; transformers ignores it too.
            if name.ends_with("embeddings.position_ids") {
                continue;
            }
            let full = if name.starts_with("bert.") || name.starts_with("classifier.") {
                name.clone()
            } else {
                format!("bert.{name}")
            };
            let Some(shape) = expected.get(&full) else {
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
        if let Some(name) = expected
            .keys()
            .find(|name| !found.contains_key(*name) && !name.starts_with("classifier."))
        {
            return Err(refuse(
                name,
                "is missing: the file is not a whole BERT of this config.json.".into(),
            ));
        }
        if found.contains_key("classifier.weight") != found.contains_key("classifier.bias") {
            return Err(refuse(
                "classifier",
                "has a weight or a bias, but not both.".into(),
            ));
        }
        let mut plan: Vec<(String, TensorInfo)> = found.into_iter().collect();
        plan.sort_by_key(|(_, info)| info.data_offsets.0);
        Ok(plan)
    }

    fn upload(&self, values: Vec<f32>, shape: &[usize]) -> Loaded {
        match *shape {
            [rows, columns] => {
                Loaded::Matrix(parameter(values, [rows, columns], self.device).into_value())
            }
            _ => {
                let len = values.len();
                Loaded::Vector(parameter(values, [len], self.device).into_value())
            }
        }
    }

    fn new_head(&self, tensors: &mut HashMap<String, Loaded>) {
        let (labels, hidden_size) = (self.num_labels, self.config.hidden_size);
        let (weight, bias) = new_head(
            labels,
            hidden_size,
            self.config.initializer_range,
            self.seed,
        );
        tensors.insert(
            "classifier.weight".into(),
            self.upload(weight, &[labels, hidden_size]),
        );
        tensors.insert("classifier.bias".into(), self.upload(bias, &[labels]));
    }
}

/// Weight and bias of an untrained head: N(0, `std`) and 0.
fn new_head(num_labels: usize, hidden_size: usize, std: f64, seed: u32) -> (Vec<f32>, Vec<f32>) {
    let weight = TorchGenerator::new(seed).normal(num_labels * hidden_size, std as f32);
    (weight, vec![0.0; num_labels])
}

async fn read_header(source: &mut impl ByteSource, file: &str) -> Result<(u64, Metadata)> {
    let refuse = |problem: String| Error::WeightsFile {
        file: file.into(),
        problem,
    };
    let size = source.size().await?;
    if let Some(size) = size
        && size < 8
    {
        return Err(refuse(format!(
            "it has {size} bytes, fewer than its shortest header."
        )));
    }
    let mut len = [0; 8];
    len.copy_from_slice(&source.read(0..8).await?);
    let len = u64::from_le_bytes(len);
    if len > MAX_HEADER || size.is_some_and(|size| len + 8 > size) {
        return Err(refuse(format!(
            "its first 8 bytes announce a header of {len} bytes, which cannot be. It is another kind of file, or truncated."
        )));
    }
    // `SafeTensors::read_metadata` wants the whole file in memory; its header alone is JSON.
    let header = source.read(8..8 + len).await?;
    let metadata: Metadata = serde_json::from_slice(&header)
        .map_err(|error| refuse(format!("its header is broken ({error}).")))?;
    check_offsets(&metadata).map_err(refuse)?;
    if let Some(size) = size
        && size != 8 + len + data_len(&metadata)
    {
        return Err(refuse(format!(
            "it has {size} bytes, but its header describes {}. The file is truncated or damaged.",
            8 + len + data_len(&metadata)
        )));
    }
    Ok((8 + len, metadata))
}

/// Tensors must lie one behind another, each as long as its shape and dtype say.
fn check_offsets(metadata: &Metadata) -> Result<(), String> {
    let tensors = metadata.tensors();
    let mut tensors: Vec<_> = tensors.iter().collect();
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    for (name, info) in tensors {
        let elements = info
            .shape
            .iter()
            .try_fold(1usize, |product, &len| product.checked_mul(len));
        let bits = elements.and_then(|elements| elements.checked_mul(info.dtype.bitsize()));
        let (start, stop) = info.data_offsets;
        if start != end || bits != stop.checked_sub(start).map(|bytes| bytes * 8) {
            return Err(format!(
                "tensor `{name}` of shape {:?} and dtype {:?} lies at bytes {start} to {stop}, which does not fit.",
                info.shape, info.dtype
            ));
        }
        end = stop;
    }
    Ok(())
}

fn data_len(metadata: &Metadata) -> u64 {
    metadata
        .tensors()
        .values()
        .map(|info| info.data_offsets.1 as u64)
        .max()
        .unwrap_or(0)
}

fn to_f32(file: &str, tensor: &str, dtype: Dtype, bytes: &[u8]) -> Result<Vec<f32>> {
    let values: Vec<f32> = match dtype {
        Dtype::F16 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&pair| half::f16::from_le_bytes(pair).to_f32())
            .collect(),
        Dtype::BF16 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&pair| half::bf16::from_le_bytes(pair).to_f32())
            .collect(),
        _ => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&four| f32::from_le_bytes(four))
            .collect(),
    };
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(values),
        Some(value) => Err(Error::Tensor {
            file: file.into(),
            tensor: tensor.into(),
            problem: format!("contains {value}: the checkpoint is damaged."),
        }),
    }
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
        self.classifier = Linear {
            weight: parameter(weight, [labels, hidden_size], &device),
            bias: parameter(bias, [labels], &device),
        };
        self
    }
}
