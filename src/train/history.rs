//! The log of a run, in the form of transformers' `trainer_state.json`.

use super::{
    BestEvaluation, MetricForBestModel, SpeedMetrics, StepLog, Trainer, TrainerState,
    TrainingArguments,
};
use crate::Result;
use crate::evaluate::Evaluation;
use serde::{Deserialize, Serialize, Serializer};

/// The log of a run, mirroring transformers'
/// [`TrainerState`](https://huggingface.co/docs/transformers/main_classes/callback#transformers.TrainerState). The
/// caller of the trainer adds events in order with their duration, because the trainer has no clock.
///
/// A run may have a million updates. Each takes the [size of a `StepLog`](StepLog) here; JSON is written from it.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    arguments: TrainingArguments,
    train_rows: usize,
    state: TrainerState,
    total_flos: f64,
    steps: Vec<StepLog>,
    /// Each with the number of steps before it.
    evaluations: Vec<(usize, EvaluationLog)>,
    summary: Option<TrainLog>,
    /// The evaluation of the weights that the run ends with.
    last: Option<EvaluationLog>,
    best: Option<BestEvaluation>,
    /// Updates before the best evaluation of which a checkpoint is saved.
    best_checkpoint: Option<usize>,
}

/// The entry of an evaluation. The fields of this and of the following structs are sorted, as the keys of
/// `trainer_state.json` are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct EvaluationLog {
    epoch: f64,
    eval_accuracy: f64,
    eval_loss: f64,
    /// Only where the best epoch is chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eval_macro_f1: Option<f64>,
    eval_runtime: f64,
    eval_samples_per_second: f64,
    eval_steps_per_second: f64,
    step: usize,
}

/// The summary of a run, its last entry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrainLog {
    /// Epochs done.
    pub epoch: f64,
    /// Updates done.
    pub step: usize,
    /// Floating point operations of all updates.
    pub total_flos: f64,
    /// Mean loss of all updates.
    pub train_loss: f64,
    /// Seconds.
    pub train_runtime: f64,
    /// Training rows per second.
    pub train_samples_per_second: f64,
    /// Updates per second.
    pub train_steps_per_second: f64,
}

/// What a log has beside its updates, for a run that is continued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryState {
    evaluations: Vec<(usize, EvaluationLog)>,
}

/// An entry of `log_history`.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Step(&'a StepLog),
    Evaluation(&'a EvaluationLog),
    Summary(&'a TrainLog),
}

/// The fields of transformers' `TrainerState`.
#[derive(Serialize)]
struct StateFile<'a> {
    best_global_step: Option<usize>,
    best_metric: Option<f64>,
    best_model_checkpoint: Option<String>,
    epoch: f64,
    eval_steps: usize,
    global_step: usize,
    is_hyper_param_search: bool,
    is_local_process_zero: bool,
    is_world_process_zero: bool,
    log_history: LogHistory<'a>,
    logging_steps: usize,
    max_steps: usize,
    num_input_tokens_seen: usize,
    num_train_epochs: usize,
    save_steps: usize,
    stateful_callbacks: NoCallbacks,
    total_flos: f64,
    train_batch_size: usize,
    trial_name: Option<&'a str>,
    trial_params: Option<&'a str>,
}

#[derive(Serialize)]
struct NoCallbacks {}

struct LogHistory<'a>(&'a History);

impl Serialize for LogHistory<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.entries())
    }
}

impl History {
    /// The empty log of a run with these arguments on `train_rows` training rows.
    pub fn new(arguments: &TrainingArguments, train_rows: usize) -> Self {
        Self {
            state: TrainerState {
                global_step: 0,
                max_steps: arguments.total_steps(train_rows),
                epoch: 0.0,
            },
            arguments: arguments.clone(),
            train_rows,
            total_flos: 0.0,
            steps: Vec::new(),
            evaluations: Vec::new(),
            summary: None,
            last: None,
            best: None,
            best_checkpoint: None,
        }
    }

    /// Adds the logs of updates.
    pub fn steps(&mut self, logs: &[StepLog]) {
        self.steps.extend(logs);
        if let Some(last) = logs.last() {
            self.state.global_step = last.step;
            self.state.epoch = last.epoch;
        }
    }

    /// The log beside its updates.
    pub fn state(&self) -> HistoryState {
        HistoryState {
            evaluations: self.evaluations.clone(),
        }
    }

    /// Continues from the updates and the [`state`](Self::state) of the same run.
    pub fn resume(&mut self, steps: Vec<StepLog>, state: HistoryState) {
        (self.steps, self.evaluations) = (Vec::new(), state.evaluations);
        self.steps(&steps);
    }

    /// Adds an evaluation that took `seconds`, after the updates added so far.
    pub fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) {
        let log = self.evaluation_log(evaluation, seconds);
        self.evaluations.push((self.steps.len(), log));
    }

    /// Adds the evaluation of the weights that the run ends with. It is the last entry, as that of a call of
    /// `Trainer.evaluate` after `Trainer.train`.
    pub fn evaluated_at_end(&mut self, evaluation: &Evaluation, seconds: f64) {
        self.last = Some(self.evaluation_log(evaluation, seconds));
    }

    fn evaluation_log(&self, evaluation: &Evaluation, seconds: f64) -> EvaluationLog {
        let rows = evaluation.logits.len();
        let batches = rows.div_ceil(self.arguments.per_device_eval_batch_size);
        let speed = SpeedMetrics::new(seconds, rows as f64, batches);
        let metric = self.arguments.metric_for_best_model;
        let logs_f1 = metric == MetricForBestModel::EvalMacroF1;
        EvaluationLog {
            epoch: self.state.epoch,
            eval_accuracy: evaluation.metrics.accuracy,
            eval_loss: evaluation.loss,
            eval_macro_f1: logs_f1.then_some(evaluation.metrics.macro_average.f1),
            eval_runtime: speed.runtime,
            eval_samples_per_second: speed.samples_per_second,
            eval_steps_per_second: speed.steps_per_second,
            step: self.state.global_step,
        }
    }

    /// Takes over from the trainer what no event has reported: `total_flos` and the best evaluation.
    ///
    /// # Errors
    /// As [`Trainer::model`].
    pub fn update(&mut self, trainer: &Trainer) -> Result<()> {
        self.total_flos = trainer.total_flos()?;
        self.best = trainer.best();
        Ok(())
    }

    /// Sets the updates before the best saved checkpoint (`best_model_checkpoint`).
    pub fn set_best_checkpoint(&mut self, step: Option<usize>) {
        self.best_checkpoint = step;
    }

    /// Adds and returns the summary of a run that finished or stopped after `seconds` of training.
    ///
    /// # Errors
    /// As [`Trainer::model`].
    pub fn finished(&mut self, trainer: &Trainer, seconds: f64) -> Result<TrainLog> {
        self.update(trainer)?;
        let steps = self.state.global_step;
        let share = steps as f64 / self.state.max_steps.max(1) as f64;
        let rows = self.arguments.total_rows(self.train_rows) * share;
        let speed = SpeedMetrics::new(seconds, rows, steps);
        let summary = TrainLog {
            epoch: self.state.epoch,
            step: steps,
            total_flos: self.total_flos,
            train_loss: trainer.train_loss(),
            train_runtime: speed.runtime,
            train_samples_per_second: speed.samples_per_second,
            train_steps_per_second: speed.steps_per_second,
        };
        self.summary = Some(summary);
        Ok(summary)
    }

    /// The logs of the updates.
    pub fn step_logs(&self) -> &[StepLog] {
        &self.steps
    }

    /// The fields of transformers' `TrainerState`. There are no callbacks.
    pub fn trainer_state(&self) -> impl Serialize {
        StateFile {
            best_global_step: self.best.map(|best| best.step),
            best_metric: self.best.map(|best| best.metric),
            best_model_checkpoint: self.best_checkpoint.map(checkpoint_folder),
            epoch: self.state.epoch,
            eval_steps: 500,
            global_step: self.state.global_step,
            is_hyper_param_search: false,
            is_local_process_zero: true,
            is_world_process_zero: true,
            log_history: LogHistory(self),
            logging_steps: 1,
            max_steps: self.state.max_steps,
            num_input_tokens_seen: 0,
            num_train_epochs: self.arguments.total_epochs(self.train_rows),
            save_steps: self.arguments.save_steps,
            stateful_callbacks: NoCallbacks {},
            total_flos: self.total_flos,
            train_batch_size: self.arguments.per_device_train_batch_size,
            trial_name: None,
            trial_params: None,
        }
    }

    /// The entries of `log_history` in order.
    pub fn log_history(&self) -> impl Iterator<Item = impl Serialize> {
        self.entries()
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut start = 0;
        let evaluated = self.evaluations.iter().flat_map(move |(end, evaluation)| {
            let steps = self.steps[start..*end].iter().map(Entry::Step);
            start = *end;
            steps.chain([Entry::Evaluation(evaluation)])
        });
        let last = self.evaluations.last().map_or(0, |(end, _)| *end);
        let rest = self.steps[last..].iter().map(Entry::Step);
        let summary = self.summary.iter().map(Entry::Summary);
        let last = self.last.iter().map(Entry::Evaluation);
        evaluated.chain(rest).chain(summary).chain(last)
    }
}

/// The folder of the checkpoint that is saved after `step` updates, in the exported folder (`output_dir`).
pub fn checkpoint_folder(step: usize) -> String {
    format!("results/checkpoint-{step}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::io::{self, Write};

    fn log(step: usize) -> StepLog {
        StepLog {
            epoch: step as f64 / 10.0,
            grad_norm: 1.5,
            learning_rate: 5e-5,
            loss: 0.25,
            step,
        }
    }

    fn evaluation() -> Evaluation {
        let probabilities = vec![vec![0.75, 0.25]];
        let metrics = crate::evaluate::Metrics::new(&[0], &probabilities, 2);
        Evaluation {
            loss: 0.5,
            logits: probabilities.clone(),
            metrics: metrics.unwrap(),
            probabilities,
        }
    }

    #[test]
    fn entries_are_in_the_order_of_the_run() {
        let mut history = History::new(&TrainingArguments::default(), 80);
        history.evaluated(&evaluation(), 2.0);
        history.steps(&[log(1), log(2)]);
        history.evaluated(&evaluation(), 2.0);
        history.steps(&[log(3)]);
        let state: Value = serde_json::to_value(history.trainer_state()).unwrap();
        let entries = state["log_history"].as_array().unwrap();
        let steps: Vec<&Value> = entries.iter().map(|entry| &entry["step"]).collect();
        assert_eq!(steps, [0, 1, 2, 2, 3]);
        assert_eq!(entries[2], json!(log(2)));
        assert_eq!(entries[3]["eval_samples_per_second"], 0.5);
        assert_eq!(
            (&state["global_step"], &state["epoch"]),
            (&3.into(), &0.3.into())
        );
    }

    /// Counts bytes, and the largest piece of them.
    #[derive(Default)]
    struct Count {
        bytes: usize,
        largest: usize,
    }

    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.bytes += bytes.len();
            self.largest = self.largest.max(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_hundred_thousand_steps_take_a_few_megabytes_and_are_written_in_small_pieces() {
        let mut history = History::new(&TrainingArguments::default(), 80);
        let written = |history: &History| {
            let mut count = Count::default();
            serde_json::to_writer_pretty(&mut count, &history.trainer_state()).unwrap();
            count
        };
        let empty = written(&history).bytes;
        for step in 1..=100_000 {
            history.steps(&[log(step)]);
        }
        assert_eq!(size_of::<StepLog>(), 40);
        assert!(history.steps.capacity() < 2 * 100_000);
        let count = written(&history);
        let of_a_step = serde_json::to_string_pretty(&log(100_000)).unwrap().len();
        assert!(
            count.bytes - empty < 100_000 * (of_a_step + 40),
            "{}",
            count.bytes
        );
        assert!(count.largest < 100, "{}", count.largest);
    }
}
