//! A model folder becomes a tokenizer and a network.

use super::convert::to_js;
use super::source::Source;
use super::views::{Credit, ModelView};
use crate::bert::{BertConfig, BertForSequenceClassification, LoadReport, WeightsLoader};
use crate::tokens::Tokenizer;
use crate::{Error, Result};
use burn::module::Module;
use burn::tensor::Device;
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::JsValue;

/// Seed of the head that is on the model until a run draws its own.
const HEAD_SEED: u32 = 42;

/// A checkpoint on the device.
pub(super) struct LoadedModel {
    pub credit: Credit,
    report: LoadReport,
    pub config_json: String,
    pub config: BertConfig,
    pub tokenizer: Tokenizer,
    /// The pretrained network as it was loaded; training works on a copy.
    pub network: BertForSequenceClassification,
}

#[derive(Serialize)]
struct Phase {
    kind: &'static str,
    phase: &'static str,
}

impl LoadedModel {
    /// Reads the files of `source`, telling `on_event` what it is doing.
    pub(super) async fn load(
        mut source: Source,
        credit: Credit,
        num_labels: usize,
        device: &Device,
        on_event: &Function,
    ) -> Result<Self> {
        say(on_event, "config");
        let config_json = source.open("config.json").await?.text().await?;
        let config = BertConfig::from_json(&config_json)?;
        say(on_event, "tokenizer");
        let tokenizer = Self::tokenizer(&mut source).await?;
        say(on_event, "weights");
        let mut file = source.open("model.safetensors").await?;
        let loader = WeightsLoader {
            config: &config,
            num_labels,
            seed: HEAD_SEED,
            device,
        };
        let (network, report) = loader.load(&mut file).await?;
        file.finish().await?;
        Ok(Self {
            credit,
            report,
            config_json,
            config,
            tokenizer,
            network,
        })
    }

    /// `tokenizer.json`, or `vocab.txt` where a checkpoint is older than the former.
    async fn tokenizer(source: &mut Source) -> Result<Tokenizer> {
        match source.open("tokenizer.json").await {
            Ok(file) => Tokenizer::from_json(&file.text().await?),
            Err(missing @ Error::Download { .. }) => match source.open("vocab.txt").await {
                Ok(file) => Tokenizer::from_vocab(&file.text().await?, true),
                Err(_) => Err(missing),
            },
            Err(other) => Err(other),
        }
    }

    /// The network with the head that a run starts with: the checkpoint's own where it has one of this many labels, else a new one.
    pub(super) fn with_head(&self, num_labels: usize, seed: u32) -> BertForSequenceClassification {
        let network = self.network.clone();
        if self.report.has_classifier && network.num_labels() == num_labels {
            return network;
        }
        network.with_new_head(num_labels, self.config.initializer_range, seed)
    }

    pub(super) fn view(&self) -> ModelView<'_> {
        ModelView::new(
            &self.credit,
            &self.report,
            self.network.num_params(),
            &self.config,
        )
    }
}

pub(super) fn say(on_event: &Function, phase: &'static str) {
    let event = Phase {
        kind: "phase",
        phase,
    };
    if let Ok(event) = to_js(&event) {
        // A page that does not listen any more loses nothing.
        let _ = on_event.call1(&JsValue::NULL, &event);
    }
}
