//! The trainer on given token ids, without the page: `cargo xtask bench` compares it with other libraries on the same
//! work, and the regression gate counts its dispatches and bytes.

use super::convert::{error, to_js};
use super::cpu_module::CpuKernels;
use super::device::{self, Opened};
use crate::bert::{BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader};
use crate::io::MemoryFile;
use crate::session::{HEAD_SEED, NUM_LABELS};
use crate::settings::{RunSettings, Values};
use crate::tokens::{Batch, DataCollator, Encoding, Example};
use crate::train::{
    Event, MemoryDemand, MemoryPlan, StepLog, Trainer, TrainerOptions, TrainingArguments,
    trained_word_rows,
};
use crate::{Error, Result};
use burn::module::Module;
use burn::tensor::Device;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

/// `[PAD]` of BERT's vocabularies.
const PAD_TOKEN_ID: u32 = 0;

/// A model on a device and a run of it.
#[wasm_bindgen]
pub struct Benchmark {
    device: Device,
    device_name: String,
    limits: LoadLimits,
    config: Option<BertConfig>,
    model: Option<BertForSequenceClassification>,
    trainer: Option<Trainer>,
    batch: Option<Batch>,
}

/// The rows of a run.
#[derive(Deserialize)]
struct Work {
    /// `[rows, seq]`, row after row.
    input_ids: Vec<u32>,
    /// `[rows]`.
    labels: Vec<usize>,
    seq: usize,
    /// Tokens of each row, which is cut to them; `seq` for the rows without a number.
    #[serde(default)]
    lengths: Vec<usize>,
    /// Rows per step.
    batch: usize,
    /// Optimizer steps, which repeat the rows in their order.
    steps: usize,
    /// Settings by name; the others have their defaults.
    #[serde(default)]
    arguments: Values,
}

impl Work {
    fn read(text: &str) -> Result<Self> {
        let refuse = |error| Error::NotReady(format!("The work: {error}."));
        serde_json::from_str(text).map_err(refuse)
    }

    fn examples(&self) -> Vec<Example> {
        let lengths = self.lengths.iter().copied();
        let lengths = lengths.chain(std::iter::repeat(self.seq));
        let rows = self.input_ids.chunks_exact(self.seq.max(1));
        rows.zip(&self.labels)
            .zip(lengths)
            .map(|((ids, &label), length)| Example {
                encoding: Encoding {
                    input_ids: ids[..length.min(ids.len())].to_vec(),
                    truncated: false,
                },
                label,
            })
            .collect()
    }
}

#[wasm_bindgen]
impl Benchmark {
    /// Opens `webgpu`, which is the default, or `cpu`. `kernels` are those of the CPU device, as for
    /// `Webtune.open`, which are loaded in a worker only.
    ///
    /// # Errors
    /// A `WorkerError` when the device is not there.
    pub async fn open(
        choice: Option<String>,
        kernels: Option<CpuKernels>,
    ) -> Result<Benchmark, JsValue> {
        let choice = choice.as_deref().unwrap_or("webgpu");
        let opened = device::open(choice, kernels.as_ref()).await;
        let Opened { device, info, .. } = opened.map_err(error)?;
        Ok(Self {
            device: device.autodiff(),
            limits: info.limits(),
            device_name: info.name,
            config: None,
            model: None,
            trainer: None,
            batch: None,
        })
    }

    /// The name of the device, as the page shows it.
    pub fn device_name(&self) -> String {
        self.device_name.clone()
    }

    /// Loads and plans as on an adapter with this `maxStorageBufferBindingSize`.
    pub fn limit_binding(&mut self, bytes: f64) {
        self.limits = LoadLimits::for_binding_size(bytes as u64);
    }

    /// Loads a checkpoint from the text of `config.json` and the bytes of `model.safetensors`.
    ///
    /// # Errors
    /// A `WorkerError` when the files do not belong together.
    pub async fn load(&mut self, config: String, weights: Vec<u8>) -> Result<(), JsValue> {
        self.load_model(&config, weights).await.map_err(error)
    }

    /// Starts a run on the rows of a JSON text of `Work`.
    ///
    /// # Errors
    /// A `WorkerError` when no model is loaded or the text is not a `Work`.
    pub fn start(&mut self, work: &str) -> Result<(), JsValue> {
        self.start_run(work).map_err(error)
    }

    /// The memory of such a run (`MemoryPlan`).
    ///
    /// # Errors
    /// As [`Benchmark::start`].
    pub fn memory(&self, work: &str) -> Result<JsValue, JsValue> {
        to_js(&self.plan(work).map_err(error)?)
    }

    /// One optimizer step, with a read-back of its loss (`StepLog`).
    ///
    /// # Errors
    /// A `WorkerError` when the run has ended, has not started or has diverged.
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        to_js(&self.step_run().await.map_err(error)?)
    }

    /// The logits of the first batch, `[batch * num_labels]`, without autodiff.
    ///
    /// # Errors
    /// A `WorkerError` when no run has started.
    pub async fn forward(&self) -> Result<Vec<f32>, JsValue> {
        self.logits().await.map_err(error)
    }
}

impl Benchmark {
    async fn load_model(&mut self, config: &str, weights: Vec<u8>) -> Result<()> {
        let config = BertConfig::from_json(config)?;
        self.config = Some(config.clone());
        let loader = WeightsLoader {
            config: &config,
            own_labels: NUM_LABELS,
            num_labels: NUM_LABELS,
            seed: HEAD_SEED,
            device: &self.device,
            limits: self.limits,
        };
        let mut file = MemoryFile::new("model.safetensors", weights);
        self.model = Some(loader.load(&mut file).await?.0);
        Ok(())
    }

    fn plan(&self, work: &str) -> Result<MemoryPlan> {
        let work = Work::read(work)?;
        let settings = RunSettings::from_values(&work.arguments)?;
        let config = self.config.as_ref().ok_or_else(not_loaded)?;
        Ok(MemoryPlan::new(&MemoryDemand {
            config,
            num_labels: NUM_LABELS,
            batch: work.batch,
            seq: work.seq,
            evaluation: [0, 0],
            accumulates: settings.arguments.gradient_accumulation_steps > 1,
            gradient_checkpointing: settings.arguments.gradient_checkpointing,
            tuning: settings.tuning,
            keeps_original: false,
            keeps_best: false,
            classifier_pooling: settings.classifier_pooling,
            kept: 0,
            limits: self.limits,
            word_rows: trained_word_rows(&work.examples(), PAD_TOKEN_ID, config.vocab_size),
        }))
    }

    fn start_run(&mut self, work: &str) -> Result<()> {
        let work = Work::read(work)?;
        let model = self.model.take().ok_or_else(not_loaded)?;
        let settings = RunSettings::from_values(&work.arguments)?;
        let model = settings.tuning.apply(model, settings.arguments.seed)?;
        let arguments = TrainingArguments {
            per_device_train_batch_size: work.batch,
            max_steps: work.steps,
            ..settings.arguments
        };
        let examples = work.examples();
        let first: Vec<&Encoding> = examples
            .iter()
            .take(work.batch)
            .map(|row| &row.encoding)
            .collect();
        self.batch = Some(DataCollator::longest(work.seq, PAD_TOKEN_ID).collate(&first));
        let options = TrainerOptions {
            arguments,
            collator: DataCollator::longest(work.seq, PAD_TOKEN_ID),
            shuffle: false,
        };
        self.trainer = Some(Trainer::new(model, examples.into(), [].into(), options)?);
        Ok(())
    }

    async fn step_run(&mut self) -> Result<StepLog> {
        let trainer = self.trainer.as_mut().ok_or_else(not_started)?;
        // The evaluation at the end of an epoch has no rows here.
        trainer.skip_evaluation();
        match trainer.step().await? {
            Event::Step { logs, .. } => logs.into_iter().last().ok_or_else(not_started),
            Event::Evaluating { .. }
            | Event::Evaluated(_)
            | Event::FinalEvaluation(_)
            | Event::Finished => Err(Error::NotReady("The run has ended.".into())),
        }
    }

    async fn logits(&self) -> Result<Vec<f32>> {
        let batch = self.batch.as_ref().ok_or_else(not_started)?;
        let trainer = self.trainer.as_ref().ok_or_else(not_started)?;
        let logits = trainer.model()?.valid().forward(batch);
        Ok(logits.into_data_async().await?.try_into_vec()?)
    }
}

fn not_loaded() -> Error {
    Error::NotReady("No model is loaded.".into())
}

fn not_started() -> Error {
    Error::NotReady("No run has started.".into())
}
