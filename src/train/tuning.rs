//! Which parameters of the network learn: all of them, those above some frozen layers, the classifier alone, or LoRA's adapters.

use crate::bert::{BertForSequenceClassification, LoraConfig};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the network is fine-tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TuningMethod {
    /// Every parameter that is not frozen.
    Full,
    /// PEFT's LoRA: adapters beside frozen layers, and the classifier.
    Lora,
    /// The classifier alone.
    Head,
}

/// What learns, and what stays as the checkpoint has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// The method.
    pub method: TuningMethod,
    /// Rank, scaling and layers of the adapters, where the method has some.
    pub lora: LoraConfig,
    /// With [`TuningMethod::Full`]: the embeddings stay as they are.
    pub freeze_embeddings: bool,
    /// With [`TuningMethod::Full`]: so do they and the first encoder layers, this many.
    pub freeze_layers: usize,
}

impl Tuning {
    /// Prepares a network for the run: freezes, and puts adapters drawn with `seed`.
    ///
    /// # Errors
    /// [`Error::Setting`] when more layers are to be frozen than there are.
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
