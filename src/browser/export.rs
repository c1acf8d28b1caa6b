//! The model that was trained, as an archive, piece by piece to the page.

use super::app::Webtune;
use super::convert::{error, to_js};
use super::views::{ExportView, ExportedFile};
use crate::data::count_labels;
use crate::export::{Card, Folder};
use crate::{Error, Result};
use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
impl Webtune {
    /// Writes the trained model as a Hugging Face folder in a zip; `on_piece` gets one `Uint8Array` after another.
    ///
    /// # Errors
    /// A `WorkerError` when nothing was trained, the device failed, or the page refused a piece.
    pub async fn export_folder(&self, on_piece: Function) -> Result<JsValue, JsValue> {
        let view = self.write_folder(&on_piece).await.map_err(error)?;
        to_js(&view)
    }
}

impl Webtune {
    async fn write_folder(&self, on_piece: &Function) -> Result<ExportView> {
        let nothing = || {
            Error::NotReady(
                "Nothing was trained yet, so there is no model to take home. Train first.".into(),
            )
        };
        let run = self.run.as_ref().ok_or_else(nothing)?;
        if run.trainer.state().global_step == 0 {
            return Err(nothing());
        }
        let model = self.need_model()?;
        let counts = |part: &[usize]| {
            let rows = part.iter().map(|&row| &run.dataset.rows[row]);
            count_labels(rows, run.dataset.labels.len())
        };
        let name = format!("{}-{}", model.credit.name, run.dataset.labels.join("-"));
        let card = Card {
            name: &name,
            base_model: &model.credit.base_model,
            license: &model.credit.license,
            language: None,
            dataset: "Rows of text and label, divided into a training and a test part",
            train_label_counts: &counts(&run.train),
            test_label_counts: &counts(&run.test),
            evaluation: run.evaluation.as_ref(),
        };
        let folder = Folder {
            model: run.trainer.model()?,
            config: &model.config_json,
            tokenizer: &model.tokenizer,
            labels: &run.dataset.labels,
            settings: &run.values,
            history: &run.history,
            card: &card,
        };
        let mut bytes = 0;
        let files = folder
            .write(&mut |piece| {
                bytes += piece.len() as u64;
                on_piece
                    .call1(&JsValue::NULL, &Uint8Array::from(piece))
                    .map(drop)
                    .map_err(|_| Error::Export("the page did not take it.".into()))
            })
            .await?;
        Ok(ExportView {
            file: format!("{name}.zip"),
            bytes,
            files: files
                .into_iter()
                .map(|(name, bytes)| ExportedFile { name, bytes })
                .collect(),
        })
    }
}
