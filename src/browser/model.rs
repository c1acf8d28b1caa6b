//! A model folder becomes a tokenizer and a network.

use super::environment::BrowserEnvironment;
use super::progress::send;
use super::views::{Credit, ModelView};
use crate::Result;
use crate::bert::{
    BertConfig, BertForSequenceClassification, LoadLimits, LoadReport, WeightsLoader,
};
use crate::bert::{INDEX_FILE, ShardIndex};
use crate::hub::{LoadEvent, Source, pickle_refused};
use crate::io::ByteSource;
use crate::tokens::{Tokenizer, VocabSettings};
use burn::module::Module;
use burn::tensor::Device;
use js_sys::Function;

/// Seed of the head that is on the model until a run draws its own.
const HEAD_SEED: u32 = 42;

/// Where older checkpoints have their weights.
const PICKLE_FILE: &str = "pytorch_model.bin";

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

/// What a model is built for.
pub(super) struct Target<'a> {
    /// Classes of its head.
    pub num_labels: usize,
    pub device: &'a Device,
    pub limits: LoadLimits,
}

type BrowserSource = Source<BrowserEnvironment>;

impl LoadedModel {
    /// Reads the files of `source`, telling `on_event` what it is doing.
    pub(super) async fn load(
        mut source: BrowserSource,
        credit: Credit,
        target: &Target<'_>,
        on_event: &Function,
    ) -> Result<Self> {
        let read =
            async |source: &mut BrowserSource| Self::read(source, &credit, target, on_event).await;
        source.build(read).await
    }

    async fn read(
        source: &mut BrowserSource,
        credit: &Credit,
        target: &Target<'_>,
        on_event: &Function,
    ) -> Result<Self> {
        say(on_event, "config");
        let config_json = source.open("config.json").await?.text().await?;
        let config = BertConfig::from_json(&config_json)?;
        say(on_event, "tokenizer");
        let tokenizer = Self::tokenizer(source).await?;
        say(on_event, "weights");
        let loader = WeightsLoader {
            config: &config,
            num_labels: target.num_labels,
            seed: HEAD_SEED,
            device: target.device,
            limits: target.limits,
        };
        let (network, report) = Self::weights(source, &loader).await?;
        Ok(Self {
            credit: credit.clone(),
            report,
            config_json,
            config,
            tokenizer,
            network,
        })
    }

    /// `tokenizer.json`, or where a checkpoint is older `vocab.txt`, used as `tokenizer_config.json` says.
    async fn tokenizer(source: &mut BrowserSource) -> Result<Tokenizer> {
        if let Some(file) = source.open_if_there("tokenizer.json").await? {
            return Tokenizer::from_json(&file.text().await?);
        }
        let Some(vocab) = source.open_if_there("vocab.txt").await? else {
            return Err(source.missing("tokenizer.json"));
        };
        let vocab = vocab.text().await?;
        let settings = match source.open_if_there("tokenizer_config.json").await? {
            Some(file) => VocabSettings::from_json(&file.text().await?)?,
            None => VocabSettings::default(),
        };
        Tokenizer::from_vocab(&vocab, &settings)
    }

    /// `model.safetensors`, or the shards that an index names.
    async fn weights(
        source: &mut BrowserSource,
        loader: &WeightsLoader<'_>,
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let name = "model.safetensors";
        if let Some(mut file) = source.open_if_there(name).await? {
            let loaded = loader.load(&mut file).await?;
            file.finish().await?;
            return Ok(loaded);
        }
        if let Some(index) = source.open_if_there(INDEX_FILE).await? {
            let index = ShardIndex::from_json(&index.text().await?)?;
            let open = async |file: &str| source.open(file).await;
            return loader.load_shards(&index, open).await;
        }
        if source.has(PICKLE_FILE).await? {
            return Err(pickle_refused(PICKLE_FILE));
        }
        Err(source.missing(name))
    }

    /// The network with the head that a run starts with: the checkpoint's own where it has one of this many labels, else a new one.
    pub(super) fn with_head(&self, num_labels: usize, seed: u32) -> BertForSequenceClassification {
        let network = self.network.clone();
        if self.report.has_classifier && network.num_labels() == num_labels {
            return network;
        }
        network.with_new_head(num_labels, self.config.initializer_range, seed)
    }

    /// Bytes of its parameters on the device, which are in f32 whatever they are in the file.
    pub(super) fn parameter_bytes(&self) -> u64 {
        4 * self.network.num_params() as u64
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
    send(on_event, &LoadEvent::Phase { phase });
}
