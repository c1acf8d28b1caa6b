//! LoRA adapters and the classifier under the names of PEFT's files.

use super::layers::parameter;
use super::parameters::{AnyParam, Visitor};
use super::{BertForSequenceClassification, LayerNorm, Linear, LoraAdapter, NamedParameter};
use crate::{Error, Result};
use burn::module::Param;
use burn::tensor::Tensor;
use std::collections::BTreeMap;

/// The prefix that PEFT adds to the names of the model that it wraps.
const PEFT_PREFIX: &str = "base_model.model.";

/// Calls `visit` with every linear layer below the classifier, and the checkpoint's names of the layers that it joins.
pub(super) fn for_each_linear(
    model: &mut BertForSequenceClassification,
    visit: impl FnMut(&mut Linear, Vec<String>),
) {
    model.bert.visit_parameters(&mut LinearVisitor(visit));
}

struct LinearVisitor<F>(F);

impl<F: FnMut(&mut Linear, Vec<String>)> Visitor for LinearVisitor<F> {
    fn linear(&mut self, names: Vec<String>, layer: &mut Linear) {
        (self.0)(layer, names);
    }

    fn layer_norm(&mut self, _: String, _: &mut LayerNorm) {}

    fn embedding(&mut self, _: String, _: Vec<&mut Param<Tensor<2>>>) {}
}

/// Returns PEFT's names of an adapter's `lora_A` and `lora_B`, in a layer of `rows` rows that joins those of `names`.
fn matrix_names(adapter: &LoraAdapter, rows: usize, names: &[String]) -> [String; 2] {
    let name = &names[adapter.start * names.len() / rows];
    ["lora_A", "lora_B"].map(|matrix| format!("{PEFT_PREFIX}{name}.{matrix}.weight"))
}

impl BertForSequenceClassification {
    /// Returns whether the network has LoRA adapters.
    pub fn has_adapters(&self) -> bool {
        !self.adapter_parameters().is_empty()
    }

    /// Returns both matrices of every adapter under the names of PEFT's `adapter_model.safetensors`; empty for a
    /// network without adapters. It reads nothing back from the device.
    pub fn adapter_parameters(&self) -> Vec<NamedParameter> {
        let mut found = Vec::new();
        // The visitor takes mutable layers; the clone shares its parameters.
        for_each_linear(&mut self.clone(), |linear, names| {
            let rows = linear.weight.dims()[0];
            for adapter in &linear.lora {
                let names = matrix_names(adapter, rows, &names);
                for (name, param) in names.into_iter().zip([&adapter.lora_a, &adapter.lora_b]) {
                    found.push(NamedParameter::of(name, AnyParam::Matrix(param.clone())));
                }
            }
        });
        found
    }

    /// Replaces the values of every adapter by those under its names in
    /// [`adapter_parameters`](Self::adapter_parameters), row-major.
    ///
    /// # Errors
    /// [`Error::Config`] if an adapter's values are missing or their number differs.
    pub fn with_adapter_values(mut self, values: &BTreeMap<String, Vec<f32>>) -> Result<Self> {
        let device = self.device();
        let mut unusable = None;
        for_each_linear(&mut self, |linear, names| {
            let rows = linear.weight.dims()[0];
            for adapter in &mut linear.lora {
                let names = matrix_names(adapter, rows, &names);
                let params = [&mut adapter.lora_a, &mut adapter.lora_b];
                for (name, param) in names.into_iter().zip(params) {
                    let shape = param.dims();
                    match values.get(&name) {
                        Some(values) if values.len() == shape[0] * shape[1] => {
                            *param = parameter(values.clone(), shape, &device);
                        }
                        _ => unusable = Some(name),
                    }
                }
            }
        });
        match unusable {
            None => Ok(self),
            Some(name) => Err(Error::Config(format!(
                "the adapter `{name}` is missing or of another shape."
            ))),
        }
    }

    /// Returns the classifier under PEFT's names. It is trained whole, as PEFT's `modules_to_save`.
    pub fn classifier_parameters(&self) -> [NamedParameter; 2] {
        let Linear { weight, bias, .. } = &self.classifier;
        [
            ("weight", AnyParam::Matrix(weight.clone())),
            ("bias", AnyParam::Vector(bias.clone())),
        ]
        .map(|(suffix, param)| {
            NamedParameter::of(format!("{PEFT_PREFIX}classifier.{suffix}"), param)
        })
    }
}
