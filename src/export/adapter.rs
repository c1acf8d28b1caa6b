//! LoRA's adapters as PEFT's folder: `adapter_config.json` and `adapter_model.safetensors`, for whoever has the base model already.

use super::{pretty, weights};
use crate::Result;
use crate::bert::{BertForSequenceClassification, LoraConfig};
use serde_json::json;

/// PEFT's `LoraConfig` of these adapters; what is not named has PEFT's default.
pub(super) fn config(lora: &LoraConfig, base_model: &str) -> String {
    pretty(&json!({
        "base_model_name_or_path": base_model,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "lora_alpha": lora.lora_alpha,
        "lora_dropout": 0.0,
        // The classifier is trained whole; PEFT names both of the names that transformers' classifiers have.
        "modules_to_save": ["classifier", "score"],
        "peft_type": "LORA",
        "r": lora.r,
        "target_modules": lora.target_modules.names(),
        "task_type": "SEQ_CLS",
        "use_dora": false,
        "use_rslora": false,
    }))
}

/// The adapters and the classifier.
///
/// # Errors
/// [`Error::Export`](crate::Error::Export) when the header cannot be made.
pub(super) fn weights(model: &BertForSequenceClassification) -> Result<weights::File> {
    let mut parameters = model.adapter_parameters();
    parameters.extend(model.classifier_parameters());
    weights::File::new(parameters)
}
