//! Tensors by name become the network's modules.

use super::{
    BertAttention, BertConfig, BertEmbeddings, BertEncoder, BertForSequenceClassification,
    BertLayer, BertModel, BertPooler, Dropout, LayerNorm, Linear,
};
use crate::{Error, Result};
use burn::module::Param;
use burn::tensor::Tensor;
use std::collections::HashMap;

/// A parameter on the device, by its rank.
pub(super) enum Loaded {
    Vector(Tensor<1>),
    Matrix(Tensor<2>),
}

/// Takes the tensors by name and puts the modules together.
pub(super) struct Assembly {
    pub file: String,
    pub tensors: HashMap<String, Loaded>,
}

impl Assembly {
    fn missing(&self, name: &str) -> Error {
        Error::Tensor {
            file: self.file.clone(),
            tensor: name.into(),
            problem: "is missing.".into(),
        }
    }

    fn matrix(&mut self, name: String) -> Result<Param<Tensor<2>>> {
        match self.tensors.remove(&name) {
            Some(Loaded::Matrix(tensor)) => Ok(Param::from_tensor(tensor)),
            _ => Err(self.missing(&name)),
        }
    }

    fn vector(&mut self, name: String) -> Result<Param<Tensor<1>>> {
        match self.tensors.remove(&name) {
            Some(Loaded::Vector(tensor)) => Ok(Param::from_tensor(tensor)),
            _ => Err(self.missing(&name)),
        }
    }

    fn linear(&mut self, name: &str) -> Result<Linear> {
        let weight = self.matrix(format!("{name}.weight"))?;
        let bias = self.vector(format!("{name}.bias"))?;
        Ok(Linear::new(weight, bias))
    }

    /// Linear layers of one input become one, their rows one behind another.
    fn joined(&mut self, names: [String; 3]) -> Result<Linear> {
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for name in names {
            let part = self.linear(&name)?;
            weights.push(part.weight.into_value());
            biases.push(part.bias.into_value());
        }
        let weight = Param::from_tensor(cat(weights));
        Ok(Linear::new(weight, Param::from_tensor(cat(biases))))
    }

    fn layer_norm(&mut self, name: &str, eps: f64) -> Result<LayerNorm> {
        Ok(LayerNorm {
            weight: self.vector(format!("{name}.weight"))?,
            bias: self.vector(format!("{name}.bias"))?,
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
                query_key_value: self.joined(
                    ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}"))),
                )?,
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
            word_embeddings: self.matrix(embedding("word"))?,
            position_embeddings: self.matrix(embedding("position"))?,
            token_type_embeddings: self.matrix(embedding("token_type"))?,
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

/// Joins tensors by their rows into one that no graph leads to.
fn cat<const D: usize>(tensors: Vec<Tensor<D>>) -> Tensor<D> {
    let trainable = tensors.iter().any(Tensor::is_autodiff);
    let joined = Tensor::cat(tensors.into_iter().map(Tensor::inner).collect(), 0);
    if trainable {
        Tensor::from_inner(joined)
    } else {
        joined
    }
}
