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
    /// Whether logs have not been read back yet.
    pub fn has_pending_logs(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Reads back the losses and gradient norms of the updates since the last read-back.
    ///
    /// From an update on whose loss or norm is not finite, the device has changed nothing; of one that the device has
    /// lost, the values are old. The logs of the updates before it are returned, the progress is set back to the last
    /// of them, and the next call returns the error.
    ///
    /// # Errors
    /// As [`Trainer::step`].
    pub async fn read_logs(&mut self) -> Result<Vec<StepLog>> {
        if let Some(error) = &self.failure {
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
            if let Some(failure) = self.clipping.failure(&log, &values[1..]) {
                self.fail(failure, log.step - 1, one.padded_tokens_before);
                break;
            }
            self.loss_sum += log.loss;
            self.logged_steps += 1;
            logs.push(log);
        }
        match &self.failure {
            Some(error) if logs.is_empty() => Err(error.clone()),
            _ => Ok(logs),
        }
    }

    /// Ends the run after `step` updates.
    fn fail(&mut self, failure: Error, step: usize, padded_tokens: usize) {
        self.failure = Some(failure);
        self.global_step = step;
        self.padded_tokens = padded_tokens;
        self.skip_evaluation();
        self.saving.done();
    }
}

impl Clipping {
    /// Why the run ends with the update of `log`, if it does. `clip` are the values that were read for it.
    fn failure(&self, log: &StepLog, clip: &[f32]) -> Option<Error> {
        let updates = clip.last().copied().unwrap_or_default();
        if updates != log.step as f32 {
            return Some(Error::LostUpdate {
                step: log.step,
                done: updates as usize,
            });
        }
        let has_diverged = match self {
            Self::Plain(_) => clip[PROCEEDS] == 0.0,
            Self::Scaled(_) => clip[DIVERGED] > 0.0,
        };
        let (what, value) = match log.loss.is_finite() {
            true => ("gradient norm", log.grad_norm),
            false => ("loss", log.loss),
        };
        has_diverged.then(|| Error::Diverged {
            what,
            value: value.to_string(),
            step: log.step,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::{BertConfig, LoadLimits, random_network};
    use crate::tokens::{DataCollator, Encoding, Example};
    use crate::train::{TrainerOptions, TrainingArguments};
    use burn::tensor::{Device, TensorData};
    use pollster::block_on;

    fn trainer(fp16: bool) -> Trainer {
        let config = BertConfig {
            vocab_size: 8,
            hidden_size: 4,
            num_hidden_layers: 1,
            num_attention_heads: 1,
            intermediate_size: 8,
            max_position_embeddings: 4,
            ..BertConfig::default()
        };
        let device = Device::flex().autodiff();
        let model = random_network(&config, 2, 1, &device, LoadLimits::default());
        let model = block_on(model).unwrap();
        let rows = (0..2).map(|label| Example {
            encoding: Encoding {
                input_ids: vec![1, 2, label + 3],
                truncated: false,
            },
            label: label as usize,
        });
        let options = TrainerOptions {
            arguments: TrainingArguments {
                max_steps: 3,
                fp16,
                ..TrainingArguments::default()
            },
            collator: DataCollator::longest(4, 0),
            shuffle: false,
        };
        Trainer::new(model, rows.collect(), [].into(), options).unwrap()
    }

    #[test]
    fn a_lost_update_is_an_error_and_its_old_values_are_not_logged() {
        for fp16 in [false, true] {
            let mut trainer = trainer(fp16);
            trainer.set_log_every(10);
            // Not by `step`, which reads the logs at the end of an epoch.
            trainer.update().unwrap();
            trainer.update().unwrap();
            // What a read-back returns when the commands of the second update have not run.
            trainer.pending[1].values = trainer.pending[0].values.clone();
            let logs = block_on(trainer.read_logs()).unwrap();
            assert_eq!(logs.iter().map(|log| log.step).collect::<Vec<_>>(), [1]);
            let error = block_on(trainer.step()).unwrap_err();
            assert_eq!(error.code(), "device");
            assert!(error.to_string().contains("lost update 2"), "{error}");
            assert_eq!(trainer.state().global_step, 1);
            assert!(trainer.model().is_ok());
        }
    }

    #[test]
    fn a_buffer_of_zeros_is_a_lost_update_and_no_divergence() {
        let mut trainer = trainer(false);
        trainer.set_log_every(10);
        trainer.update().unwrap();
        let zeros = TensorData::from([0.0_f32; 5]);
        trainer.pending[0].values = Tensor::from_data(zeros, &Device::flex());
        assert_eq!(block_on(trainer.read_logs()).unwrap_err().code(), "device");
        assert_eq!(trainer.state().global_step, 0);
    }
}
