//! A training run as the worker drives it: start, one step at a time, finish.

use super::app::Webtune;
use super::clock;
use super::convert::{error, to_js, values};
use super::progress::send;
use super::views::{EvaluationContext, ReportView, StepView, TrainResultView};
use crate::bert::BertForSequenceClassification;
use crate::data::Dataset;
use crate::evaluate::{Evaluation, EvaluationOptions, evaluate};
use crate::selftest;
use crate::settings::{RunSettings, Values};
use crate::train::{Event, History, Trainer, TrainerOptions, TrainingArguments};
use crate::{Error, Result};
use burn::module::Module;
use js_sys::Function;
use wasm_bindgen::prelude::*;

/// A run, under way or over.
pub(super) struct Run {
    pub trainer: Trainer,
    /// The network before the first step: its body is the checkpoint's, its head untrained.
    pub initial: BertForSequenceClassification,
    /// What it trains on, kept: the visitor may make another dataset meanwhile.
    pub dataset: Dataset,
    pub train: Vec<usize>,
    pub test: Vec<usize>,
    /// Its settings as the page gave them.
    pub values: Values,
    pub history: History,
    pub evaluation: Option<Evaluation>,
    eval_batch_size: usize,
    fp16: bool,
    last_report: Option<ReportView>,
}

impl Run {
    /// Puts an evaluation of its own test part in words and keeps it as the last.
    fn report(&mut self, evaluation: Evaluation, seconds: f64) -> ReportView {
        let state = self.trainer.state();
        self.history.evaluated(&evaluation, seconds);
        let report = ReportView::new(
            &evaluation,
            &EvaluationContext {
                dataset: &self.dataset,
                test: &self.test,
                step: state.global_step,
                epoch: state.epoch,
                batch_size: self.eval_batch_size,
                seconds,
            },
        );
        self.last_report = Some(report.clone());
        self.evaluation = Some(evaluation);
        report
    }
}

#[wasm_bindgen]
impl Webtune {
    /// Begins a run with these settings from the checkpoint's own weights.
    ///
    /// # Errors
    /// A `WorkerError` when a stage before it is missing, the device failed its self-test, the run finds no room on it, or with
    /// `fp16` the device cannot compute in 16 bits or does not do it rightly.
    pub async fn train_start(&mut self, settings: JsValue) -> Result<(), JsValue> {
        let values = values(settings)?;
        let settings = RunSettings::from_values(&values).map_err(error)?;
        if settings.arguments.fp16 {
            self.check_fp16().await.map_err(error)?;
        }
        self.reserve_memory(&settings).await.map_err(error)?;
        let next = self.new_run(settings, values).map_err(error)?;
        if self.run.replace(next).is_some() {
            // Buffers are used again for tensors of their own size only, and those of the run before may fit nothing in this one.
            self.opened.device.memory_cleanup();
        }
        Ok(())
    }

    /// The losses of `steps` updates are read from the device together.
    pub fn set_log_every(&mut self, steps: usize) {
        if let Some(run) = &mut self.run {
            run.trainer.set_log_every(steps);
        }
    }

    /// One update, or the evaluation at the end of an epoch (`RawStep` in `www/run.js`, or an `evaluation` or `finished` event).
    /// `on_event` gets `evaluating` events.
    ///
    /// # Errors
    /// A `WorkerError` when the run diverged or the device failed.
    pub async fn train_step(&mut self, on_event: Function) -> Result<JsValue, JsValue> {
        let view = self.advance(&on_event).await.map_err(error)?;
        to_js(&view)
    }

    /// Ends the run after `seconds` of training, evaluating once more where the last step was not evaluated (`TrainResult`).
    ///
    /// # Errors
    /// A `WorkerError` when no run is under way or the device failed.
    pub async fn train_finish(&mut self, stopped: bool, seconds: f64) -> Result<JsValue, JsValue> {
        let view = self.finish(stopped, seconds).await.map_err(error)?;
        to_js(&view)
    }

    /// Evaluates the model as it is now, trained or not (`EvaluationReport`). `on_event` gets `evaluating` events.
    ///
    /// # Errors
    /// A `WorkerError` when the rows have not been tokenized or the device failed.
    pub async fn evaluate(&mut self, on_event: Function) -> Result<JsValue, JsValue> {
        let view = self.evaluate_now(&on_event).await.map_err(error)?;
        to_js(&view)
    }
}

impl Webtune {
    /// Asks the device once whether its products in f16 are the CPU's.
    async fn check_fp16(&mut self) -> Result<()> {
        let refuse = |expected: String| {
            Err(Error::Setting {
                field: "fp16".into(),
                value: "true".into(),
                expected,
            })
        };
        let info = &self.opened.info;
        if !info.shader_f16 {
            return refuse(format!(
                "{} cannot compute in 16 bits; it takes a GPU whose adapter has shader-f16",
                info.name
            ));
        }
        let test = match self.fp16_test.take() {
            Some(test) => test,
            None => selftest::run_fp16(&self.opened.device).await?,
        };
        let test = self.fp16_test.insert(test);
        if test.passed {
            return Ok(());
        }
        let failed = test.checks.iter().filter(|check| !check.passed);
        let failed: Vec<&str> = failed.map(|check| check.name.as_str()).collect();
        refuse(format!(
            "{} does not compute in 16 bits what the CPU computes ({}); train without it",
            self.opened.info.name,
            failed.join("; ")
        ))
    }

    fn new_run(&self, settings: RunSettings, values: Values) -> Result<Run> {
        if self.self_test.as_ref().is_none_or(|test| !test.passed) {
            return Err(Error::Device(
                "This device did not compute what the CPU computes in the start-up self-test, so nothing is trained on it. Update the browser or the graphics driver, or open the page with ?device=cpu.".into(),
            ));
        }
        let ((dataset, split), tokens) = (self.need_split()?, self.need_tokens()?);
        let model = self.need_model()?;
        let seed = settings.arguments.seed;
        let initial = model.with_head(dataset.labels.len(), seed);
        let options = TrainerOptions {
            collator: tokens.collator(model.tokenizer.pad_token_id()),
            shuffle: settings.shuffle,
            arguments: settings.arguments,
        };
        let history = History::new(&options.arguments, tokens.train.len());
        let eval_batch_size = options.arguments.per_device_eval_batch_size;
        let fp16 = options.arguments.fp16;
        let trainer = Trainer::new(
            settings.tuning.apply(initial.clone(), seed)?,
            tokens.train.clone(),
            tokens.test.clone(),
            options,
        )?;
        Ok(Run {
            trainer,
            initial,
            dataset: dataset.clone(),
            train: split.train.clone(),
            test: split.test.clone(),
            values,
            history,
            evaluation: None,
            eval_batch_size,
            fp16,
            last_report: None,
        })
    }

    async fn advance(&mut self, on_event: &Function) -> Result<StepView> {
        let started = clock::now();
        let run = self.run.as_mut().ok_or_else(no_run)?;
        let event = run
            .trainer
            .step(&mut |done, total| say(on_event, done, total))
            .await?;
        let state = run.trainer.state();
        Ok(match event {
            Event::Step { tokens, logs } => {
                run.history.steps(&logs);
                StepView::Step {
                    logs,
                    step: state.global_step,
                    max_steps: state.max_steps,
                    epoch: state.epoch,
                    tokens,
                }
            }
            Event::Evaluated(evaluation) => StepView::Evaluation {
                report: run.report(evaluation, seconds_since(started)),
            },
            Event::Finished => StepView::Finished,
        })
    }

    async fn finish(&mut self, stopped: bool, seconds: f64) -> Result<TrainResultView> {
        let run = self.run.as_mut().ok_or_else(no_run)?;
        let logs = run.trainer.read_logs().await?;
        run.history.steps(&logs);
        let state = run.trainer.state();
        let evaluated = run.last_report.as_ref().map(ReportView::step);
        if state.global_step > 0 && evaluated != Some(state.global_step) {
            let started = clock::now();
            let evaluation = run.trainer.evaluate(&mut |_, _| ()).await?;
            run.report(evaluation, seconds_since(started));
        }
        let seconds = seconds.max(1e-6);
        run.history.finished(&run.trainer, seconds)?;
        Ok(TrainResultView {
            stopped,
            global_step: state.global_step,
            max_steps: state.max_steps,
            epoch: state.epoch,
            train_loss: run.trainer.train_loss(),
            train_runtime: seconds,
            train_samples_per_second: run.train.len() as f64 * state.epoch / seconds,
            train_steps_per_second: state.global_step as f64 / seconds,
            evaluation: run.last_report.clone(),
        })
    }

    async fn evaluate_now(&mut self, on_event: &Function) -> Result<ReportView> {
        let started = clock::now();
        let ((dataset, split), tokens) = (self.need_split()?, self.need_tokens()?);
        let model = self.need_model()?;
        let state = self.run.as_ref().map(|run| run.trainer.state());
        let network = match &self.run {
            Some(run) => run.trainer.model()?,
            None => &model.network,
        };
        if network.num_labels() != dataset.labels.len() {
            return Err(Error::NotReady(format!(
                "The model has {} labels, but the dataset has {}. Train it on this dataset first.",
                network.num_labels(),
                dataset.labels.len()
            )));
        }
        let defaults = TrainingArguments::default();
        let options = EvaluationOptions {
            collator: tokens.collator(model.tokenizer.pad_token_id()),
            per_device_eval_batch_size: match &self.run {
                Some(run) => run.eval_batch_size,
                None => defaults.per_device_eval_batch_size,
            },
            label_smoothing_factor: 0.0,
            fp16: self.run.as_ref().is_some_and(|run| run.fp16),
        };
        let mut progress = |done, total| say(on_event, done, total);
        let evaluation = evaluate(&network.valid(), &tokens.test, &options, &mut progress).await?;
        Ok(ReportView::new(
            &evaluation,
            &EvaluationContext {
                dataset,
                test: &split.test,
                step: state.map_or(0, |state| state.global_step),
                epoch: state.map_or(0.0, |state| state.epoch),
                batch_size: options.per_device_eval_batch_size,
                seconds: seconds_since(started),
            },
        ))
    }
}

/// Seconds since a moment of the worker's clock.
fn seconds_since(started: f64) -> f64 {
    (clock::now() - started) / 1000.0
}

fn no_run() -> Error {
    Error::NotReady("No training run has been started.".into())
}

fn say(on_event: &Function, done: usize, total: usize) {
    send(on_event, &StepView::Evaluating { done, total });
}
