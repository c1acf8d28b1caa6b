//! What a step of the trainer says that it did.

use crate::evaluate::Evaluation;
use serde::Serialize;

/// What one update logs, under the Trainer's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StepLog {
    /// Updates done, this one included.
    pub step: usize,
    /// Passes over the training rows done after this update.
    pub epoch: f64,
    /// Mean loss over the rows of the update, before it.
    pub loss: f64,
    /// The learning rate that the update used.
    pub learning_rate: f64,
    /// Norm of all gradients before clipping. With `fp16` it may be infinite or NaN: the update was skipped then, and the loss scale halved.
    pub grad_norm: f64,
}

/// What a step did.
#[derive(Debug)]
pub enum Event {
    /// One update.
    Step {
        /// Tokens that went through the network, padding left out.
        tokens: usize,
        /// Logs that were read from the device now: none, this update's, or those of several updates.
        logs: Vec<StepLog>,
    },
    /// The end of an epoch.
    Evaluated(Evaluation),
    /// Nothing is left to do.
    Finished,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrainerState {
    /// Updates done.
    pub global_step: usize,
    /// Updates in all.
    pub max_steps: usize,
    /// Passes over the training rows done.
    pub epoch: f64,
}
