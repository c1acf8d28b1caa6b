//! Every parameter of the classifier under its name in a Hugging Face checkpoint (`torch.nn.Module.named_parameters`).

use super::{BertForSequenceClassification, checkpoint_name};
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// One parameter, its values still on the device.
#[derive(Debug, Clone)]
pub struct NamedParameter {
    /// E.g. `bert.encoder.layer.0.attention.self.query.weight`.
    pub name: String,
    /// As PyTorch stores it.
    pub shape: Vec<usize>,
    /// The values row after row, without autodiff: `[product of shape]`.
    pub values: Tensor<1>,
    /// burn's own name for it, by which gradients are found.
    pub id: ParamId,
}

impl BertForSequenceClassification {
    /// The parameters in the order of the forward pass. Nothing is copied or read from the device.
    pub fn named_parameters(&self) -> Vec<NamedParameter> {
        let mut collector = Collector {
            path: Vec::new(),
            found: Vec::new(),
        };
        self.visit(&mut collector);
        collector.found
    }
}

struct Collector {
    path: Vec<String>,
    found: Vec<NamedParameter>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().inner();
        self.found.push(NamedParameter {
            name: checkpoint_name(&self.path),
            shape: value.dims().to_vec(),
            values: value.flatten(0, D - 1),
            id: param.id,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::bert::names::expected_shapes;
    use crate::bert::{BertConfig, WeightsLoader, random_checkpoint};
    use crate::hub::MemoryFile;
    use burn::tensor::Device;
    use std::collections::BTreeMap;

    #[test]
    fn names_and_shapes_are_the_checkpoints() {
        let config = BertConfig {
            vocab_size: 11,
            hidden_size: 4,
            num_hidden_layers: 2,
            num_attention_heads: 2,
            intermediate_size: 6,
            max_position_embeddings: 7,
            ..BertConfig::default()
        };
        for device in [Device::flex(), Device::flex().autodiff()] {
            let loader = WeightsLoader {
                config: &config,
                num_labels: 3,
                seed: 1,
                device: &device,
            };
            let mut file = MemoryFile::new("x", random_checkpoint(&config, 2).unwrap());
            let (model, _) = pollster::block_on(loader.load(&mut file)).unwrap();
            let found: BTreeMap<_, _> = model
                .named_parameters()
                .into_iter()
                .map(|parameter| {
                    assert_eq!(
                        parameter.values.dims(),
                        [parameter.shape.iter().product::<usize>()]
                    );
                    (parameter.name, parameter.shape)
                })
                .collect();
            assert_eq!(found, expected_shapes(&config, 3));
        }
    }
}
