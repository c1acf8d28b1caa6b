//! Export of the trained model as a Hugging Face folder in a `.zip`, as a stream of bytes.
//!
//! The caller of [`Folder::write`] passes a sink for the bytes: a file, or the parts of a browser's `Blob`. Weights are
//! read back from the device a few million values at a time. Neither the model nor the archive is ever in memory as a
//! whole. The archive contains no time stamps, so that the same run gives the same bytes.
//!
//! LoRA's adapters are exported twice: merged into the weights, so that the folder is a complete model, and in
//! `adapter/` in PEFT's format, which needs the base model.

mod adapter;
mod archive;
mod card;
mod config;
mod tokenizer;
mod weights;

pub use card::Card;
pub(crate) use weights::File as WeightsFile;

use crate::bert::{BertForSequenceClassification, ClassifierPooling};
use crate::settings::{self, RunSettings, Values};
use crate::tokens::Tokenizer;
use crate::train::History;
use crate::{Error, Result};
use archive::Archive;
use serde_json::Value;

/// The content of the folder.
pub struct Folder<'a> {
    /// The trained model.
    pub model: &'a BertForSequenceClassification,
    /// The `config.json` of the base model.
    pub config: &'a str,
    /// Whether the base model has a pooler. Adapters cannot be used with a base model without one, because each load
    /// of it draws another.
    pub base_has_pooler: bool,
    /// The tokenizer of the run.
    pub tokenizer: &'a Tokenizer,
    /// Label names by id.
    pub labels: &'a [String],
    /// The settings of the run; those that are left out have their defaults.
    pub settings: &'a Values,
    /// The log of the run.
    pub history: &'a History,
    /// The text of the model card.
    pub card: &'a Card<'a>,
}

impl Folder<'_> {
    /// Whether the adapters are also exported alone: PEFT loads them into transformers' own classes.
    fn has_adapter_folder(&self) -> bool {
        let is_plain = self.model.pooling == ClassifierPooling::Cls;
        self.model.has_adapters() && self.base_has_pooler && is_plain
    }

    /// Writes the archive front to back and returns the name and bytes of each file. `sink` is called with consecutive
    /// parts of at most a few megabytes.
    ///
    /// # Errors
    /// [`Error::Export`] for labels that do not fit the model, [`Error::Config`] or [`Error::Tokenizer`] for an invalid
    /// file of the base model, [`Error::Setting`] for an invalid setting, [`Error::Device`] if the device fails, and
    /// the errors of `sink`.
    pub async fn write(
        &self,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Vec<(String, u64)>> {
        let settings = settings::complete(self.settings)?;
        let mut weights = vec![(
            "model.safetensors",
            weights::File::new(self.model.merged_parameters())?,
        )];
        let mut files = vec![
            ("README.md", card::readme(self, &settings)),
            (
                "config.json",
                config::exported(self.config, self.labels, self.model)?,
            ),
        ];
        files.extend(tokenizer::files(self.tokenizer, self.config)?);
        files.push(("training_args.json", pretty(&Value::Object(settings))));
        if self.has_adapter_folder() {
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
        let name = "trainer_state.json";
        let bytes = archive.write_json(name, &self.history.trainer_state())?;
        written.push((name.to_string(), bytes));
        for (name, file) in weights {
            archive.start(name, file.len())?;
            written.push((name.to_string(), file.len()));
            file.write(&mut |piece| archive.write(piece)).await?;
        }
        archive.finish()?;
        Ok(written)
    }
}

/// Indented JSON, as `json.dumps(indent=2)` of Python.
fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn refuse(problem: impl Into<String>) -> Error {
    Error::Export(problem.into())
}
