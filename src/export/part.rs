//! The parts of an exported folder, which the visitor chooses.

use serde::{Deserialize, Serialize};

/// A part of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ExportPart {
    /// The model as transformers saves it, its tokenizer, settings and log. It is always exported.
    Model,
    /// LoRA's adapters alone, for PEFT.
    Adapter,
    /// The model for ONNX Runtime, in f32.
    Onnx,
    /// The same with weights in f16.
    OnnxFp16,
    /// The same with weights of 8 bits.
    OnnxQuantized,
    /// A page that classifies with the smallest ONNX model of the folder.
    Demo,
    /// The run as a script for transformers' Trainer, with its rows.
    Scripts,
    /// The log of the run for TensorBoard and as tables.
    Logs,
    /// The checkpoints that the run has kept.
    Results,
}

impl ExportPart {
    /// Every part, in the order of the form.
    pub const ALL: [Self; 9] = [
        Self::Model,
        Self::Adapter,
        Self::Onnx,
        Self::OnnxFp16,
        Self::OnnxQuantized,
        Self::Demo,
        Self::Scripts,
        Self::Logs,
        Self::Results,
    ];

    /// Whether it is a model for ONNX Runtime, one of which the demo needs.
    pub fn is_onnx(self) -> bool {
        matches!(self, Self::Onnx | Self::OnnxFp16 | Self::OnnxQuantized)
    }
}

/// Why a part cannot be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum UnavailableReason {
    /// The run has trained no adapters.
    NoAdapters,
    /// PEFT cannot load the adapters into transformers' own classes: the classifier gets the mean of the hidden states.
    AdaptersOfMeanPooling,
    /// The checkpoint has no pooler, and each load of it draws another: the adapters belong to one of them.
    AdaptersOfNewPooler,
    /// ONNX has no operation for an activation of the model.
    NotInOnnx,
    /// The run has kept no checkpoints (`save_strategy`).
    NoCheckpoints,
}

impl UnavailableReason {
    /// The end of the sentence "The model cannot be exported: …".
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::NoAdapters => "the run has trained no adapters.",
            Self::AdaptersOfMeanPooling => {
                "adapters of a classifier on the mean of the hidden states cannot be loaded by PEFT alone."
            }
            Self::AdaptersOfNewPooler => {
                "the checkpoint has no pooler, so its adapters fit only the pooler of this run."
            }
            Self::NotInOnnx => "ONNX cannot compute an activation of this model.",
            Self::NoCheckpoints => "the run has kept no checkpoints.",
        }
    }
}
