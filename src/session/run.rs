//! A training run: start, one step at a time, finish.

use super::Session;
use super::evaluation::EvaluationContext;
use super::protocol::{EvaluationReport, RunEvent, TrainResult, TrainedState};
use crate::bert::BertForSequenceClassification;
use crate::data::{Dataset, Split};
use crate::evaluate::Evaluation;
use crate::hub::{Clock, Environment};
use crate::settings::{RunSettings, Values};
use crate::train::{
    Event, History, MemoryProbe, TrainPlan, Trainer, TrainerOptions, TrainingArguments,
    trainable_parameters,
};
use crate::{Error, Result};
use std::rc::Rc;

/// A run, in progress or over.
pub(super) struct Run {
    pub trainer: Trainer,
    /// The network before the first step: the checkpoint's body with an untrained head.
    pub initial: BertForSequenceClassification,
    /// The dataset that it trains on. The session may get another one before the run is evaluated or exported.
    pub dataset: Rc<Dataset>,
    pub split: Rc<Split>,
    /// Its settings as the page sent them.
    pub values: Values,
    pub arguments: TrainingArguments,
    pub history: History,
    /// Bytes of its trainable parameters, which it shares with no other network.
    pub trainable_bytes: u64,
    /// The last evaluation of its own test part.
    last: Option<(EvaluationReport, Evaluation)>,
    /// Milliseconds of the evaluation in progress, without pauses between its batches.
    evaluation_ms: f64,
    over: bool,
}

impl Run {
    /// The trained model; none before the first step is done.
    pub(super) fn trained(&self) -> Option<TrainedState> {
        let state = self.trainer.state();
        (state.global_step > 0 && self.trainer.model().is_ok()).then_some(TrainedState {
            seed: self.arguments.seed,
            global_step: state.global_step,
            max_steps: state.max_steps,
            epoch: state.epoch,
        })
    }

    /// The last evaluation, if no step followed it.
    pub(super) fn evaluation(&self) -> Option<&(EvaluationReport, Evaluation)> {
        let step = self.trainer.state().global_step;
        self.last.as_ref().filter(|(report, _)| report.step == step)
    }

    /// Whether no further step follows.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Ends it, and frees the optimizer state.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.trainer.end();
    }

    /// Whether a step of it is known to be finite.
    pub(super) fn has_finite_step(&self) -> bool {
        self.trainer.logged_steps() > 0
    }

    /// Keeps an evaluation of its own test part as the last one.
    fn add_evaluation(&mut self, evaluation: Evaluation, seconds: f64) -> EvaluationReport {
        self.history.evaluated(&evaluation, seconds);
        let report = EvaluationReport::new(
            &evaluation,
            &EvaluationContext {
                dataset: &self.dataset,
                test: &self.split.test,
                state: Some(self.trainer.state()),
                per_device_eval_batch_size: self.arguments.per_device_eval_batch_size,
                seconds,
            },
        );
        self.last = Some((report.clone(), evaluation));
        report
    }

    /// The summary of the run.
    fn result(&mut self, stopped: bool, seconds: f64, first_step_ms: f64) -> Result<TrainResult> {
        let summary = self.history.finished(&self.trainer, seconds)?;
        Ok(TrainResult {
            stopped,
            global_step: summary.step,
            max_steps: self.trainer.state().max_steps,
            epoch: summary.epoch,
            train_loss: summary.train_loss,
            train_runtime: summary.train_runtime,
            train_samples_per_second: summary.train_samples_per_second,
            train_steps_per_second: summary.train_steps_per_second,
            first_step_ms,
            evaluation: self.evaluation().map(|(report, _)| report.clone()),
        })
    }

    /// What the page shows of an event that took `milliseconds`.
    fn reported(&mut self, event: Event, milliseconds: f64) -> RunEvent {
        match event {
            Event::Step { tokens, logs } => {
                self.history.steps(&logs);
                let state = self.trainer.state();
                RunEvent::Step {
                    logs,
                    step: state.global_step,
                    max_steps: state.max_steps,
                    epoch: state.epoch,
                    tokens,
                }
            }
            Event::Evaluating { done, total } => {
                self.evaluation_ms += milliseconds;
                RunEvent::Evaluating { done, total }
            }
            Event::Evaluated(evaluation) => {
                let milliseconds = std::mem::take(&mut self.evaluation_ms) + milliseconds;
                RunEvent::Evaluation {
                    report: self.add_evaluation(evaluation, milliseconds / 1000.0),
                }
            }
            Event::Finished => RunEvent::Finished,
        }
    }

    /// Reads back the losses that are still on the device.
    async fn read_logs(&mut self) -> Result<()> {
        let logs = self.trainer.read_logs().await?;
        self.history.steps(&logs);
        // Reports what the first call found after the last finite step.
        self.trainer.read_logs().await.map(drop)
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Starts a run from the weights of the checkpoint.
    ///
    /// # Errors
    /// [`Error::NotReady`] when an earlier stage is missing, [`Error::Memory`] or [`Error::MemoryKept`] when the run
    /// does not fit, [`Error::Device`] when the device failed its self-test or computes a layer at the shapes of the
    /// run wrongly, [`Error::Setting`] for more updates than a run may have, and for `fp16` on a device that does not
    /// compute it correctly.
    pub async fn start_run(&mut self, values: Values) -> Result<()> {
        let settings = RunSettings::from_values(&values)?;
        self.check_self_test()?;
        let rows = self.require_tokens()?.train.len();
        TrainPlan::new(&settings.arguments, settings.tuning.method, rows)?;
        if settings.arguments.fp16 {
            self.check_fp16().await?;
        }
        let bytes = self.check_memory(&settings).await?;
        let run = self.new_run(settings, values)?;
        self.check_layer(
            run.trainer.model()?,
            run.trainer.widest_batch(),
            run.arguments.fp16,
        )
        .await?;
        self.replace_run(run);
        self.compute.memory.set_in_use(bytes);
        Ok(())
    }

    /// Reads losses back once every `steps` updates, because a read-back stalls the GPU queue.
    pub fn set_log_every(&mut self, steps: usize) {
        if let Some(run) = &mut self.run {
            run.trainer.set_log_every(steps);
        }
    }

    /// Does one update, or one batch of the evaluation at the end of an epoch.
    ///
    /// After an error the run is over. It keeps the weights of its last finite step, or is dropped if it has none: the
    /// model that was trained before it is then the current one again.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a run, and those of [`Trainer::step`].
    pub async fn step_run(&mut self) -> Result<RunEvent> {
        let run = self.run.as_mut().ok_or_else(no_run)?;
        let started = self.clock.now();
        let steps_before = run.trainer.state().global_step;
        let step = run.trainer.step().await;
        // Before the results of the step are reported: they are stale if its commands were refused.
        let checked = self.compute.errors.check().await;
        match checked.and(step) {
            Ok(event) => Ok(run.reported(event, self.clock.now() - started)),
            Err(error) => {
                match steps_before {
                    0 => self.drop_run(),
                    _ => self.end_run(),
                }
                Err(error)
            }
        }
    }

    /// Stops the updates of the run. [`Session::step_run`] then evaluates its weights, unless they are evaluated
    /// already.
    pub fn stop_run(&mut self) {
        if let Some(run) = &mut self.run {
            run.trainer.stop();
        }
    }

    /// Ends the run, also in the middle of an evaluation, which is then not reported. `seconds` is the time of
    /// training, `first_step_ms` the time until the first step was done.
    ///
    /// # Errors
    /// As [`Session::step_run`].
    pub async fn finish_run(
        &mut self,
        stopped: bool,
        seconds: f64,
        first_step_ms: f64,
    ) -> Result<TrainResult> {
        let run = self.run.as_mut().ok_or_else(no_run)?;
        let read = run.read_logs().await;
        let checked = self.compute.errors.check().await;
        let result = match checked.and(read) {
            Ok(()) => run.result(stopped, seconds, first_step_ms),
            Err(error) => Err(error),
        };
        self.end_run();
        result
    }

    fn new_run(&self, settings: RunSettings, values: Values) -> Result<Run> {
        let ((dataset, split), tokens) = (self.require_split()?, self.require_tokens()?);
        let model = self.require_model()?;
        let seed = settings.arguments.seed;
        let initial = model.with_head(dataset.labels.len(), seed);
        let arguments = settings.arguments.clone();
        let options = TrainerOptions {
            collator: tokens.collator(model.tokenizer.pad_token_id()),
            shuffle: settings.shuffle,
            arguments: settings.arguments,
        };
        let trainer = Trainer::new(
            settings.tuning.apply(initial.clone(), seed)?,
            tokens.train.clone(),
            tokens.test.clone(),
            options,
        )?;
        Ok(Run {
            trainable_bytes: 4 * trainable_parameters(trainer.model()?) as u64,
            last: None,
            evaluation_ms: 0.0,
            over: false,
            trainer,
            initial,
            dataset: dataset.clone(),
            split: split.clone(),
            values,
            history: History::new(&arguments, tokens.train.len()),
            arguments,
        })
    }
}

fn no_run() -> Error {
    Error::NotReady("No training run has been started.".into())
}
