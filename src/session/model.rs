//! The model: a folder of files becomes a tokenizer and a network.

use super::protocol::{ModelOrigin, ModelView, SessionEvent};
use super::{Listener, Session, VisitorFile};
use crate::Result;
use crate::bert::{
    BertConfig, BertForSequenceClassification, INDEX_FILE, LoadLimits, LoadReport, ShardIndex,
    WeightsLoader, parameter_bytes,
};
use crate::hub::{Environment, LoadEvent, Services, Source, pickle_refused};
use crate::io::ByteSource;
use crate::tokens::{Tokenizer, VocabSettings};
use crate::train::{MemoryBudget, MemoryProbe};
use burn::module::Module;
use burn::tensor::Device;
use std::rc::Rc;

/// Seed of the head that a model has until a run draws its own.
pub(crate) const HEAD_SEED: u32 = 42;

/// Labels of that head before there is a dataset.
pub(crate) const NUM_LABELS: usize = 2;

/// Weights of checkpoints that have no safetensors file.
const PICKLE_FILE: &str = "pytorch_model.bin";

/// A checkpoint on the device.
pub(super) struct LoadedModel {
    pub origin: ModelOrigin,
    report: LoadReport,
    pub config_json: String,
    pub config: BertConfig,
    pub tokenizer: Tokenizer,
    /// The pretrained network. Training works on a copy.
    pub network: BertForSequenceClassification,
}

/// The network that is to be built.
struct Target<'a, M> {
    num_labels: usize,
    device: &'a Device,
    limits: LoadLimits,
    /// Checked before weights are read beside a model that is loaded; none for the first model.
    memory: Option<&'a MemoryBudget<M>>,
}

type OnEvent = Rc<dyn Fn(LoadEvent)>;

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Loads a model from a folder of the page's site: `config.json`, `tokenizer.json` or `vocab.txt`, and the weights.
    ///
    /// # Errors
    /// The error names the file, and the tensor where one is at fault.
    pub(super) async fn load_site(
        &mut self,
        base: String,
        fetch: E::Fetch,
        listener: &Rc<dyn Listener>,
    ) -> Result<ModelView> {
        let origin = ModelOrigin::site(&base);
        let services = self.services(fetch, listener);
        let on_event = services.on_event.clone();
        self.replace_model(Source::site(base, services), origin, &on_event)
            .await
    }

    /// Loads a model from a repository of a Hub and stores its files.
    ///
    /// # Errors
    /// As for a folder of the site.
    pub(super) async fn load_hub(
        &mut self,
        endpoint: &str,
        repo: &str,
        fetch: E::Fetch,
        listener: &Rc<dyn Listener>,
    ) -> Result<ModelView> {
        let services = self.services(fetch, listener);
        let on_event = services.on_event.clone();
        on_event(LoadEvent::Phase { phase: "hub" });
        let (source, pin) = Source::hub(endpoint, repo, services).await?;
        self.replace_model(source, ModelOrigin::hub(&pin), &on_event)
            .await
    }

    /// Loads a model from files of the visitor's disk: one `.zip`, or the files of a folder called `name`.
    ///
    /// # Errors
    /// As for a folder of the site.
    pub async fn load_files(
        &mut self,
        name: &str,
        files: Vec<VisitorFile<E>>,
        listener: &Rc<dyn Listener>,
    ) -> Result<ModelView> {
        let source = Source::<E>::files(files, BertConfig::names_bert)?;
        let origin = ModelOrigin::disk(source.folder_name().unwrap_or(name));
        self.replace_model(source, origin, &load_events(listener))
            .await
    }

    fn services(&self, fetch: E::Fetch, listener: &Rc<dyn Listener>) -> Services<E> {
        Services {
            fetch,
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            on_event: load_events(listener),
        }
    }

    async fn replace_model(
        &mut self,
        source: Source<E>,
        origin: ModelOrigin,
        on_event: &OnEvent,
    ) -> Result<ModelView> {
        let labels = self.dataset.as_ref().map(|held| held.rows.labels.len());
        let device = self.compute.device.clone().autodiff();
        let target = Target {
            num_labels: labels.unwrap_or(NUM_LABELS),
            device: &device,
            limits: self.compute.info.limits(),
            memory: self.model.as_ref().map(|_| &self.compute.memory),
        };
        // The buffers of the last run may be what the model lacks.
        self.free_unused();
        let model = LoadedModel::load(source, origin, &target, on_event).await;
        let model = self.checked(model).await;
        if model.is_err() {
            // The part that was loaded would stay allocated.
            self.compute.device.memory_cleanup();
        }
        let model = model?;
        let view = model.view();
        let bytes = model.parameter_bytes();
        self.model = Some(model);
        // A run belongs to the model that it was made from.
        (self.tokens, self.run, self.previous) = (None, None, None);
        self.compute.device.memory_cleanup();
        self.compute.memory.set_in_use(bytes);
        Ok(view)
    }
}

fn load_events(listener: &Rc<dyn Listener>) -> OnEvent {
    let listener = Rc::clone(listener);
    Rc::new(move |event| listener.event(SessionEvent::Load(event)))
}

impl LoadedModel {
    async fn load<E: Environment, M: MemoryProbe>(
        mut source: Source<E>,
        origin: ModelOrigin,
        target: &Target<'_, M>,
        on_event: &OnEvent,
    ) -> Result<Self> {
        let read =
            async |source: &mut Source<E>| Self::read(source, &origin, target, on_event).await;
        source.build(read).await
    }

    async fn read<E: Environment, M: MemoryProbe>(
        source: &mut Source<E>,
        origin: &ModelOrigin,
        target: &Target<'_, M>,
        on_event: &OnEvent,
    ) -> Result<Self> {
        on_event(LoadEvent::Phase { phase: "config" });
        let config_json = source.open("config.json").await?.text().await?;
        let config = BertConfig::from_json(&config_json)?;
        on_event(LoadEvent::Phase { phase: "tokenizer" });
        let tokenizer = Self::tokenizer(source).await?;
        tokenizer.check_vocab_size(config.vocab_size)?;
        on_event(LoadEvent::Phase { phase: "weights" });
        if let Some(memory) = target.memory {
            let bytes = parameter_bytes(&config, target.num_labels);
            memory.check_model(bytes).await?;
        }
        let loader = WeightsLoader {
            config: &config,
            num_labels: target.num_labels,
            seed: HEAD_SEED,
            device: target.device,
            limits: target.limits,
        };
        let (network, report) = Self::weights(source, &loader).await?;
        Ok(Self {
            origin: origin.clone(),
            report,
            config_json,
            config,
            tokenizer,
            network,
        })
    }

    /// Reads `tokenizer.json`, or in older checkpoints `vocab.txt` with the settings of `tokenizer_config.json`.
    async fn tokenizer<E: Environment>(source: &mut Source<E>) -> Result<Tokenizer> {
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

    /// Reads `model.safetensors`, or the shards that an index names.
    async fn weights<E: Environment>(
        source: &mut Source<E>,
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

    /// The network with the head that a run starts with: that of the checkpoint if it has one for `num_labels`, else a
    /// new one; and with a new pooler if the checkpoint has none.
    pub(super) fn with_head(&self, num_labels: usize, seed: u32) -> BertForSequenceClassification {
        let network = self.network.clone();
        let has_head = self.report.has_classifier && network.num_labels() == num_labels;
        let (new_head, std) = (
            (!has_head).then_some(num_labels),
            self.config.initializer_range,
        );
        match (self.report.has_pooler, new_head) {
            (true, None) => network,
            (true, Some(num_labels)) => network.with_new_head(num_labels, std, seed),
            (false, new_head) => network.with_new_pooler(new_head, std, seed),
        }
    }

    /// Whether the checkpoint has a pooler. Otherwise that of each run is drawn.
    pub(super) fn has_pooler(&self) -> bool {
        self.report.has_pooler
    }

    /// Bytes of its parameters on the device, where they are f32 whatever they are in the file.
    pub(super) fn parameter_bytes(&self) -> u64 {
        4 * self.network.num_params() as u64
    }

    fn view(&self) -> ModelView {
        ModelView::new(
            &self.origin,
            &self.report,
            self.network.num_params(),
            &self.config,
        )
    }
}
