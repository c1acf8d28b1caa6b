//! The content of the folder: the files of each part.

use super::archive::Archive;
use super::entry::{Entry, pretty};
use super::{
    Card, ExportPart, UnavailableReason, adapter, card, config, refuse, scripts, tokenizer, weights,
};
use crate::Result;
use crate::bert::{BertForSequenceClassification, ClassifierPooling};
use crate::data::Row;
use crate::settings::{self, RunSettings, Values};
use crate::tokens::Tokenizer;
use crate::train::History;
use serde_json::Value;

/// The rows of a run, in the order of the run.
#[derive(Debug, Clone, Copy)]
pub struct RunRows<'a> {
    /// The rows that it trains on.
    pub train: &'a [&'a Row],
    /// The rows that its epochs are evaluated on; empty if they are evaluated on the test part.
    pub validation: &'a [&'a Row],
    /// The test part.
    pub test: &'a [&'a Row],
}

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
    /// The text of the model card.
    pub card: Card<'a>,
}

impl<'a> Folder<'a> {
    /// Why a part cannot be exported; none if it can.
    pub fn unavailable(&self, part: ExportPart) -> Option<UnavailableReason> {
        match part {
            ExportPart::Model | ExportPart::Scripts => None,
            ExportPart::Adapter => self.adapters_unavailable(),
            _ => Some(UnavailableReason::NotImplemented),
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
        match (part, self.unavailable(part)) {
            (_, Some(reason)) => Err(refuse(reason.sentence())),
            (ExportPart::Model, None) => self.model_files(),
            (ExportPart::Adapter, None) => self.adapter_files(),
            (ExportPart::Scripts, None) => {
                scripts::files(self.initial, self.base_has_pooler, self.rows)
            }
            // The page gives the files of the demo.
            (_, None) => Ok(Vec::new()),
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
        let mut files = vec![
            Entry::text("README.md", card::readme(self, &settings)),
            Entry::text(
                "config.json",
                config::exported(self.config, self.labels, self.model)?,
            ),
        ];
        let tokenizer = tokenizer::files(self.tokenizer, self.config)?.into_iter();
        files.extend(tokenizer.map(|(name, text)| Entry::text(name, text)));
        files.extend([
            Entry::text("training_args.json", pretty(&Value::Object(settings))),
            Entry::trainer_state(self.history)?,
            Entry::weights(
                "model.safetensors",
                weights::File::new(self.model.merged_parameters())?,
            ),
        ]);
        Ok(files)
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
