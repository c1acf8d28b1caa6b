//! Every parameter of the classifier under its name in a Hugging Face checkpoint.

use super::BertForSequenceClassification;
use super::parameters::{AnyParam, CheckpointTensor, TensorPart};
use crate::Result;
use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use std::ops::Range;

/// A parameter by its name in a checkpoint, with its values on the device.
#[derive(Debug, Clone)]
pub struct NamedParameter {
    /// E.g. `bert.encoder.layer.0.attention.self.query.weight`.
    pub name: String,
    /// The shape that PyTorch stores.
    pub shape: Vec<usize>,
    /// The values, row-major: one part, unless the device has the parameter in blocks.
    pub parts: Vec<ParameterPart>,
}

/// Contiguous rows of a parameter.
#[derive(Debug, Clone)]
pub struct ParameterPart {
    /// The values, row-major and without autodiff: `[rows * columns]`.
    pub values: Tensor<1>,
    /// burn's identifier of the parameter that holds them.
    pub id: ParamId,
    /// The range among that parameter's values.
    pub range: Range<usize>,
}

impl NamedParameter {
    /// Creates the entry of a parameter that is one tensor of a file.
    pub(super) fn of(name: String, param: AnyParam) -> Self {
        let shape = param.shape();
        let range = 0..param.len();
        let parts = vec![TensorPart { param, range }];
        CheckpointTensor { name, shape, parts }.into()
    }

    /// Returns the gradient, row-major, in the parts of the values; `None` if the parameter has no gradient.
    pub fn gradient(&self, grads: &GradientsParams) -> Option<Vec<Tensor<1>>> {
        let gradient = |part: &ParameterPart| {
            let whole: Tensor<1> = match self.shape.len() {
                1 => grads.get::<1>(part.id)?,
                _ => grads.get::<2>(part.id)?.flatten(0, 1),
            };
            Some(slice(whole, &part.range))
        };
        self.parts.iter().map(gradient).collect()
    }

    /// Reads the values back from the device, row-major.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) if the device fails.
    pub async fn read(&self) -> Result<Vec<f32>> {
        let parts = self.parts.iter().map(|part| part.values.clone());
        read_all(parts).await
    }
}

impl From<CheckpointTensor> for NamedParameter {
    fn from(tensor: CheckpointTensor) -> Self {
        let part = |TensorPart { param, range }| ParameterPart {
            values: slice(param.values(), &range),
            id: param.id(),
            range,
        };
        Self {
            name: tensor.name,
            shape: tensor.shape,
            parts: tensor.parts.into_iter().map(part).collect(),
        }
    }
}

/// Reads tensors back from the device and concatenates their values.
///
/// # Errors
/// [`Error::Device`](crate::Error::Device) if the device fails.
pub async fn read_all(parts: impl IntoIterator<Item = Tensor<1>>) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    for part in parts {
        let part: Vec<f32> = part.into_data_async().await?.try_into_vec()?;
        values.extend(part);
    }
    Ok(values)
}

/// Returns the values of `range`, without an operation if the range is all of them.
pub(super) fn slice(whole: Tensor<1>, range: &Range<usize>) -> Tensor<1> {
    if range.len() == whole.dims()[0] {
        return whole;
    }
    whole.narrow(0, range.start, range.len())
}

impl BertForSequenceClassification {
    /// Returns the checkpoint's parameters in the order of the forward pass, without LoRA adapters. It reads nothing
    /// back from the device.
    ///
    /// Mirrors [`torch.nn.Module.named_parameters`][torch].
    ///
    /// [torch]: https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_parameters
    pub fn named_parameters(&self) -> Vec<NamedParameter> {
        let tensors = self.checkpoint_tensors().into_iter();
        tensors.map(NamedParameter::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::bert::parameters::checkpoint_shapes;
    use crate::bert::random::tiny_config;
    use crate::bert::{LoadLimits, random_network};
    use burn::tensor::Device;
    use std::collections::BTreeMap;

    #[test]
    fn names_and_shapes_match_the_checkpoint() {
        let config = tiny_config();
        for device in [Device::flex(), Device::flex().autodiff()] {
            let model = random_network(&config, 3, 2, &device, LoadLimits::default());
            let model = pollster::block_on(model).unwrap();
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
            assert_eq!(found, checkpoint_shapes(&config, 3));
        }
    }
}
