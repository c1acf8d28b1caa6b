//! Which parameters of the network are trainable: all, those above some frozen layers, the classifier alone, or LoRA's
//! adapters.

use crate::bert::{BertForSequenceClassification, LoraConfig};
use crate::{Error, Result};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// How the network is fine-tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuningMethod {
    /// Every parameter that is not frozen.
    Full,
    /// Adapters beside frozen layers, and the classifier: [PEFT's
    /// LoRA](https://huggingface.co/docs/peft/package_reference/lora).
    Lora,
    /// The classifier alone.
    Head,
}

/// Which parameters are trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// The method.
    pub method: TuningMethod,
    /// Rank, scaling and layers of the adapters, for [`TuningMethod::Lora`].
    pub lora: LoraConfig,
    /// With [`TuningMethod::Full`]: the embeddings are frozen.
    pub freeze_embeddings: bool,
    /// With [`TuningMethod::Full`]: if above 0, the embeddings and this many of the first encoder layers are frozen.
    pub freeze_layers: usize,
}

impl Tuning {
    /// Freezes parameters of the network, or adds adapters with random values of `seed`.
    ///
    /// # Errors
    /// [`Error::Setting`] for more frozen layers than the network has.
    pub fn apply(
        &self,
        model: BertForSequenceClassification,
        seed: u32,
    ) -> Result<BertForSequenceClassification> {
        let layers = model.bert.encoder.layer.len();
        match self.method {
            TuningMethod::Full if self.freeze_layers > layers => Err(Error::Setting {
                field: "freeze_layers".into(),
                value: self.freeze_layers.to_string(),
                expected: format!("this model has {layers} encoder layers"),
            }),
            TuningMethod::Full => Ok(model.freeze(self.freeze_embeddings, self.freeze_layers)),
            TuningMethod::Lora => Ok(model.with_lora(&self.lora, seed)),
            TuningMethod::Head => Ok(model.head_only()),
        }
    }
}

/// The number of values of all parameters that are trained, as PEFT's `get_nb_trainable_parameters`.
pub fn trainable_parameters(model: &BertForSequenceClassification) -> usize {
    let mut counter = TrainableCounter { values: 0 };
    model.visit(&mut counter);
    counter.values
}

/// Counts the values of parameters that require a gradient.
struct TrainableCounter {
    values: usize,
}

impl ModuleVisitor for TrainableCounter {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.val().is_require_grad() {
            self.values += param.shape().num_elements();
        }
    }
}
