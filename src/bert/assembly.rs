//! Tensors by name become the network's modules.

use super::names::WORDS;
use super::{
    BertAttention, BertConfig, BertEmbeddings, BertEncoder, BertForSequenceClassification,
    BertLayer, BertModel, BertPooler, Dropout, LayerNorm, Linear, WordEmbeddings,
};
use crate::{Error, Result};
use burn::module::Param;
use burn::tensor::Tensor;
use std::collections::HashMap;

/// A parameter on the device, or the blocks of one.
pub(super) struct Loaded {
    /// `[rows, columns]`, or `[len]`.
    pub shape: Vec<usize>,
    /// Whole rows of it, flat and without autodiff, one block behind another.
    pub blocks: Vec<Tensor<1>>,
}

/// Takes the tensors by name and puts the modules together.
pub(super) struct Assembly {
    pub file: String,
    pub tensors: HashMap<String, Loaded>,
    /// Whether autodiff is to see the parameters.
    pub trainable: bool,
}

impl Assembly {
    fn missing(&self, name: &str) -> Error {
        Error::Tensor {
            file: self.file.clone(),
            tensor: name.into(),
            problem: "is missing.".into(),
        }
    }

    /// The blocks of a parameter of `D` dimensions.
    fn blocks<const D: usize>(&mut self, name: &str) -> Result<Vec<Param<Tensor<D>>>> {
        let loaded = self.tensors.remove(name);
        let Some(Loaded { shape, blocks }) = loaded.filter(|loaded| loaded.shape.len() == D) else {
            return Err(self.missing(name));
        };
        let row: usize = shape[1..].iter().product();
        let parameter = |block: Tensor<1>| {
            let rows = block.dims()[0] / row.max(1);
            let shape: [usize; D] =
                std::array::from_fn(|at| if at == 0 { rows } else { shape[at] });
            let values = block.reshape(shape);
            Param::from_tensor(if self.trainable {
                Tensor::from_inner(values)
            } else {
                values
            })
        };
        Ok(blocks.into_iter().map(parameter).collect())
    }

    fn whole<const D: usize>(&mut self, name: &str) -> Result<Param<Tensor<D>>> {
        let first = self.blocks(name)?.into_iter().next();
        first.ok_or_else(|| self.missing(name))
    }

    fn words(&mut self) -> Result<WordEmbeddings> {
        let mut blocks = self.blocks(WORDS)?.into_iter();
        Ok(WordEmbeddings {
            first: blocks.next().ok_or_else(|| self.missing(WORDS))?,
            further: blocks.collect(),
        })
    }

    fn linear(&mut self, name: &str) -> Result<Linear> {
        let weight = self.whole(&format!("{name}.weight"))?;
        let bias = self.whole(&format!("{name}.bias"))?;
        Ok(Linear::new(weight, bias))
    }

    fn layer_norm(&mut self, name: &str, eps: f64) -> Result<LayerNorm> {
        Ok(LayerNorm {
            weight: self.whole(&format!("{name}.weight"))?,
            bias: self.whole(&format!("{name}.bias"))?,
            eps,
        })
    }

    fn layer(&mut self, at: usize, config: &BertConfig) -> Result<BertLayer> {
        let name = |part: &str| format!("bert.encoder.layer.{at}.{part}");
        let eps = config.layer_norm_eps;
        let dropout = Dropout {
            prob: config.hidden_dropout_prob,
        };
        Ok(BertLayer {
            attention: BertAttention {
                query_key_value: self.linear(&name("attention.self.query_key_value"))?,
                dense: self.linear(&name("attention.output.dense"))?,
                layer_norm: self.layer_norm(&name("attention.output.LayerNorm"), eps)?,
                probs_dropout: Dropout {
                    prob: config.attention_probs_dropout_prob,
                },
                dropout: dropout.clone(),
                num_attention_heads: config.num_attention_heads,
            },
            intermediate: self.linear(&name("intermediate.dense"))?,
            output: self.linear(&name("output.dense"))?,
            layer_norm: self.layer_norm(&name("output.LayerNorm"), eps)?,
            dropout,
        })
    }

    pub(super) fn classifier(
        mut self,
        config: &BertConfig,
    ) -> Result<BertForSequenceClassification> {
        let embedding = |part: &str| format!("bert.embeddings.{part}_embeddings.weight");
        let embeddings = BertEmbeddings {
            word_embeddings: self.words()?,
            position_embeddings: self.whole(&embedding("position"))?,
            token_type_embeddings: self.whole(&embedding("token_type"))?,
            layer_norm: self.layer_norm("bert.embeddings.LayerNorm", config.layer_norm_eps)?,
            dropout: Dropout {
                prob: config.hidden_dropout_prob,
            },
        };
        let layer = (0..config.num_hidden_layers)
            .map(|at| self.layer(at, config))
            .collect::<Result<Vec<_>>>()?;
        Ok(BertForSequenceClassification {
            bert: BertModel {
                embeddings,
                encoder: BertEncoder { layer },
                pooler: BertPooler {
                    dense: self.linear("bert.pooler.dense")?,
                },
            },
            dropout: Dropout {
                prob: config.classifier_dropout(),
            },
            classifier: self.linear("classifier")?,
        })
    }
}
