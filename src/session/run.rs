//! A training run: start, one step at a time, finish.

use super::Session;
use super::checkpoints::RunCheckpoints;
use super::evaluation::EvaluationContext;
use super::protocol::{
    BestView, EvaluatedPart, EvaluationReport, ReportedEvaluation, RunEvent, TrainResult,
    TrainedState,
};
use super::resume::Keeping;
use super::run_rows::RunRows;
use crate::bert::BertForSequenceClassification;
use crate::data::{Dataset, Split};
use crate::evaluate::Evaluation;
use crate::hub::{Clock, Environment};
use crate::settings::{RunSettings, Values};
use crate::train::{
    Event, History, MemoryProbe, TrainPlan, Trainer, TrainerOptions, TrainingArguments, hold_out,
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
    /// Its training part is without the rows of the validation part.
    pub split: Rc<Split>,
    /// Row indices of the validation part, on which the epochs are evaluated; empty if they are evaluated on the test
    /// part.
    pub validation: Vec<usize>,
    /// Its settings as the page sent them.
    pub values: Values,
    pub arguments: TrainingArguments,
    pub history: History,
    /// Its saved checkpoints.
    pub checkpoints: RunCheckpoints,
    /// When its state is saved; none where it is not stored.
    pub keeping: Option<Keeping>,
    /// `state_save_seconds`.
    pub state_save_seconds: f64,
    /// Its evaluations, for a session that continues it.
    pub reports: Vec<ReportedEvaluation>,
    /// Milliseconds of its steps, and those of them that an earlier session did.
    pub trained_ms: f64,
    pub resumed_ms: f64,
    /// Bytes of its trainable parameters, which it shares with no other network.
    pub trainable_bytes: u64,
    /// The last evaluation of its own test part.
    last: Option<(EvaluationReport, Evaluation)>,
    /// Updates before the weights of that evaluation.
    last_step: usize,
    /// Milliseconds of the evaluation in progress, without pauses between its batches.
    evaluation_ms: f64,
    over: bool,
}

impl Run {
    /// The trained model; none before the first step is done.
    pub(super) fn trained(&self) -> Option<TrainedState> {
        let state = self.trainer.state();
        (state.global_step > 0 && self.trainer.has_model()).then_some(TrainedState {
            seed: self.arguments.seed,
            global_step: state.global_step,
            max_steps: state.max_steps,
            epoch: state.epoch,
        })
    }

    /// The last evaluation of the test part, if it is one of the current weights.
    pub(super) fn evaluation(&self) -> Option<&(EvaluationReport, Evaluation)> {
        let step = self.trainer.weights_step();
        self.last.as_ref().filter(|_| self.last_step == step)
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

    /// Reports an evaluation, and keeps one of its own test part as the last one.
    fn add_evaluation(
        &mut self,
        evaluation: Evaluation,
        part: EvaluatedPart,
        seconds: f64,
    ) -> RunEvent {
        let rows = match part {
            EvaluatedPart::Validation => &self.validation,
            EvaluatedPart::Test => &self.split.test,
        };
        let report = EvaluationReport::new(
            &evaluation,
            &EvaluationContext {
                dataset: &self.dataset,
                rows,
                state: Some(self.trainer.state()),
                per_device_eval_batch_size: self.arguments.per_device_eval_batch_size,
                seconds,
            },
        );
        if part == EvaluatedPart::Test {
            self.last = Some((report.clone(), evaluation));
            self.last_step = self.trainer.weights_step();
        }
        self.keep_report(ReportedEvaluation {
            report: report.clone(),
            part,
        });
        RunEvent::Evaluation { report, part }
    }

    /// The summary of the run.
    fn result(&mut self, stopped: bool, seconds: f64, first_step_ms: f64) -> Result<TrainResult> {
        let summary = self.history.finished(&self.trainer, seconds)?;
        let restored = self.trainer.weights_step();
        let best = self.trainer.best().map(|best| BestView {
            best_step: best.step,
            best_epoch: best.epoch,
            best_metric: best.metric,
            restored: self.arguments.load_best_model_at_end && best.step == restored,
        });
        Ok(TrainResult {
            stopped,
            stopped_early: self.trainer.has_stopped_early(),
            best,
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
                let seconds = self.evaluation_seconds(milliseconds);
                self.history.evaluated(&evaluation, seconds);
                let part = match self.validation.is_empty() {
                    true => EvaluatedPart::Test,
                    false => EvaluatedPart::Validation,
                };
                self.add_evaluation(evaluation, part, seconds)
            }
            Event::FinalEvaluation(evaluation) => {
                let seconds = self.evaluation_seconds(milliseconds);
                self.history.evaluated_at_end(&evaluation, seconds);
                self.add_evaluation(evaluation, EvaluatedPart::Test, seconds)
            }
            Event::Finished => RunEvent::Finished,
        }
    }

    /// Seconds of the evaluation whose last batch took `milliseconds`.
    fn evaluation_seconds(&mut self, milliseconds: f64) -> f64 {
        (std::mem::take(&mut self.evaluation_ms) + milliseconds) / 1000.0
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
    /// Starts a run from the weights of the checkpoint. Returns whether it is stored, so that it can be continued after
    /// a crash; none where `state_save_seconds` is 0.
    ///
    /// # Errors
    /// [`Error::NotReady`] when an earlier stage is missing, [`Error::Memory`] or [`Error::MemoryKept`] when the run
    /// does not fit, [`Error::Device`] when the device failed its self-test or computes a layer at the shapes of the
    /// run wrongly, [`Error::Setting`] for more updates than a run may have, and for `fp16` on a device that does not
    /// compute it correctly.
    pub async fn start_run(&mut self, values: Values) -> Result<Option<RunEvent>> {
        let (mut run, bytes) = self.prepare_run(values).await?;
        let stored = self.store_run(&mut run).await?;
        self.use_run(run, bytes).await;
        Ok(stored)
    }

    /// A run with these settings, which fits into the memory, and its bytes.
    ///
    /// # Errors
    /// As [`Session::start_run`].
    pub(super) async fn prepare_run(&mut self, values: Values) -> Result<(Run, u64)> {
        let settings = RunSettings::from_values(&values)?;
        self.check_self_test()?;
        self.remove_unused_checkpoints().await;
        let rows = settings.training_rows(self.require_tokens()?.train.len());
        TrainPlan::new(&settings.arguments, settings.tuning.method, rows)?;
        if settings.arguments.fp16 {
            self.check_fp16().await?;
        }
        let bytes = self.check_memory(&settings).await?;
        let run = self.new_run(settings, values)?;
        self.check_layer(
            &run.trainer.model()?,
            run.trainer.widest_batch(),
            run.arguments.fp16,
        )
        .await?;
        Ok((run, bytes))
    }

    /// Makes a run the current one.
    pub(super) async fn use_run(&mut self, run: Run, bytes: u64) {
        self.replace_run(run);
        self.compute.memory.set_in_use(bytes);
        // Those of the run that is freed for this one.
        self.remove_unused_checkpoints().await;
    }

    /// Reads losses back once every `steps` updates, because a read-back stalls the GPU queue.
    pub fn set_log_every(&mut self, steps: usize) {
        if let Some(run) = &mut self.run {
            run.trainer.set_log_every(steps);
        }
    }

    /// Does one update, or one batch of the evaluation at the end of an epoch, or saves a checkpoint.
    ///
    /// After an error the run is over. It keeps the weights of its last finite step, or is dropped if it has none: the
    /// model that was trained before it is then the current one again.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a run, and those of [`Trainer::step`].
    pub async fn step_run(&mut self) -> Result<RunEvent> {
        let run = self.run.as_mut().ok_or_else(no_run)?;
        if run.trainer.should_save() {
            return self.save_checkpoint().await;
        }
        if let Some(event) = self.keep_state().await? {
            return Ok(event);
        }
        let run = self.run.as_mut().ok_or_else(no_run)?;
        let started = self.clock.now();
        let steps_before = run.trainer.state().global_step;
        let step = match run.reads_logs_for_state(started) {
            true => {
                let logs = run.trainer.read_logs().await;
                logs.map(|logs| Event::Step { tokens: 0, logs })
            }
            false => run.trainer.step().await,
        };
        // Before the results of the step are reported: they are stale if its commands were refused.
        let checked = self.compute.errors.check().await;
        match checked.and(step) {
            Ok(event) => {
                let milliseconds = self.clock.now() - started;
                run.trained_ms += milliseconds;
                Ok(run.reported(event, milliseconds))
            }
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
        let seconds = seconds + run.resumed_ms / 1000.0;
        let read = run.read_logs().await;
        let checked = self.compute.errors.check().await;
        let result = match checked.and(read) {
            Ok(()) => {
                // Restores the best weights, also in the middle of an evaluation.
                run.trainer.end();
                run.checkpoints.finish(&mut run.history);
                run.result(stopped, seconds, first_step_ms)
            }
            Err(error) => Err(error),
        };
        if result.is_ok() {
            self.remove_stored_run().await;
        }
        self.end_run();
        self.remove_unused_checkpoints().await;
        result
    }

    pub(super) fn new_run(&self, settings: RunSettings, values: Values) -> Result<Run> {
        let ((dataset, split), tokens) = (self.require_split()?, self.require_tokens()?);
        let model = self.require_model()?;
        let seed = settings.arguments.seed;
        let initial = model.with_head(&dataset.labels, seed);
        let initial = initial.with_pooling(settings.classifier_pooling);
        let arguments = settings.arguments.clone();
        let held_out = hold_out(
            dataset,
            &split.train,
            settings.validation_size,
            settings.split,
        )?;
        let rows = RunRows::new(held_out, split, tokens);
        let options = TrainerOptions {
            collator: tokens.collator(model.tokenizer.pad_token_id()),
            shuffle: settings.shuffle,
            arguments: settings.arguments,
        };
        let trained = settings.tuning.apply(initial.clone(), seed)?;
        let train_rows = rows.train.len();
        let trainer = match rows.validation {
            Some(validation) => Trainer::new(trained, rows.train, validation, options)?
                .with_test(tokens.test.clone()),
            None => Trainer::new(trained, rows.train, tokens.test.clone(), options)?,
        };
        Ok(Run {
            trainable_bytes: 4 * trainable_parameters(&trainer.model()?) as u64,
            last: None,
            last_step: 0,
            evaluation_ms: 0.0,
            over: false,
            checkpoints: RunCheckpoints::new(arguments.save_total_limit),
            keeping: None,
            state_save_seconds: settings.state_save_seconds,
            reports: Vec::new(),
            trained_ms: 0.0,
            resumed_ms: 0.0,
            trainer,
            initial,
            dataset: dataset.clone(),
            split: rows.split,
            validation: rows.validation_rows,
            values,
            history: History::new(&arguments, train_rows),
            arguments,
        })
    }
}

pub(super) fn no_run() -> Error {
    Error::NotReady("No training run has been started.".into())
}
