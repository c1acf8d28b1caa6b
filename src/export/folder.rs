//! The content of the folder: the files of each part.

use super::archive::Archive;
use super::entry::{Entry, pretty};
use super::onnx::{self, Precision};
use super::rows::RunRows;
use super::{
    Card, ExportPart, UnavailableReason, adapter, card, config, logs, refuse, scripts, tokenizer,
    weights,
};
use crate::Result;
use crate::bert::{BertConfig, BertForSequenceClassification, ClassifierPooling};
use crate::settings::{self, RunSettings, Values};
use crate::tokens::Tokenizer;
use crate::train::History;
use serde_json::Value;

/// The content of the folder.
pub struct Folder<'a> {
    /// The trained model.
    pub model: &'a BertForSequenceClassification,
    /// The model before the first step: the checkpoint's body with the head and the adapters that the run has drawn.
    pub initial: &'a BertForSequenceClassification,
    /// The `config.json` of the base model.
    pub config: &'a str,
    /// Whether the base model has a pooler. Adapters cannot be used with a base model without one, because each load
    /// of it draws another.
    pub base_has_pooler: bool,
    /// The tokenizer of the run.
    pub tokenizer: &'a Tokenizer,
    /// Label names by id.
    pub labels: &'a [String],
    /// The rows of the run.
    pub rows: RunRows<'a>,
    /// The settings of the run; those that are left out have their defaults.
    pub settings: &'a Values,
    /// The log of the run.
    pub history: &'a History,
    /// Whether the caller adds the files of kept checkpoints (`results`).
    pub has_checkpoints: bool,
    /// The text of the model card.
    pub card: Card<'a>,
}

impl<'a> Folder<'a> {
    /// Why a part cannot be exported; none if it can.
    pub fn unavailable(&self, part: ExportPart) -> Option<UnavailableReason> {
        match part {
            ExportPart::Model | ExportPart::Scripts | ExportPart::Logs => None,
            ExportPart::Adapter => self.adapters_unavailable(),
            ExportPart::Onnx | ExportPart::OnnxFp16 | ExportPart::OnnxQuantized => {
                let file = self.onnx_file(part);
                file.is_err().then_some(UnavailableReason::NotInOnnx)
            }
            ExportPart::Demo => self.unavailable(ExportPart::Onnx),
            ExportPart::Results => {
                (!self.has_checkpoints).then_some(UnavailableReason::NoCheckpoints)
            }
        }
    }

    fn adapters_unavailable(&self) -> Option<UnavailableReason> {
        if !self.model.has_adapters() {
            return Some(UnavailableReason::NoAdapters);
        }
        if self.model.pooling != ClassifierPooling::Cls {
            return Some(UnavailableReason::AdaptersOfMeanPooling);
        }
        (!self.base_has_pooler).then_some(UnavailableReason::AdaptersOfNewPooler)
    }

    /// The files of a part. Nothing is read back from the device before they are written.
    ///
    /// # Errors
    /// [`Error::Export`](crate::Error::Export) for a part that is not available and for labels that do not fit the
    /// model, [`Error::Config`](crate::Error::Config) or [`Error::Tokenizer`](crate::Error::Tokenizer) for an invalid
    /// file of the base model, [`Error::Setting`](crate::Error::Setting) for an invalid setting.
    pub fn part(&self, part: ExportPart) -> Result<Vec<Entry<'a>>> {
        if let Some(reason) = self.unavailable(part) {
            return Err(refuse(reason.sentence()));
        }
        match part {
            ExportPart::Model => self.model_files(),
            ExportPart::Adapter => self.adapter_files(),
            ExportPart::Onnx | ExportPart::OnnxFp16 | ExportPart::OnnxQuantized => {
                let mut file = self.onnx_file(part)?;
                let data = file.take_external_data();
                Ok([Some(file), data]
                    .into_iter()
                    .flatten()
                    .map(Entry::onnx)
                    .collect())
            }
            ExportPart::Scripts => scripts::files(self.initial, self.base_has_pooler, self.rows),
            ExportPart::Logs => logs::files(self.history),
            // The caller has the files of the demo and of checkpoints.
            ExportPart::Demo | ExportPart::Results => Ok(Vec::new()),
        }
    }

    /// The files of the chosen parts and of the model, in the order of the archive: weights last.
    ///
    /// # Errors
    /// As [`Folder::part`].
    pub fn files(&self, parts: &[ExportPart]) -> Result<Vec<Entry<'a>>> {
        let mut files = Vec::new();
        for part in ExportPart::ALL {
            if part == ExportPart::Model || parts.contains(&part) {
                files.extend(self.part(part)?);
            }
        }
        files.sort_by_key(Entry::is_weights);
        Ok(files)
    }

    /// Writes the archive of the chosen parts front to back. `sink` is called with consecutive pieces of at most a few
    /// megabytes.
    ///
    /// # Errors
    /// As [`Folder::part`]; [`Error::Device`](crate::Error::Device) if the device fails, and the errors of `sink`.
    pub async fn write(
        &self,
        parts: &[ExportPart],
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let files = self.files(parts)?;
        let mut archive = Archive::new(sink);
        for file in files {
            file.write(&mut archive).await?;
        }
        archive.finish()
    }

    fn model_files(&self) -> Result<Vec<Entry<'a>>> {
        let settings = settings::complete(self.settings)?;
        let content = card::Content {
            card: &self.card,
            labels: self.labels,
            pooling: self.model.pooling,
            has_adapter_folder: self.unavailable(ExportPart::Adapter).is_none(),
            rows: self.rows,
            settings: &settings,
            updates: self.history.step_logs().len(),
        };
        let mut files = vec![Entry::text("README.md", card::readme(&content))];
        let shared = self.shared_files()?.into_iter();
        files.extend(shared.map(|(name, text)| Entry::text(name, text)));
        files.extend([
            Entry::trainer_state(self.history)?,
            Entry::weights(
                "model.safetensors",
                weights::File::new(self.model.merged_parameters())?,
            ),
        ]);
        Ok(files)
    }

    /// Names and texts of the files that every saved model of the run has: `config.json`, the tokenizer, the settings.
    ///
    /// # Errors
    /// As [`Folder::part`].
    pub fn shared_files(&self) -> Result<Vec<(&'static str, String)>> {
        let settings = settings::complete(self.settings)?;
        let external_data = self.external_data();
        let config = config::exported(self.config, self.labels, self.model, &external_data)?;
        let mut files = vec![("config.json", config)];
        files.extend(tokenizer::files(self.tokenizer, self.config)?);
        files.push(("training_args.json", pretty(&Value::Object(settings))));
        Ok(files)
    }

    /// Names of the ONNX files whose weights are too large for them.
    fn external_data(&self) -> Vec<String> {
        let parts = ExportPart::ALL.into_iter().filter(|part| part.is_onnx());
        let files = parts.filter_map(|part| self.onnx_file(part).ok());
        let divided = files.filter_map(|mut file| {
            file.take_external_data()?;
            Some(file.name().to_string())
        });
        divided.collect()
    }

    fn onnx_file(&self, part: ExportPart) -> Result<onnx::File> {
        let precision = match part {
            ExportPart::OnnxFp16 => Precision::F16,
            ExportPart::OnnxQuantized => Precision::Int8,
            _ => Precision::F32,
        };
        onnx::File::new(
            &BertConfig::from_json(self.config)?,
            self.model.pooling,
            self.labels.len(),
            precision,
            self.model.merged_parameters(),
        )
    }

    /// LoRA's adapters alone: PEFT loads them into transformers' own classes.
    fn adapter_files(&self) -> Result<Vec<Entry<'a>>> {
        let lora = RunSettings::from_values(self.settings)?.tuning.lora;
        Ok(vec![
            Entry::text(
                "adapter/adapter_config.json",
                adapter::config(&lora, self.card.base_model),
            ),
            Entry::weights(
                "adapter/adapter_model.safetensors",
                adapter::weights(self.model)?,
            ),
        ])
    }
}
