//! A training run: start, one step at a time, finish.

use super::evaluation::{EvaluationContext, report_progress};
use super::protocol::{EvaluationReport, RunEvent, TrainResult, TrainedState};
use super::{Listener, Session, seconds_since};
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

/// A run, under way or over.
pub(super) struct Run {
    pub trainer: Trainer,
    /// The network before the first step: the checkpoint's body with an untrained head.
    pub initial: BertForSequenceClassification,
    /// The dataset that it trains on. The session may get another one before the run is evaluated or exported.
    pub dataset: Dataset,
    pub split: Split,
    /// Its settings as the page sent them.
    pub values: Values,
    pub arguments: TrainingArguments,
    pub history: History,
    pub evaluation: Option<Evaluation>,
    last_report: Option<EvaluationReport>,
    /// Bytes of its trainable parameters, which it shares with no other network.
    pub trainable_bytes: u64,
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

    /// Whether no further step follows.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Ends it, and frees the optimizer state.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.trainer.end();
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
        self.last_report = Some(report.clone());
        self.evaluation = Some(evaluation);
        report
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Starts a run from the weights of the checkpoint.
    ///
    /// # Errors
    /// [`Error::NotReady`] when an earlier stage is missing, [`Error::Memory`] when the run does not fit,
    /// [`Error::Device`] when the device failed its self-test, [`Error::Setting`] for more updates than a run may
    /// have, and for `fp16` on a device that does not compute it correctly.
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

    /// Does one update, or the evaluation at the end of an epoch.
    ///
    /// # Errors
    /// [`Error::NotReady`] without a run, [`Error::Diverged`], [`Error::Device`].
    pub async fn step_run(&mut self, listener: &dyn Listener) -> Result<RunEvent> {
        let started = self.clock.now();
        let run = self.run.as_mut().ok_or_else(no_run)?;
        let mut progress = |done, total| report_progress(listener, done, total);
        let event = run.trainer.step(&mut progress).await?;
        let state = run.trainer.state();
        Ok(match event {
            Event::Step { tokens, logs } => {
                run.history.steps(&logs);
                RunEvent::Step {
                    logs,
                    step: state.global_step,
                    max_steps: state.max_steps,
                    epoch: state.epoch,
                    tokens,
                }
            }
            Event::Evaluated(evaluation) => {
                let seconds = seconds_since(&self.clock, started);
                RunEvent::Evaluation {
                    report: run.add_evaluation(evaluation, seconds),
                }
            }
            Event::Finished => RunEvent::Finished,
        })
    }

    /// Ends the run and evaluates it unless its last step was evaluated. `seconds` is the time of training,
    /// `first_step_ms` the time until the first step was done.
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
        let logs = run.trainer.read_logs().await?;
        run.history.steps(&logs);
        let state = run.trainer.state();
        let evaluated = run.last_report.as_ref().map(|report| report.step);
        if state.global_step > 0 && evaluated != Some(state.global_step) {
            let started = self.clock.now();
            let evaluation = run.trainer.evaluate(&mut |_, _| ()).await?;
            run.add_evaluation(evaluation, seconds_since(&self.clock, started));
        }
        let seconds = seconds.max(1e-6);
        run.history.finished(&run.trainer, seconds)?;
        Ok(TrainResult {
            stopped,
            global_step: state.global_step,
            max_steps: state.max_steps,
            epoch: state.epoch,
            train_loss: run.trainer.train_loss(),
            train_runtime: seconds,
            train_samples_per_second: run.split.train.len() as f64 * state.epoch / seconds,
            train_steps_per_second: state.global_step as f64 / seconds,
            first_step_ms,
            evaluation: run.last_report.clone(),
        })
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
            over: false,
            trainer,
            initial,
            dataset: dataset.clone(),
            split: split.clone(),
            values,
            history: History::new(&arguments, tokens.train.len()),
            arguments,
            evaluation: None,
            last_report: None,
        })
    }
}

fn no_run() -> Error {
    Error::NotReady("No training run has been started.".into())
}
