//! What `cargo xtask bench` and the regression gate drive: the page's own trainer on token ids that are given, without the page, so that
//! the same work can be asked of other libraries.

use super::convert::{error, to_js};
use super::device::{self, Opened};
use crate::bert::{BertConfig, BertForSequenceClassification, LoadLimits, WeightsLoader};
use crate::io::MemoryFile;
use crate::settings::{RunSettings, Values};
use crate::tokens::{Batch, DataCollator, Encoding, Example};
use crate::train::{
    Event, MemoryDemand, MemoryPlan, StepLog, Trainer, TrainerOptions, TrainingArguments,
};
use crate::{Error, Result};
use burn::module::Module;
use burn::tensor::Device;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

/// Seed of a head that the checkpoint does not bring.
const HEAD_SEED: u32 = 42;
/// Classes of that head.
const NUM_LABELS: usize = 2;

/// A model on the WebGPU device and a run of it.
#[wasm_bindgen]
pub struct Benchmark {
    device: Device,
    limits: LoadLimits,
    config: Option<BertConfig>,
    model: Option<BertForSequenceClassification>,
    trainer: Option<Trainer>,
    batch: Option<Batch>,
}

/// The rows of a run, all of one length.
#[derive(Deserialize)]
struct Work {
    /// `[rows, seq]`, row after row.
    input_ids: Vec<u32>,
    /// `[rows]`.
    labels: Vec<usize>,
    seq: usize,
    /// Rows a step.
    batch: usize,
    /// Optimizer steps, over the rows in order, again and again.
    steps: usize,
    /// Settings of the page's table.
    #[serde(default)]
    arguments: Values,
}

impl Work {
    fn read(text: &str) -> Result<Self> {
        let refuse = |error| Error::NotReady(format!("The work: {error}."));
        serde_json::from_str(text).map_err(refuse)
    }
}

#[wasm_bindgen]
impl Benchmark {
    /// Opens the WebGPU device.
    ///
    /// # Errors
    /// A `WorkerError` where there is none.
    pub async fn open() -> Result<Benchmark, JsValue> {
        let Opened { device, info, .. } = device::open("webgpu").await.map_err(error)?;
        Ok(Self {
            device: device.autodiff(),
            limits: info.limits(),
            config: None,
            model: None,
            trainer: None,
            batch: None,
        })
    }

    /// From now on as on an adapter that binds no more than so many bytes of a tensor (`maxStorageBufferBindingSize`).
    pub fn limit_binding(&mut self, bytes: f64) {
        self.limits = LoadLimits::for_binding_size(bytes as u64);
    }

    /// Uploads a checkpoint: the texts of `config.json` and the bytes of `model.safetensors`.
    ///
    /// # Errors
    /// A `WorkerError` when they do not fit together.
    pub async fn load(&mut self, config: String, weights: Vec<u8>) -> Result<(), JsValue> {
        self.load_model(&config, weights).await.map_err(error)
    }

    /// Begins a run on rows of token ids: JSON of `input_ids` (row after row), `labels`, `seq`, `batch`, `steps` and `arguments`
    /// (settings of the page's table; those that are not named have its defaults).
    ///
    /// # Errors
    /// A `WorkerError` when no model is loaded or the work is not what it should be.
    pub fn start(&mut self, work: &str) -> Result<(), JsValue> {
        self.begin(work).map_err(error)
    }

    /// What such a run takes of the device's memory (`MemoryPlan`), by the same JSON.
    ///
    /// # Errors
    /// A `WorkerError` when no model is loaded or the work is not what it should be.
    pub fn memory(&self, work: &str) -> Result<JsValue, JsValue> {
        to_js(&self.plan(work).map_err(error)?)
    }

    /// One optimizer step, waited for (`{loss, grad_norm}`).
    ///
    /// # Errors
    /// A `WorkerError` when the run is over, has not begun or has diverged.
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        to_js(&self.one_step().await.map_err(error)?)
    }

    /// The logits of the first batch, `[batch * num_labels]`, without autodiff.
    ///
    /// # Errors
    /// A `WorkerError` when no run has begun.
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
        Ok(MemoryPlan::new(&MemoryDemand {
            config: self.config.as_ref().ok_or_else(not_loaded)?,
            num_labels: NUM_LABELS,
            batch: work.batch,
            seq: work.seq,
            evaluation: [0, 0],
            accumulates: settings.arguments.gradient_accumulation_steps > 1,
            gradient_checkpointing: settings.arguments.gradient_checkpointing,
            tuning: settings.tuning,
            keeps_original: false,
            limits: self.limits,
        }))
    }

    fn begin(&mut self, work: &str) -> Result<()> {
        let work = Work::read(work)?;
        let model = self.model.take().ok_or_else(not_loaded)?;
        let settings = RunSettings::from_values(&work.arguments)?;
        let model = settings.tuning.apply(model, settings.arguments.seed)?;
        let arguments = TrainingArguments {
            per_device_train_batch_size: work.batch,
            max_steps: work.steps,
            ..settings.arguments
        };
        let rows = work
            .input_ids
            .chunks_exact(work.seq.max(1))
            .zip(&work.labels);
        let examples: Vec<Example> = rows
            .map(|(ids, &label)| Example {
                encoding: Encoding {
                    input_ids: ids.to_vec(),
                    truncated: false,
                },
                label,
            })
            .collect();
        let first: Vec<&Encoding> = examples
            .iter()
            .take(work.batch)
            .map(|row| &row.encoding)
            .collect();
        self.batch = Some(DataCollator::longest(work.seq, 0).collate(&first));
        let options = TrainerOptions {
            arguments,
            collator: DataCollator::longest(work.seq, 0),
            shuffle: false,
        };
        self.trainer = Some(Trainer::new(model, examples, Vec::new(), options)?);
        Ok(())
    }

    async fn one_step(&mut self) -> Result<StepLog> {
        let trainer = self.trainer.as_mut().ok_or_else(not_started)?;
        // The evaluation at the end of an epoch has no rows here.
        trainer.skip_evaluation();
        match trainer.step(&mut |_, _| ()).await? {
            Event::Step { logs, .. } => logs.into_iter().last().ok_or_else(not_started),
            Event::Evaluated(_) | Event::Finished => {
                Err(Error::NotReady("The run is over.".into()))
            }
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
    Error::NotReady("No run has begun.".into())
}
