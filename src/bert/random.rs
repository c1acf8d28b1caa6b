//! Networks and checkpoints of random weights for tests, the self-test and benchmarks. The seed determines the weights.

use super::names::CLASSIFIER_PREFIX;
use super::parameters::checkpoint_shapes;
use super::{BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader};
use crate::io::MemoryFile;
use crate::random::TorchGenerator;
use crate::{Error, Result};
use burn::tensor::Device;
use safetensors::tensor::{Dtype, TensorView};

/// Loads [`random_checkpoint`] with `seed` onto a device, with a classifier of `num_labels` drawn with the next seed.
///
/// # Errors
/// As [`random_checkpoint`] and [`WeightsLoader::load`].
pub async fn random_network(
    config: &BertConfig,
    num_labels: usize,
    seed: u32,
    device: &Device,
    limits: LoadLimits,
) -> Result<BertForSequenceClassification> {
    let loader = WeightsLoader {
        config,
        own_labels: num_labels,
        num_labels,
        seed: seed + 1,
        device,
        limits,
    };
    let mut file = MemoryFile::new("random weights", random_checkpoint(config, seed)?);
    Ok(loader.load(&mut file).await?.0)
}

/// Returns a safetensors file in f32 for `config`, without a classifier: weights and biases N(0, `initializer_range`),
/// LayerNorm scales N(1, `initializer_range`).
///
/// # Errors
/// [`Error::Config`] if the network is too large to serialize.
pub fn random_checkpoint(config: &BertConfig, seed: u32) -> Result<Vec<u8>> {
    let mut generator = TorchGenerator::new(seed);
    let std = config.initializer_range as f32;
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = checkpoint_shapes(config, 1)
        .into_iter()
        .filter(|(name, _)| !name.starts_with(CLASSIFIER_PREFIX))
        .map(|(name, shape)| {
            let mean = if name.ends_with("LayerNorm.weight") {
                1.0
            } else {
                0.0
            };
            let values = generator.normal(shape.iter().product(), std);
            let bytes = values
                .iter()
                .flat_map(|value| (value + mean).to_le_bytes())
                .collect();
            (name, shape, bytes)
        })
        .collect();
    let refuse = |error: safetensors::SafeTensorError| Error::Config(format!("{error}."));
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(refuse)?;
            Ok((name.as_str(), view))
        })
        .collect::<Result<Vec<_>>>()?;
    safetensors::serialize(views, None).map_err(refuse)
}

/// The configuration of a network of two layers with 11 tokens.
#[cfg(test)]
pub(crate) fn tiny_config() -> BertConfig {
    BertConfig {
        vocab_size: 11,
        hidden_size: 4,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 6,
        max_position_embeddings: 7,
        ..BertConfig::default()
    }
}
