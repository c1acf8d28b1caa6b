//! The network's parameters with LoRA's adapters merged in, one at a time: an export needs no copy of all weights.

use super::adapters::for_each_linear;
use super::named::slice;
use super::parameters::TensorPart;
use super::{BertForSequenceClassification, LoraAdapter, NamedParameter};
use burn::tensor::Tensor;
use std::collections::HashMap;

/// A parameter whose values are computed when they are asked for.
#[derive(Debug, Clone)]
pub struct MergedParameter {
    name: String,
    shape: Vec<usize>,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    /// On the device already.
    There(Vec<Tensor<1>>),
    /// Values of these parameters, with the update of an adapter.
    Merged(Vec<TensorPart>, Option<LoraAdapter>),
}

impl From<NamedParameter> for MergedParameter {
    fn from(parameter: NamedParameter) -> Self {
        let parts = parameter.parts.into_iter().map(|part| part.values);
        Self {
            name: parameter.name,
            shape: parameter.shape,
            values: Values::There(parts.collect()),
        }
    }
}

impl MergedParameter {
    /// The name in a checkpoint.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape that PyTorch stores.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Computes the values, row-major and without autodiff, in the parts in which the device has them.
    pub fn values(self) -> Vec<Tensor<1>> {
        let (parts, adapter) = match self.values {
            Values::There(parts) => return parts,
            Values::Merged(parts, adapter) => (parts.into_iter(), adapter),
        };
        let parts = parts.map(|part| slice(part.param.values(), &part.range));
        let Some(adapter) = adapter else {
            return parts.collect();
        };
        let update: Tensor<1> = adapter.update().flatten(0, 1);
        // The weight of a linear layer is one part.
        parts.map(|values| values + update.clone()).collect()
    }
}

impl BertForSequenceClassification {
    /// Returns the parameters of [`merged`](Self::merged) in the order of
    /// [`named_parameters`](Self::named_parameters). Each is merged only when its values are asked for.
    pub fn merged_parameters(&self) -> Vec<MergedParameter> {
        let mut adapters = HashMap::new();
        // The visitor takes mutable layers; the clone shares its parameters.
        for_each_linear(&mut self.clone(), |linear, names| {
            let rows = linear.weight.dims()[0];
            for adapter in &linear.lora {
                let name = &names[adapter.start * names.len() / rows];
                adapters.insert(format!("{name}.weight"), adapter.clone());
            }
        });
        let tensors = self.checkpoint_tensors().into_iter();
        let merged = tensors.map(|tensor| {
            let adapter = adapters.remove(&tensor.name);
            MergedParameter {
                name: tensor.name,
                shape: tensor.shape,
                values: Values::Merged(tensor.parts, adapter),
            }
        });
        merged.collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::bert::random::tiny_config;
    use crate::bert::{LoadLimits, LoraConfig, TargetModules, random_network, read_all};
    use burn::tensor::Device;
    use pollster::block_on;

    #[test]
    fn merged_one_at_a_time_equals_the_merged_network() {
        let config = tiny_config();
        let device = Device::flex().autodiff();
        let model = random_network(&config, 3, 2, &device, LoadLimits::default());
        let model = block_on(model).unwrap();
        let lora = LoraConfig {
            r: 2,
            lora_alpha: 4,
            target_modules: TargetModules::AllLinear,
        };
        let mut model = model.with_lora(&lora, 5);
        // An untrained `lora_B` is 0.
        let adapters = model.adapter_parameters().into_iter().map(|parameter| {
            let values = block_on(parameter.read()).unwrap();
            let values = values
                .iter()
                .zip(1..)
                .map(|(value, at)| value + 0.01 * at as f32);
            (parameter.name, values.collect())
        });
        let adapters = adapters.collect();
        model = model.with_adapter_values(&adapters).unwrap();

        let expected = model.merged().named_parameters();
        let plain = model.named_parameters();
        let merged = model.merged_parameters();
        assert_eq!(merged.len(), expected.len());
        let mut changed = 0;
        for ((merged, expected), plain) in merged.into_iter().zip(expected).zip(plain) {
            assert_eq!(merged.name(), expected.name);
            assert_eq!(merged.shape(), expected.shape);
            let values = block_on(read_all(merged.values())).unwrap();
            assert_eq!(
                values,
                block_on(expected.read()).unwrap(),
                "{}",
                expected.name
            );
            changed += usize::from(values != block_on(plain.read()).unwrap());
        }
        assert_eq!(changed, 2 * 6 + 1);
    }
}
