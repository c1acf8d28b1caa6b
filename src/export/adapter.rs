//! LoRA's adapters in the [format of PEFT](https://huggingface.co/docs/peft/developer_guides/checkpoint):
//! `adapter_config.json` and `adapter_model.safetensors`, to be used with the base model.

use super::entry::pretty;
use super::weights;
use crate::Result;
use crate::bert::{BertForSequenceClassification, LoraConfig};
use serde_json::json;

/// PEFT's `LoraConfig` of these adapters; fields that are left out have PEFT's defaults.
pub(super) fn config(lora: &LoraConfig, base_model: &str) -> String {
    pretty(&json!({
        "base_model_name_or_path": base_model,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "lora_alpha": lora.lora_alpha,
        "lora_dropout": 0.0,
        // The classifier has no adapter and is saved as a whole. PEFT lists both names of transformers' classifiers.
        "modules_to_save": ["classifier", "score"],
        "peft_type": "LORA",
        "r": lora.r,
        "target_modules": lora.target_modules.names(),
        "task_type": "SEQ_CLS",
        "use_dora": false,
        "use_rslora": false,
    }))
}

/// The file of the adapters and the classifier.
///
/// # Errors
/// [`Error::Export`](crate::Error::Export) for a header that cannot be written.
pub(super) fn weights(model: &BertForSequenceClassification) -> Result<weights::File> {
    let mut parameters = model.adapter_parameters();
    parameters.extend(model.classifier_parameters());
    weights::File::new(parameters)
}
