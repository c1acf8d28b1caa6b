//! The model: a folder of files becomes a tokenizer and a network.

use super::model_notices as notices;
use super::protocol::{HeadUse, ModelLocator, ModelOrigin, ModelView, SessionEvent};
use super::{Listener, Session, VisitorFile};
use crate::bert::{
    BertConfig, BertForSequenceClassification, HeadLabels, INDEX_FILE, LoadLimits, LoadReport,
    ShardIndex, WeightsLoader, parameter_bytes,
};
use crate::hub::{Environment, LoadEvent, Services, Source, pickle_refused};
use crate::io::ByteSource;
use crate::tokens::{Tokenizer, TokenizerFiles};
use crate::train::{MemoryBudget, MemoryProbe};
use crate::{Error, Result, Warning};
use burn::module::Module;
use burn::tensor::Device;
use std::rc::Rc;

/// Seed of the head that a model has until a run draws its own.
pub(crate) const HEAD_SEED: u32 = 42;

/// Labels of that head before there is a dataset.
pub(crate) const NUM_LABELS: usize = 2;

/// Weights of checkpoints that have no safetensors file.
const PICKLE_FILE: &str = "pytorch_model.bin";

/// Files of tokenizers of other methods.
const OTHER_TOKENIZERS: [(&str, &str); 4] = [
    ("sentencepiece.bpe.model", "SentencePiece"),
    ("spiece.model", "SentencePiece"),
    ("tokenizer.model", "SentencePiece"),
    ("merges.txt", "byte-level BPE"),
];

/// A checkpoint on the device.
pub(super) struct LoadedModel {
    pub origin: ModelOrigin,
    /// Where a later visit finds it.
    pub locator: ModelLocator,
    report: LoadReport,
    pub config_json: String,
    pub config: BertConfig,
    /// The labels that config.json has for the checkpoint's own head.
    labels: HeadLabels,
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
    /// Loads a model from a folder of the page's site: `config.json`, the tokenizer's files and the weights.
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
        let locator = ModelLocator::Site { base: base.clone() };
        let services = self.services(fetch, listener);
        let on_event = services.on_event.clone();
        let source = Source::site(base, services);
        self.replace_model(source, (origin, locator), &on_event)
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
        let (source, pin) = Source::hub(endpoint, repo, services, BertConfig::names_bert).await?;
        let locator = ModelLocator::Hub { repo: repo.into() };
        self.replace_model(source, (ModelOrigin::hub(&pin), locator), &on_event)
            .await
    }

    /// Loads a model from files of the visitor's disk: one `.zip`, or the files of a folder called `name`. `folder` is
    /// the one that the visitor has chosen among several models.
    ///
    /// # Errors
    /// As for a folder of the site.
    pub async fn load_files(
        &mut self,
        name: &str,
        files: Vec<VisitorFile<E>>,
        folder: Option<&str>,
        listener: &Rc<dyn Listener>,
    ) -> Result<ModelView> {
        let source = Source::<E>::files(files, folder, BertConfig::names_bert)?;
        let chosen = folder.and_then(|folder| folder.rsplit('/').next());
        let origin = ModelOrigin::disk(chosen.or(source.folder_name()).unwrap_or(name));
        let place = (origin, ModelLocator::Disk);
        self.replace_model(source, place, &load_events(listener))
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
        place: (ModelOrigin, ModelLocator),
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
        let model = LoadedModel::load(source, place, &target, on_event).await;
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

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// What a run on the dataset does with the checkpoint's head; none before there are both.
    pub(super) fn head_use(&self) -> Option<HeadUse> {
        let (model, dataset) = (self.model.as_ref()?, self.dataset.as_ref()?);
        Some(model.head_use(&dataset.rows.labels))
    }

    /// The network of the checkpoint before a run, and the labels of its outputs: its own, in the order of the
    /// dataset's where both are the same; else those of the dataset.
    pub(super) fn untrained(&self) -> Result<(BertForSequenceClassification, Vec<String>)> {
        let model = self.require_model()?;
        let network = model.network.clone();
        let dataset = self.dataset.as_ref().map(|held| &held.rows.labels);
        if let Some(own) = model.own_labels() {
            let order = dataset.and_then(|labels| Some((own.order_of(labels)?, labels.clone())));
            return Ok(match order {
                Some((order, labels)) => (network.with_label_order(&order), labels),
                None => (network, own.names.clone()),
            });
        }
        let count = network.num_labels();
        let names = dataset.filter(|labels| labels.len() == count).cloned();
        let numbered = || (0..count).map(|label| format!("LABEL_{label}")).collect();
        Ok((network, names.unwrap_or_else(numbered)))
    }
}

fn load_events(listener: &Rc<dyn Listener>) -> OnEvent {
    let listener = Rc::clone(listener);
    Rc::new(move |event| listener.event(SessionEvent::Load(event)))
}

impl LoadedModel {
    async fn load<E: Environment, M: MemoryProbe>(
        mut source: Source<E>,
        place: (ModelOrigin, ModelLocator),
        target: &Target<'_, M>,
        on_event: &OnEvent,
    ) -> Result<Self> {
        let read =
            async |source: &mut Source<E>| Self::read(source, &place, target, on_event).await;
        source.build(read).await
    }

    async fn read<E: Environment, M: MemoryProbe>(
        source: &mut Source<E>,
        (origin, locator): &(ModelOrigin, ModelLocator),
        target: &Target<'_, M>,
        on_event: &OnEvent,
    ) -> Result<Self> {
        on_event(LoadEvent::Phase { phase: "config" });
        let config_json = source.open("config.json").await?.text().await?;
        let config = BertConfig::from_json(&config_json)?;
        let labels = HeadLabels::from_json(&config_json)?;
        on_event(LoadEvent::Phase { phase: "tokenizer" });
        let tokenizer = Self::tokenizer(source, &config_json).await?;
        tokenizer.check_vocab_size(config.vocab_size)?;
        on_event(LoadEvent::Phase { phase: "weights" });
        if let Some(memory) = target.memory {
            let most_labels = target.num_labels.max(labels.names.len());
            let bytes = parameter_bytes(&config, most_labels);
            memory.check_model(bytes).await?;
        }
        let loader = WeightsLoader {
            config: &config,
            own_labels: labels.names.len(),
            num_labels: target.num_labels,
            seed: HEAD_SEED,
            device: target.device,
            limits: target.limits,
        };
        let (network, report) = Self::weights(source, &loader).await?;
        Ok(Self {
            origin: origin.clone(),
            locator: locator.clone(),
            report,
            config_json,
            config,
            labels,
            tokenizer,
            network,
        })
    }

    /// Reads the files of the tokenizer.
    async fn tokenizer<E: Environment>(
        source: &mut Source<E>,
        config_json: &str,
    ) -> Result<Tokenizer> {
        let tokenizer_json = source.text_if_there("tokenizer.json").await?;
        let vocab = match tokenizer_json {
            Some(_) => None,
            None => source.text_if_there("vocab.txt").await?,
        };
        if tokenizer_json.is_none() && vocab.is_none() {
            return Err(Self::no_vocabulary(source).await?);
        }
        let mut files = TokenizerFiles {
            tokenizer_json,
            vocab,
            tokenizer_config: source.text_if_there("tokenizer_config.json").await?,
            model_class: TokenizerFiles::class_of_model(config_json),
            ..TokenizerFiles::default()
        };
        if TokenizerFiles::needs_older_files(files.tokenizer_config.as_deref()) {
            files.special_tokens_map = source.text_if_there("special_tokens_map.json").await?;
            files.added_tokens = source.text_if_there("added_tokens.json").await?;
        }
        files.load()
    }

    /// The error for a model without WordPiece's files, by those that it has instead.
    async fn no_vocabulary<E: Environment>(source: &mut Source<E>) -> Result<Error> {
        for (file, method) in OTHER_TOKENIZERS {
            if source.has(file).await? {
                return Ok(Error::Tokenizer {
                    file: file.into(),
                    problem: format!(
                        "it is a vocabulary of {method}, but this page only has the WordPiece of BERT. Take a \
                         checkpoint with a tokenizer.json or vocab.txt of BERT"
                    ),
                });
            }
        }
        Ok(source.missing("tokenizer.json"))
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

    /// The labels of the checkpoint's own classifier; none if it has no classifier that chooses one of its labels.
    pub(super) fn own_labels(&self) -> Option<&HeadLabels> {
        let is_usable = self.report.has_classifier && self.labels.is_single_label;
        is_usable.then_some(&self.labels)
    }

    /// The network with the head for these labels that a run starts with: the checkpoint's own if it has one of the
    /// same labels, matched by name and put into this order, else a new one; and with a new pooler if the checkpoint
    /// has none.
    pub(super) fn with_head(&self, labels: &[String], seed: u32) -> BertForSequenceClassification {
        let std = self.config.initializer_range;
        let own = self.own_labels();
        let order = own.and_then(|own| own.order_of(labels));
        let (network, new_head) = match &order {
            Some(order) => (self.network.clone().with_label_order(order), None),
            None => (self.network.clone(), Some(labels.len())),
        };
        match (self.report.has_pooler, new_head) {
            (true, None) => network,
            (true, Some(num_labels)) => network.with_new_head(num_labels, std, seed),
            (false, new_head) => network.with_new_pooler(new_head, std, seed),
        }
    }

    /// What a run does with the checkpoint's head for these labels.
    pub(super) fn head_use(&self, labels: &[String]) -> HeadUse {
        let Some(own) = self.own_labels() else {
            return HeadUse::New;
        };
        match own.order_of(labels) {
            None => HeadUse::Replaced,
            Some(order) if order.is_sorted() => HeadUse::Kept,
            Some(_) => HeadUse::Reordered,
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
        let own = self.own_labels().map(|own| own.names.clone());
        ModelView::new(
            &self.origin,
            &self.report,
            self.network.num_params(),
            &self.config,
            own,
            self.notices(),
        )
    }

    /// What the visitor should know about how it was loaded.
    fn notices(&self) -> Vec<Warning> {
        let report = &self.report;
        [
            (!report.has_pooler).then(notices::new_pooler),
            (!report.skipped.is_empty()).then(|| notices::skipped_tensors(&report.skipped)),
            (report.has_classifier && !self.labels.is_single_label).then(notices::other_problem),
            report.has_tied_words.then(notices::tied_word_embeddings),
            self.tokenizer
                .asks_for_left_padding()
                .then(notices::padding_side),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
