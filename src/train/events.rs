//! What a step of the trainer returns.

use crate::evaluate::Evaluation;
use serde::Serialize;

/// The log of one update, under transformers' names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StepLog {
    // In the order of `trainer_state.json`, where the keys are sorted.
    /// Epochs done after this update.
    pub epoch: f64,
    /// Norm of all gradients before clipping. With `fp16` it may be infinite or NaN: then the update was skipped and
    /// the loss scale halved.
    pub grad_norm: f64,
    /// Learning rate of the update; with `head_learning_rate` that of the body, as the Trainer logs the rate of the
    /// first parameter group.
    pub learning_rate: f64,
    /// Mean loss over the rows of the update, before the update.
    pub loss: f64,
    /// Updates done, including this one.
    pub step: usize,
}

/// What a step of the trainer did.
#[derive(Debug)]
pub enum Event {
    /// One update; or none, and only logs that were still on the device when the run ended.
    Step {
        /// Tokens of the batches of the update, without padding; 0 without an update.
        tokens: usize,
        /// Logs that this step read back from the device, of no, one or several updates.
        logs: Vec<StepLog>,
    },
    /// One batch of an evaluation.
    Evaluating {
        /// Rows done.
        done: usize,
        /// Rows in total.
        total: usize,
    },
    /// The evaluation at the end of an epoch or of the run is done.
    Evaluated(Evaluation),
    /// The evaluation of the weights that the run ends with is done: of restored weights, or on other rows than those
    /// of the epochs.
    FinalEvaluation(Evaluation),
    /// The run is complete.
    Finished,
}

/// The progress of a run, under transformers' names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrainerState {
    /// Updates done.
    pub global_step: usize,
    /// Updates of the whole run.
    pub max_steps: usize,
    /// Epochs done.
    pub epoch: f64,
}
