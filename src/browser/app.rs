//! What `www/worker.js` calls: one object that holds what the visitor has made so far, a method a request of `www/protocol.js`.
//!
//! Every method builds the new thing whole before it replaces the old one: a request that fails loses nothing.

use super::budget::{self, Budget};
use super::convert::{error, to_js, values};
use super::device::{self, Opened};
use super::environment::{BrowserEnvironment, services};
use super::model::{LoadedModel, Target, say};
use super::opfs::BrowserBlob;
use super::run::Run;
use super::views::{Credit, DatasetView, PredictView, RowsView, SplitView, TokensView};
use super::{clock, tokenized::Tokenized};
use crate::data::{Dataset, Row, Split, toy_dataset, train_test_split};
use crate::evaluate::probabilities;
use crate::hub::Source;
use crate::selftest::{self, SelfTest};
use crate::settings::RunSettings;
use crate::{Error, Result};
use burn::module::Module;
use js_sys::{Array, Function, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

/// The workflow's state on one device.
#[wasm_bindgen]
pub struct Webtune {
    pub(super) opened: Opened,
    /// What is known about its memory.
    pub(super) budget: Budget,
    /// What the start-up self-test found; training waits for it.
    pub(super) self_test: Option<SelfTest>,
    /// What it found in 16 bits, once a run asked for them.
    pub(super) fp16_test: Option<SelfTest>,
    pub(super) dataset: Option<Dataset>,
    pub(super) split: Option<Split>,
    pub(super) model: Option<LoadedModel>,
    pub(super) tokens: Option<Tokenized>,
    pub(super) run: Option<Run>,
}

#[derive(Serialize)]
struct SelfTestView<'a> {
    #[serde(flatten)]
    report: &'a SelfTest,
    ms: f64,
}

#[wasm_bindgen]
impl Webtune {
    /// Opens `webgpu`, `cpu`, or with `auto` the first of them that is there.
    ///
    /// # Errors
    /// A `WorkerError` when the device that was asked for cannot be had.
    pub async fn open(wanted: String) -> Result<Webtune, JsValue> {
        let opened = device::open(&wanted).await.map_err(error)?;
        Ok(Self {
            budget: budget::new(
                opened.gpu.clone(),
                opened.info.max_storage_buffer_binding_size,
            ),
            opened,
            self_test: None,
            fp16_test: None,
            dataset: None,
            split: None,
            model: None,
            tokens: None,
            run: None,
        })
    }

    /// `DeviceInfo`: what computes.
    ///
    /// # Errors
    /// A `WorkerError`.
    pub fn device(&self) -> Result<JsValue, JsValue> {
        to_js(&self.opened.info)
    }

    /// Compares this device with the CPU device (`SelfTest`).
    ///
    /// # Errors
    /// A `WorkerError` when the device fails outright.
    pub async fn self_test(&mut self) -> Result<JsValue, JsValue> {
        let started = clock::now();
        let report = selftest::run(&self.opened.device).await.map_err(error)?;
        let view = to_js(&SelfTestView {
            report: &report,
            ms: clock::now() - started,
        });
        self.self_test = Some(report);
        view
    }

    /// Compares this device with the CPU device parameter by parameter, and where it has `shader-f16`, in 16 bits too (`SelfTest`).
    /// `on_event` gets a `phase` event.
    ///
    /// # Errors
    /// A `WorkerError` when the device fails outright.
    pub async fn compare(&self, on_event: Function) -> Result<JsValue, JsValue> {
        say(&on_event, "compare");
        let started = clock::now();
        let device = &self.opened.device;
        let mut report = selftest::compare(device).await.map_err(error)?;
        if self.opened.info.shader_f16 {
            report.add(selftest::run_fp16(device).await.map_err(error)?);
        }
        to_js(&SelfTestView {
            report: &report,
            ms: clock::now() - started,
        })
    }

    /// Makes the toy dataset (`DatasetView`).
    ///
    /// # Errors
    /// A `WorkerError` for a setting out of bounds or rows that cannot be trained on.
    pub fn dataset(&mut self, settings: JsValue) -> Result<JsValue, JsValue> {
        let settings = read_settings(settings)?;
        let dataset = toy_dataset(settings.num_rows, settings.dataset_seed);
        dataset.check().map_err(error)?;
        let view = to_js(&DatasetView::new(&dataset))?;
        self.dataset = Some(dataset);
        (self.split, self.tokens) = (None, None);
        Ok(view)
    }

    /// Divides the rows (`SplitView`).
    ///
    /// # Errors
    /// A `WorkerError` when a part would be empty or cannot be stratified.
    pub fn split(&mut self, settings: JsValue) -> Result<JsValue, JsValue> {
        let settings = read_settings(settings)?;
        let dataset = self.need_dataset().map_err(error)?;
        let split = train_test_split(dataset, settings.split).map_err(error)?;
        let view = to_js(&SplitView::new(dataset, &split))?;
        self.split = Some(split);
        self.tokens = None;
        Ok(view)
    }

    /// Takes rows that are divided already, `{train, test, labels}`, as dataset and split (`{dataset: DatasetView, split: SplitView}`).
    ///
    /// # Errors
    /// A `WorkerError` for rows of another form or that cannot be trained on.
    pub fn rows(&mut self, given: JsValue) -> Result<JsValue, JsValue> {
        let given: GivenRows = serde_wasm_bindgen::from_value(given).map_err(|problem| {
            error(Error::Dataset(format!(
                "the rows are not {{train, test, labels}} ({problem})."
            )))
        })?;
        let train_rows = given.train.len();
        let dataset = Dataset {
            rows: [given.train, given.test].concat(),
            labels: given.labels,
        };
        dataset.check().map_err(error)?;
        let split = Split {
            train: (0..train_rows).collect(),
            test: (train_rows..dataset.rows.len()).collect(),
        };
        let view = to_js(&RowsView {
            dataset: DatasetView::new(&dataset),
            split: SplitView::new(&dataset, &split),
        })?;
        (self.dataset, self.split, self.tokens) = (Some(dataset), Some(split), None);
        Ok(view)
    }

    /// Fetches `config.json`, `tokenizer.json` (or `vocab.txt`) and the weights below `base` and builds the network (`ModelView`).
    /// `on_event` gets `download`, `retry` and `phase` events; `signal` stops it.
    ///
    /// # Errors
    /// A `WorkerError` that names the file, and the tensor where one is at fault.
    pub async fn load_model(
        &mut self,
        base: String,
        on_event: Function,
        signal: AbortSignal,
    ) -> Result<JsValue, JsValue> {
        let credit = Credit::of(&base);
        let source = Source::site(base, services(signal, &on_event).await);
        self.replace_model(source, credit, &on_event).await
    }

    /// Builds the network from a repository of the Hub, `owner/name` or `owner/name@revision`, and keeps its files for the next time
    /// (`ModelView`). `on_event` gets `pinned`, `download`, `retry`, `notice` and `phase` events; `signal` stops it.
    ///
    /// # Errors
    /// As [`Webtune::load_model`].
    pub async fn load_hub(
        &mut self,
        endpoint: String,
        repo: String,
        on_event: Function,
        signal: AbortSignal,
    ) -> Result<JsValue, JsValue> {
        say(&on_event, "hub");
        let services = services(signal, &on_event).await;
        let source = Source::hub(&endpoint, &repo, services).await;
        let source = source.map_err(error)?;
        let credit = match source.pin() {
            Some(pin) => Credit::of_hub(&pin),
            None => Credit::of(&repo),
        };
        self.replace_model(source, credit, &on_event).await
    }

    /// Builds the network from files of the visitor's disk, `[{path, blob}]`: one `.zip`, or the files of a folder called `name`
    /// (`ModelView`). `on_event` gets `phase` events.
    ///
    /// # Errors
    /// As [`Webtune::load_model`].
    pub async fn load_files(
        &mut self,
        name: String,
        files: Array,
        on_event: Function,
    ) -> Result<JsValue, JsValue> {
        let files = files.iter().filter_map(|file| {
            let path = Reflect::get(&file, &"path".into()).ok()?.as_string()?;
            let blob = Reflect::get(&file, &"blob".into()).ok()?;
            Some((path, BrowserBlob(blob.unchecked_into())))
        });
        let source = Source::files(files.collect()).map_err(error)?;
        self.replace_model(source, Credit::of_disk(&name), &on_event)
            .await
    }

    /// Tokenizes every row of both parts (`TokensView`).
    ///
    /// # Errors
    /// A `WorkerError` for rows that cannot be encoded, or a `max_length` that the model has no positions for.
    pub fn tokenize(&mut self, settings: JsValue) -> Result<JsValue, JsValue> {
        let settings = read_settings(settings)?;
        let (tokens, view) = self.encode_rows(&settings).map_err(error)?;
        let view = to_js(&view)?;
        self.tokens = Some(tokens);
        Ok(view)
    }

    /// Probabilities of a sentence before and after fine-tuning (`PredictResult`).
    ///
    /// # Errors
    /// A `WorkerError` when no model is loaded or the device fails.
    pub async fn predict(&self, text: String) -> Result<JsValue, JsValue> {
        let view = self.classify(&text).await.map_err(error)?;
        to_js(&view)
    }
}

/// Rows that the page has divided.
#[derive(Deserialize)]
struct GivenRows {
    train: Vec<Row>,
    test: Vec<Row>,
    labels: Vec<String>,
}

impl Webtune {
    /// Takes the model of a source in place of the one before (`ModelView`).
    async fn replace_model(
        &mut self,
        source: Source<BrowserEnvironment>,
        credit: Credit,
        on_event: &Function,
    ) -> Result<JsValue, JsValue> {
        let labels = self.dataset.as_ref().map(|dataset| dataset.labels.len());
        let device = self.opened.device.clone().autodiff();
        let target = Target {
            num_labels: labels.unwrap_or(2),
            device: &device,
            limits: self.opened.info.limits(),
        };
        let model = LoadedModel::load(source, credit, &target, on_event);
        let model = model.await.map_err(error)?;
        self.budget.set_in_use(model.parameter_bytes());
        let model = self.model.insert(model);
        // The network of the run before is another one now.
        (self.tokens, self.run) = (None, None);
        self.opened.device.memory_cleanup();
        to_js(&model.view())
    }

    pub(super) fn need_dataset(&self) -> Result<&Dataset> {
        self.dataset
            .as_ref()
            .ok_or_else(|| Error::NotReady("There is no dataset yet. Make it first.".into()))
    }

    pub(super) fn need_split(&self) -> Result<(&Dataset, &Split)> {
        let dataset = self.need_dataset()?;
        let split = self.split.as_ref();
        let split =
            split.ok_or_else(|| Error::NotReady("The split has not been made yet.".into()))?;
        Ok((dataset, split))
    }

    pub(super) fn need_model(&self) -> Result<&LoadedModel> {
        self.model
            .as_ref()
            .ok_or_else(|| Error::NotReady("No model is loaded yet. Load it first.".into()))
    }

    pub(super) fn need_tokens(&self) -> Result<&Tokenized> {
        self.tokens
            .as_ref()
            .ok_or_else(|| Error::NotReady("The rows have not been tokenized yet.".into()))
    }

    fn encode_rows(&self, settings: &RunSettings) -> Result<(Tokenized, TokensView)> {
        let (dataset, split) = self.need_split()?;
        let model = self.need_model()?;
        let most = model.network.bert.embeddings.max_length();
        if settings.max_length > most {
            return Err(Error::Setting {
                field: "max_length".into(),
                value: settings.max_length.to_string(),
                expected: format!("this model has positions for {most} tokens at most"),
            });
        }
        let tokens = Tokenized::new(dataset, split, &model.tokenizer, settings)?;
        let view = tokens.view(split, &model.tokenizer, settings);
        Ok((tokens, view))
    }

    async fn classify(&self, text: &str) -> Result<PredictView> {
        let model = self.need_model()?;
        let max_length = model.network.bert.embeddings.max_length();
        let encoding = model.tokenizer.encode(text, max_length)?;
        let pad = model.tokenizer.pad_token_id();
        let (before, after) = match &self.run {
            Some(run) => (&run.initial, Some(run.trainer.model()?)),
            None => (&model.network, None),
        };
        let before = probabilities(&before.valid(), &encoding, pad).await?;
        let after = match after {
            Some(network) => Some(probabilities(&network.valid(), &encoding, pad).await?),
            None => None,
        };
        Ok(PredictView {
            tokens: model.tokenizer.tokens(&encoding.input_ids),
            truncated: encoding.truncated,
            before,
            after,
        })
    }
}

/// The settings of a request, checked.
pub(super) fn read_settings(object: JsValue) -> Result<RunSettings, JsValue> {
    RunSettings::from_values(&values(object)?).map_err(error)
}
