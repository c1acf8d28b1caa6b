//! The losses and gradient norms of updates, which are read back from the device together.

use super::Trainer;
use super::update::Clipping;
use crate::kernels::{DIVERGED, PROCEEDS};
use crate::train::StepLog;
use crate::{Error, Result};
use burn::tensor::Tensor;

/// The log of an update whose loss and norm are on the device.
pub(super) struct PendingLog {
    pub step: usize,
    pub epoch: f64,
    pub learning_rate: f64,
    /// Tokens of all batches before the update, padding included.
    pub padded_tokens_before: usize,
    /// The loss, then the values of the clip.
    pub values: Tensor<1>,
}

impl Trainer {
    /// Reads back the losses and gradient norms of the updates since the last read-back.
    ///
    /// From an update on whose loss or norm is not finite, the device has changed nothing. The logs of the finite
    /// updates before it are returned, the progress is set back to the last of them, and the next call returns the
    /// error.
    ///
    /// # Errors
    /// As [`Trainer::step`].
    pub async fn read_logs(&mut self) -> Result<Vec<StepLog>> {
        if let Some(error) = &self.diverged {
            return Err(error.clone());
        }
        if self.pending.is_empty() {
            return Ok(Vec::new());
        }
        let pending = std::mem::take(&mut self.pending);
        let values = pending.iter().map(|log| log.values.clone()).collect();
        let values = Tensor::cat(values, 0).into_data_async().await?;
        let values: Vec<f32> = values.try_into_vec()?;
        let width = values.len() / pending.len();
        let mut logs = Vec::with_capacity(pending.len());
        for (one, values) in pending.into_iter().zip(values.chunks_exact(width)) {
            let log = StepLog {
                epoch: one.epoch,
                grad_norm: values[1].into(),
                learning_rate: one.learning_rate,
                loss: values[0].into(),
                step: one.step,
            };
            if self.clipping.has_diverged(&values[1..]) {
                self.set_back(&log, one.padded_tokens_before);
                break;
            }
            self.loss_sum += log.loss;
            self.logged_steps += 1;
            logs.push(log);
        }
        match &self.diverged {
            Some(error) if logs.is_empty() => Err(error.clone()),
            _ => Ok(logs),
        }
    }

    /// Ends the run before the update of `log`, which changed nothing.
    fn set_back(&mut self, log: &StepLog, padded_tokens: usize) {
        let (what, value) = match log.loss.is_finite() {
            true => ("gradient norm", log.grad_norm),
            false => ("loss", log.loss),
        };
        self.diverged = Some(Error::Diverged {
            what,
            value: value.to_string(),
            step: log.step,
        });
        self.global_step = log.step - 1;
        self.padded_tokens = padded_tokens;
        self.skip_evaluation();
    }
}

impl Clipping {
    /// Whether this update and all later ones are skipped. `clip` are the values of one update.
    fn has_diverged(&self, clip: &[f32]) -> bool {
        match self {
            Self::Plain(_) => clip[PROCEEDS] == 0.0,
            Self::Scaled(_) => clip[DIVERGED] > 0.0,
        }
    }
}
