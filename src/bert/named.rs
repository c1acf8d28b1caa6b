//! Every parameter of the classifier under its name in a Hugging Face checkpoint (`torch.nn.Module.named_parameters`).

use super::{BertForSequenceClassification, checkpoint_names};
use crate::Result;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use std::ops::Range;

/// One parameter, its values still on the device.
#[derive(Debug, Clone)]
pub struct NamedParameter {
    /// E.g. `bert.encoder.layer.0.attention.self.query.weight`.
    pub name: String,
    /// As PyTorch stores it.
    pub shape: Vec<usize>,
    /// Its values, row after row: one part, unless the device has the parameter in blocks.
    pub parts: Vec<ParameterPart>,
}

/// Rows of a parameter that lie one behind another on the device.
#[derive(Debug, Clone)]
pub struct ParameterPart {
    /// The values row after row, without autodiff: `[rows * columns]`.
    pub values: Tensor<1>,
    /// burn's own name of the parameter that it is, or is a part of.
    pub id: ParamId,
    /// Which of that parameter's values it is.
    pub range: Range<usize>,
}

impl NamedParameter {
    /// Its gradient, row after row, in parts as its values are, where there is one.
    pub fn gradient(&self, grads: &GradientsParams) -> Option<Vec<Tensor<1>>> {
        let gradient = |one: &ParameterPart| {
            let whole: Tensor<1> = match self.shape.len() {
                1 => grads.get::<1>(one.id)?,
                _ => grads.get::<2>(one.id)?.flatten(0, 1),
            };
            Some(part(whole, &one.range))
        };
        self.parts.iter().map(gradient).collect()
    }

    /// Its values from the device, row after row.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) from the device.
    pub async fn read(&self) -> Result<Vec<f32>> {
        let parts = self.parts.iter().map(|part| part.values.clone());
        read_all(parts).await
    }
}

/// Values from the device, one tensor's behind another's.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) from the device.
pub async fn read_all(parts: impl IntoIterator<Item = Tensor<1>>) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    for part in parts {
        let part: Vec<f32> = part.into_data_async().await?.try_into_vec()?;
        values.extend(part);
    }
    Ok(values)
}

/// The values of `range`, which may be all.
fn part(whole: Tensor<1>, range: &Range<usize>) -> Tensor<1> {
    if range.len() == whole.dims()[0] {
        return whole;
    }
    whole.narrow(0, range.start, range.len())
}

impl BertForSequenceClassification {
    /// The checkpoint's parameters in the order of the forward pass; adapters are not among them. Nothing is read from the device.
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
        if self.path.iter().any(|name| name == "lora") {
            return;
        }
        let value = param.val().inner();
        let mut shape = value.dims().to_vec();
        let values: Tensor<1> = value.flatten(0, D - 1);
        let names = checkpoint_names(&self.path);
        shape[0] /= names.len();
        let len: usize = shape.iter().product();
        for (at, name) in names.into_iter().enumerate() {
            let range = at * len..(at + 1) * len;
            let part = ParameterPart {
                values: part(values.clone(), &range),
                id: param.id,
                range,
            };
            match self.found.last_mut().filter(|last| last.name == name) {
                // A further block of the one before.
                Some(last) => {
                    last.shape[0] += shape[0];
                    last.parts.push(part);
                }
                None => self.found.push(NamedParameter {
                    name,
                    shape: shape.clone(),
                    parts: vec![part],
                }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::bert::names::expected_shapes;
    use crate::bert::{BertConfig, LoadLimits, WeightsLoader, random_checkpoint};
    use crate::io::MemoryFile;
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
                limits: LoadLimits::default(),
            };
            let mut file = MemoryFile::new("x", random_checkpoint(&config, 2).unwrap());
            let (model, _) = pollster::block_on(loader.load(&mut file)).unwrap();
            let found: BTreeMap<_, _> = model
                .named_parameters()
                .into_iter()
                .map(|parameter| {
                    let values = parameter.parts.iter().map(|part| part.values.dims()[0]);
                    assert_eq!(
                        values.sum::<usize>(),
                        parameter.shape.iter().product::<usize>()
                    );
                    (parameter.name, parameter.shape)
                })
                .collect();
            assert_eq!(found, expected_shapes(&config, 3));
        }
    }
}
