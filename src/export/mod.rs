//! The trained model as a Hugging Face folder in a `.zip`, handed out piece by piece.
//!
//! Whoever calls [`Folder::write`] passes a sink for the bytes: a file, or the browser's `Blob` parts. Weights are read from the device
//! a few million values at a time, so neither the model nor the archive is ever in memory whole. The same run gives the same bytes:
//! no clock is asked.
//!
//! What LoRA's adapters learned is in the folder twice: merged into the weights, so that the folder is a whole model, and below `adapter/`
//! as PEFT has it.

mod adapter;
mod archive;
mod card;
mod config;
mod tokenizer;
mod weights;

pub use card::Card;

use crate::bert::BertForSequenceClassification;
use crate::settings::{self, RunSettings, Values};
use crate::tokens::Tokenizer;
use crate::train::History;
use crate::{Error, Result};
use archive::Archive;
use serde_json::Value;

/// Everything that the folder says.
pub struct Folder<'a> {
    /// The trained model.
    pub model: &'a BertForSequenceClassification,
    /// The base model's own `config.json`.
    pub config: &'a str,
    /// The tokenizer of the run.
    pub tokenizer: &'a Tokenizer,
    /// Label names by id.
    pub labels: &'a [String],
    /// The settings of the run; what is not named had its default.
    pub settings: &'a Values,
    /// What the run logged.
    pub history: &'a History,
    /// What the model card adds.
    pub card: &'a Card<'a>,
}

impl Folder<'_> {
    /// Writes the archive from its first byte to its last and gives each file's name and bytes. `sink` is given one piece after another,
    /// each at most a few megabytes.
    ///
    /// # Errors
    /// [`Error::Export`] for labels that do not fit the model, [`Error::Config`] or [`Error::Tokenizer`] for a file of the base model that
    /// is not what it should be, [`Error::Setting`], [`Error::Device`] from the device, and whatever `sink` answers.
    pub async fn write(
        &self,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Vec<(String, u64)>> {
        let settings = settings::complete(self.settings)?;
        let merged = self.model.merged();
        let mut weights = vec![(
            "model.safetensors",
            weights::File::new(merged.named_parameters())?,
        )];
        let mut files = vec![
            ("README.md", card::readme(self, &settings)),
            (
                "config.json",
                config::exported(self.config, self.labels, self.model.num_labels())?,
            ),
        ];
        files.extend(tokenizer::files(self.tokenizer, self.config)?);
        files.push(("training_args.json", pretty(&Value::Object(settings))));
        files.push(("trainer_state.json", pretty(&self.history.trainer_state())));
        if self.model.has_adapters() {
            let lora = RunSettings::from_values(self.settings)?.tuning.lora;
            files.push((
                "adapter/adapter_config.json",
                adapter::config(&lora, self.card.base_model),
            ));
            weights.push((
                "adapter/adapter_model.safetensors",
                adapter::weights(self.model)?,
            ));
        }

        let mut archive = Archive::new(sink);
        let mut written = Vec::new();
        for (name, text) in files {
            archive.start(name, text.len() as u64)?;
            archive.write(text.as_bytes())?;
            written.push((name.to_string(), text.len() as u64));
        }
        for (name, file) in weights {
            archive.start(name, file.len())?;
            written.push((name.to_string(), file.len()));
            file.write(&mut |piece| archive.write(piece)).await?;
        }
        archive.finish()?;
        Ok(written)
    }
}

/// JSON for people, as Python's `json.dumps(indent=2)` writes it.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn refuse(problem: impl Into<String>) -> Error {
    Error::Export(problem.into())
}
