//! LoRA's adapters under the names that PEFT's files give them, and the classifier that is trained beside them.

use super::layers::parameter;
use super::{BertForSequenceClassification, Linear, LoraAdapter, NamedParameter, ParameterPart};
use crate::{Error, Result};
use burn::module::Param;
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// What PEFT puts before a parameter's name in the model that it wraps.
const PREFIX: &str = "base_model.model.";

/// Calls `see` with every layer that may have adapters, and the names of its parts in a checkpoint, equal in rows.
pub(super) fn each_linear(
    model: &mut BertForSequenceClassification,
    see: &mut dyn FnMut(&mut Linear, Vec<String>),
) {
    for (at, layer) in model.bert.encoder.layer.iter_mut().enumerate() {
        let name = |part: &str| format!("bert.encoder.layer.{at}.{part}");
        let projections = ["query", "key", "value"];
        let projections = projections.map(|part| name(&format!("attention.self.{part}")));
        see(&mut layer.attention.query_key_value, projections.into());
        see(
            &mut layer.attention.dense,
            vec![name("attention.output.dense")],
        );
        see(&mut layer.intermediate, vec![name("intermediate.dense")]);
        see(&mut layer.output, vec![name("output.dense")]);
    }
    see(
        &mut model.bert.pooler.dense,
        vec!["bert.pooler.dense".into()],
    );
}

/// The name of the part of a layer that an adapter is beside.
fn module_name(adapter: &LoraAdapter, rows: usize, parts: &[String]) -> String {
    parts[adapter.start * parts.len() / rows].clone()
}

impl BertForSequenceClassification {
    /// Whether it has adapters.
    pub fn has_adapters(&self) -> bool {
        !self.adapter_parameters().is_empty()
    }

    /// Both matrices of every adapter, as PEFT's `adapter_model.safetensors` names them; nothing is read from the device. Empty for a
    /// network without adapters, which has nothing that PEFT would save.
    pub fn adapter_parameters(&self) -> Vec<NamedParameter> {
        let mut found = Vec::new();
        // The walk is one for reading and writing; a module's clone is handles.
        each_linear(&mut self.clone(), &mut |linear, parts| {
            let rows = linear.weight.dims()[0];
            for adapter in &linear.lora {
                let name = module_name(adapter, rows, &parts);
                for (param, matrix) in [(&adapter.lora_a, "lora_A"), (&adapter.lora_b, "lora_B")] {
                    found.push(named(format!("{PREFIX}{name}.{matrix}.weight"), param));
                }
            }
        });
        found
    }

    /// Puts other values into every adapter: by the names of [`adapter_parameters`](Self::adapter_parameters), row after row.
    ///
    /// # Errors
    /// [`Error::Config`] when an adapter's values are missing or of another number.
    pub fn with_adapter_values(mut self, values: &BTreeMap<String, Vec<f32>>) -> Result<Self> {
        let device = self.device();
        let mut problem = None;
        each_linear(&mut self, &mut |linear, parts| {
            let rows = linear.weight.dims()[0];
            for adapter in &mut linear.lora {
                let name = module_name(adapter, rows, &parts);
                for (param, matrix) in [
                    (&mut adapter.lora_a, "lora_A"),
                    (&mut adapter.lora_b, "lora_B"),
                ] {
                    let name = format!("{PREFIX}{name}.{matrix}.weight");
                    let shape = param.dims();
                    match values.get(&name) {
                        Some(values) if values.len() == shape[0] * shape[1] => {
                            *param = parameter(values.clone(), shape, &device);
                        }
                        _ => problem = Some(name),
                    }
                }
            }
        });
        match problem {
            None => Ok(self),
            Some(name) => Err(Error::Config(format!(
                "the adapter `{name}` is missing or of another shape."
            ))),
        }
    }

    /// The classifier under PEFT's names: it is trained whole, as PEFT's `modules_to_save`.
    pub fn classifier_parameters(&self) -> [NamedParameter; 2] {
        [
            named(
                format!("{PREFIX}classifier.weight"),
                &self.classifier.weight,
            ),
            named(format!("{PREFIX}classifier.bias"), &self.classifier.bias),
        ]
    }
}

fn named<const D: usize>(name: String, param: &Param<Tensor<D>>) -> NamedParameter {
    let value = param.val().inner();
    let shape = value.dims().to_vec();
    let part = ParameterPart {
        range: 0..shape.iter().product(),
        values: value.flatten(0, D - 1),
        id: param.id,
    };
    NamedParameter {
        name,
        shape,
        parts: vec![part],
    }
}
