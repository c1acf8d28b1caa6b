//! The log of a run, in the form of transformers' `trainer_state.json`.

use super::{StepLog, Trainer, TrainerState, TrainingArguments};
use crate::Result;
use crate::evaluate::Evaluation;
use serde_json::{Value, json};

/// The log of a run, mirroring transformers'
/// [`TrainerState`](https://huggingface.co/docs/transformers/main_classes/callback#transformers.TrainerState). The
/// caller of the trainer adds events in order with their duration, because the trainer has no clock.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    arguments: TrainingArguments,
    train_rows: usize,
    state: TrainerState,
    total_flos: f64,
    log: Vec<Value>,
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
            log: Vec::new(),
        }
    }

    /// Adds the logs of updates.
    pub fn steps(&mut self, logs: &[StepLog]) {
        for log in logs {
            self.state.global_step = log.step;
            self.state.epoch = log.epoch;
            self.log.push(json!(log));
        }
    }

    /// Adds an evaluation that took `seconds`, after the updates added so far.
    pub fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) {
        let rows = evaluation.logits.len();
        let batches = rows.div_ceil(self.arguments.per_device_eval_batch_size);
        self.log.push(json!({
            "epoch": self.state.epoch,
            "eval_accuracy": evaluation.metrics.accuracy,
            "eval_loss": evaluation.loss,
            "eval_runtime": rounded(seconds, 4),
            "eval_samples_per_second": rate(rows as f64, seconds),
            "eval_steps_per_second": rate(batches as f64, seconds),
            "step": self.state.global_step,
        }));
    }

    /// Adds the summary of a run that finished or stopped after `seconds` of training.
    ///
    /// # Errors
    /// As [`Trainer::model`].
    pub fn finished(&mut self, trainer: &Trainer, seconds: f64) -> Result<()> {
        self.total_flos = trainer.total_flos()?;
        let steps = self.state.global_step;
        let share = steps as f64 / self.state.max_steps.max(1) as f64;
        let rows = self.arguments.total_rows(self.train_rows);
        self.log.push(json!({
            "epoch": self.state.epoch,
            "step": steps,
            "total_flos": self.total_flos,
            "train_loss": trainer.train_loss(),
            "train_runtime": rounded(seconds, 4),
            "train_samples_per_second": rate(rows * share, seconds),
            "train_steps_per_second": rate(steps as f64, seconds),
        }));
        Ok(())
    }

    /// The fields of transformers' `TrainerState`. There are no callbacks and no best checkpoint.
    pub fn trainer_state(&self) -> Value {
        json!({
            "best_global_step": null,
            "best_metric": null,
            "best_model_checkpoint": null,
            "epoch": self.state.epoch,
            "eval_steps": 500,
            "global_step": self.state.global_step,
            "is_hyper_param_search": false,
            "is_local_process_zero": true,
            "is_world_process_zero": true,
            "log_history": self.log,
            "logging_steps": 1,
            "max_steps": self.state.max_steps,
            "num_input_tokens_seen": 0,
            "num_train_epochs": self.arguments.total_epochs(self.train_rows),
            "save_steps": 500,
            "stateful_callbacks": {},
            "total_flos": self.total_flos,
            "train_batch_size": self.arguments.per_device_train_batch_size,
            "trial_name": null,
            "trial_params": null,
        })
    }

    /// The entries of `log_history`.
    pub fn log(&self) -> &[Value] {
        &self.log
    }
}

/// `count` per second to three decimals, as transformers' `speed_metrics`.
fn rate(count: f64, seconds: f64) -> f64 {
    rounded(count / seconds.max(1e-4), 3)
}

fn rounded(value: f64, places: i32) -> f64 {
    let scale = 10f64.powi(places);
    (value * scale).round() / scale
}
