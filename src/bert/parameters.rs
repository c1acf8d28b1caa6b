//! The network's parameters under their names in a Hugging Face checkpoint.
//!
//! Each module declares the names of its own parameters in `visit_parameters`, relative to its [`Scope`], as candle's
//! models do with [`VarBuilder::pp`](https://docs.rs/candle-nn/latest/candle_nn/var_builder/type.VarBuilder.html).

use super::{BertConfig, BertForSequenceClassification, LayerNorm, Linear, LoadLimits};
use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor};
use std::collections::BTreeMap;
use std::ops::Range;

/// Receives the parts of a network that have parameters.
pub(super) trait Visitor {
    /// Visits a linear layer. Several `names` are those of the layers that it joins, equal in rows.
    fn linear(&mut self, names: Vec<String>, layer: &mut Linear);

    /// Visits a LayerNorm.
    fn layer_norm(&mut self, name: String, norm: &mut LayerNorm);

    /// Visits the blocks of rows of an embedding table.
    fn embedding(&mut self, name: String, blocks: Vec<&mut Param<Tensor<2>>>);
}

/// A visitor, and the prefix of the names that it receives.
pub(super) struct Scope<'a> {
    prefix: String,
    visitor: &'a mut dyn Visitor,
}

impl<'a> Scope<'a> {
    /// Creates the scope of names without a prefix.
    pub(super) fn root(visitor: &'a mut dyn Visitor) -> Self {
        Self {
            prefix: String::new(),
            visitor,
        }
    }

    /// Creates the scope of the names that begin with `name` and a dot.
    pub(super) fn child(&mut self, name: &str) -> Scope<'_> {
        Scope {
            prefix: format!("{}{name}.", self.prefix),
            visitor: &mut *self.visitor,
        }
    }

    /// Declares the `weight` and `bias` of a linear layer.
    pub(super) fn linear(&mut self, name: &str, layer: &mut Linear) {
        self.joined_linear(&[name], layer);
    }

    /// Declares the `weight` and `bias` of linear layers of equal size that `layer` joins, in the order of its rows.
    pub(super) fn joined_linear(&mut self, names: &[&str], layer: &mut Linear) {
        let names = names.iter().map(|name| self.name(name)).collect();
        self.visitor.linear(names, layer);
    }

    /// Declares the `weight` and `bias` of a LayerNorm.
    pub(super) fn layer_norm(&mut self, name: &str, norm: &mut LayerNorm) {
        self.visitor.layer_norm(self.name(name), norm);
    }

    /// Declares the `weight` of an embedding table that consists of `blocks` of rows.
    pub(super) fn embedding(&mut self, name: &str, blocks: Vec<&mut Param<Tensor<2>>>) {
        self.visitor.embedding(self.name(name), blocks);
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

/// A parameter of either number of dimensions.
#[derive(Debug, Clone)]
pub(super) enum AnyParam {
    Vector(Param<Tensor<1>>),
    Matrix(Param<Tensor<2>>),
}

impl AnyParam {
    /// Returns burn's identifier of the parameter.
    pub(super) fn id(&self) -> ParamId {
        match self {
            Self::Vector(param) => param.id,
            Self::Matrix(param) => param.id,
        }
    }

    /// Returns the shape without allocating the parameter.
    pub(super) fn shape(&self) -> Vec<usize> {
        match self {
            Self::Vector(param) => param.lazy_shape().to_vec(),
            Self::Matrix(param) => param.lazy_shape().to_vec(),
        }
    }

    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        self.shape().iter().product()
    }

    /// Returns the values, row-major and without autodiff: `[len]`.
    pub(super) fn values(&self) -> Tensor<1> {
        match self {
            Self::Vector(param) => param.val().inner(),
            Self::Matrix(param) => param.val().inner().flatten(0, 1),
        }
    }
}

/// A tensor of a checkpoint, and the parameters that hold its values.
#[derive(Debug, Clone)]
pub(super) struct CheckpointTensor {
    /// The name in a checkpoint, e.g. `bert.encoder.layer.0.attention.self.query.weight`.
    pub name: String,
    /// The shape in a checkpoint.
    pub shape: Vec<usize>,
    /// The parameters in the order of the tensor's rows: several for a table in blocks.
    pub parts: Vec<TensorPart>,
}

/// Values of a checkpoint's tensor that belong to one parameter.
#[derive(Debug, Clone)]
pub(super) struct TensorPart {
    pub param: AnyParam,
    /// The tensor's values among those of the parameter, which joins several tensors if the range is not all of it.
    pub range: Range<usize>,
}

impl BertForSequenceClassification {
    /// Returns the tensors of a checkpoint of this network, in the order of the forward pass. It allocates nothing.
    pub(super) fn checkpoint_tensors(&self) -> Vec<CheckpointTensor> {
        let mut collector = Collector::default();
        // A visitor takes modules as mutable, because some visitors add adapters; the clone shares its parameters.
        self.clone().visit_parameters(&mut collector);
        collector.tensors
    }
}

/// Returns the shapes of a checkpoint's tensors by name.
pub(super) fn checkpoint_shapes(
    config: &BertConfig,
    num_labels: usize,
) -> BTreeMap<String, Vec<usize>> {
    let limits = LoadLimits::default();
    let network = BertForSequenceClassification::lazy(config, num_labels, &limits, &Device::flex());
    let tensors = network.checkpoint_tensors().into_iter();
    tensors.map(|tensor| (tensor.name, tensor.shape)).collect()
}

/// Returns the bytes of a network's parameters on the device, where they are f32 whatever they are in a file.
pub fn parameter_bytes(config: &BertConfig, num_labels: usize) -> u64 {
    let shapes = checkpoint_shapes(config, num_labels).into_values();
    let values = shapes.map(|shape| shape.into_iter().product::<usize>() as u64);
    values.sum::<u64>() * size_of::<f32>() as u64
}

#[derive(Default)]
struct Collector {
    tensors: Vec<CheckpointTensor>,
}

impl Collector {
    /// Adds the tensors that one parameter joins.
    fn push(&mut self, names: &[String], suffix: &str, param: AnyParam) {
        let mut shape = param.shape();
        shape[0] /= names.len();
        let len: usize = shape.iter().product();
        for (at, name) in names.iter().enumerate() {
            self.tensors.push(CheckpointTensor {
                name: format!("{name}.{suffix}"),
                shape: shape.clone(),
                parts: vec![TensorPart {
                    param: param.clone(),
                    range: at * len..(at + 1) * len,
                }],
            });
        }
    }
}

impl Visitor for Collector {
    fn linear(&mut self, names: Vec<String>, layer: &mut Linear) {
        self.push(&names, "weight", AnyParam::Matrix(layer.weight.clone()));
        self.push(&names, "bias", AnyParam::Vector(layer.bias.clone()));
    }

    fn layer_norm(&mut self, name: String, norm: &mut LayerNorm) {
        let names = [name];
        self.push(&names, "weight", AnyParam::Vector(norm.weight.clone()));
        self.push(&names, "bias", AnyParam::Vector(norm.bias.clone()));
    }

    fn embedding(&mut self, name: String, blocks: Vec<&mut Param<Tensor<2>>>) {
        let mut tensor = CheckpointTensor {
            name: format!("{name}.weight"),
            shape: Vec::new(),
            parts: Vec::new(),
        };
        for block in blocks {
            let param = AnyParam::Matrix(block.clone());
            let shape = param.shape();
            let range = 0..param.len();
            match tensor.shape.first_mut() {
                Some(rows) => *rows += shape[0],
                None => tensor.shape = shape,
            }
            tensor.parts.push(TensorPart { param, range });
        }
        self.tensors.push(tensor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and shapes that transformers' `BertForSequenceClassification(config).state_dict()` has.
    #[test]
    fn names_and_shapes_match_the_state_dict() {
        let config = BertConfig {
            vocab_size: 11,
            hidden_size: 4,
            num_hidden_layers: 1,
            num_attention_heads: 2,
            intermediate_size: 6,
            max_position_embeddings: 7,
            ..BertConfig::default()
        };
        let expected: &[(&str, &[usize])] = &[
            ("bert.embeddings.word_embeddings.weight", &[11, 4]),
            ("bert.embeddings.position_embeddings.weight", &[7, 4]),
            ("bert.embeddings.token_type_embeddings.weight", &[2, 4]),
            ("bert.embeddings.LayerNorm.weight", &[4]),
            ("bert.embeddings.LayerNorm.bias", &[4]),
            ("bert.encoder.layer.0.attention.self.query.weight", &[4, 4]),
            ("bert.encoder.layer.0.attention.self.query.bias", &[4]),
            ("bert.encoder.layer.0.attention.self.key.weight", &[4, 4]),
            ("bert.encoder.layer.0.attention.self.key.bias", &[4]),
            ("bert.encoder.layer.0.attention.self.value.weight", &[4, 4]),
            ("bert.encoder.layer.0.attention.self.value.bias", &[4]),
            (
                "bert.encoder.layer.0.attention.output.dense.weight",
                &[4, 4],
            ),
            ("bert.encoder.layer.0.attention.output.dense.bias", &[4]),
            (
                "bert.encoder.layer.0.attention.output.LayerNorm.weight",
                &[4],
            ),
            ("bert.encoder.layer.0.attention.output.LayerNorm.bias", &[4]),
            ("bert.encoder.layer.0.intermediate.dense.weight", &[6, 4]),
            ("bert.encoder.layer.0.intermediate.dense.bias", &[6]),
            ("bert.encoder.layer.0.output.dense.weight", &[4, 6]),
            ("bert.encoder.layer.0.output.dense.bias", &[4]),
            ("bert.encoder.layer.0.output.LayerNorm.weight", &[4]),
            ("bert.encoder.layer.0.output.LayerNorm.bias", &[4]),
            ("bert.pooler.dense.weight", &[4, 4]),
            ("bert.pooler.dense.bias", &[4]),
            ("classifier.weight", &[3, 4]),
            ("classifier.bias", &[3]),
        ];
        let expected: BTreeMap<String, Vec<usize>> = expected
            .iter()
            .map(|(name, shape)| (name.to_string(), shape.to_vec()))
            .collect();
        assert_eq!(checkpoint_shapes(&config, 3), expected);
    }
}
