//! The trained model as an archive.

use super::protocol::{ExportResult, ExportedFile};
use super::{Listener, Session};
use crate::data::count_labels;
use crate::export::{Card, Folder};
use crate::hub::Environment;
use crate::train::MemoryProbe;
use crate::{Error, Result};

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Writes the trained model as a Hugging Face folder in a `.zip`, piece by piece to the listener.
    ///
    /// # Errors
    /// [`Error::NotReady`] when nothing was trained, [`Error::Device`], and the listener's error.
    pub(super) async fn export_folder(&self, listener: &dyn Listener) -> Result<ExportResult> {
        let run = self.run.as_ref().filter(|run| run.trained().is_some());
        let run = run.ok_or_else(|| {
            Error::NotReady(
                "Nothing was trained yet, so there is no model to export. Train first.".into(),
            )
        })?;
        let model = self.require_model()?;
        let counts = |part: &[usize]| {
            let rows = part.iter().map(|&row| &run.dataset.rows[row]);
            count_labels(rows, run.dataset.labels.len())
        };
        let name = format!("{}-{}", model.origin.name, run.dataset.labels.join("-"));
        let card = Card {
            name: &name,
            base_model: &model.origin.base_model,
            license: &model.origin.license,
            language: None,
            dataset: "Rows of text and label, divided into a training and a test part",
            train_label_counts: &counts(&run.split.train),
            test_label_counts: &counts(&run.split.test),
            evaluation: run.evaluation().map(|(_, evaluation)| evaluation),
        };
        let folder = Folder {
            model: run.trainer.model()?,
            config: &model.config_json,
            base_has_pooler: model.has_pooler(),
            tokenizer: &model.tokenizer,
            labels: &run.dataset.labels,
            settings: &run.values,
            history: &run.history,
            card: &card,
        };
        let mut bytes = 0;
        let mut sink = |piece: &[u8]| {
            bytes += piece.len() as u64;
            listener.piece(piece)
        };
        let files = folder.write(&mut sink).await?;
        let files = files
            .into_iter()
            .map(|(name, bytes)| ExportedFile { name, bytes });
        Ok(ExportResult {
            file: format!("{name}.zip"),
            files: files.collect(),
            bytes,
        })
    }
}
