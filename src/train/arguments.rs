//! transformers' `TrainingArguments`, as far as they apply to one device and no disk, and the schedules they name.

use serde::{Deserialize, Serialize};

/// How the learning rate changes over the steps (`SchedulerType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrSchedulerType {
    /// Warmup, then a straight line to 0.
    Linear,
    /// Warmup, then half a cosine to 0.
    Cosine,
    /// No change at all.
    Constant,
    /// Warmup, then no change.
    ConstantWithWarmup,
}

/// The arguments of a run, under their names in transformers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingArguments {
    /// Passes over the training rows; may be fractional.
    pub num_train_epochs: f64,
    /// Rows in one forward and backward pass.
    pub per_device_train_batch_size: usize,
    /// Rows in one forward pass of an evaluation.
    pub per_device_eval_batch_size: usize,
    /// Batches whose gradients are added up before an update.
    pub gradient_accumulation_steps: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Shape of the schedule.
    pub lr_scheduler_type: LrSchedulerType,
    /// Steps of warmup; over [`warmup_ratio`](Self::warmup_ratio) when above 0.
    pub warmup_steps: usize,
    /// Share of all steps that is warmup.
    pub warmup_ratio: f64,
    /// Decoupled weight decay, on everything but biases and LayerNorm.
    pub weight_decay: f64,
    /// Norm over all gradients above which they are scaled down; 0 for never.
    pub max_grad_norm: f64,
    /// Share of the target that is spread over all classes.
    pub label_smoothing_factor: f64,
    /// Updates in all; 0 lets `num_train_epochs` decide.
    pub max_steps: usize,
    /// AdamW's decay of the first moment.
    pub adam_beta1: f64,
    /// AdamW's decay of the second moment.
    pub adam_beta2: f64,
    /// AdamW's epsilon.
    pub adam_epsilon: f64,
    /// Whether the way back computes each layer's activations again instead of keeping them: the same gradients in less memory and more
    /// time.
    #[serde(default)]
    pub gradient_checkpointing: bool,
    /// Whether the matrix products of training and evaluation are in f16, with f32 parameters and loss scaling.
    #[serde(default)]
    pub fp16: bool,
    /// Seed of the head, the order of rows and the dropouts.
    pub seed: u32,
}

impl Default for TrainingArguments {
    /// transformers' defaults.
    fn default() -> Self {
        Self {
            num_train_epochs: 3.0,
            per_device_train_batch_size: 8,
            per_device_eval_batch_size: 8,
            gradient_accumulation_steps: 1,
            learning_rate: 5e-5,
            lr_scheduler_type: LrSchedulerType::Linear,
            warmup_steps: 0,
            warmup_ratio: 0.0,
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            label_smoothing_factor: 0.0,
            max_steps: 0,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            gradient_checkpointing: false,
            fp16: false,
            seed: 42,
        }
    }
}

impl TrainingArguments {
    /// Updates in one pass over `rows`: the last, incomplete group of batches counts.
    pub fn steps_per_epoch(&self, rows: usize) -> usize {
        rows.div_ceil(self.per_device_train_batch_size)
            .div_ceil(self.gradient_accumulation_steps)
            .max(1)
    }

    /// Updates of the whole run on `rows`.
    pub fn total_steps(&self, rows: usize) -> usize {
        match self.max_steps {
            0 => (self.num_train_epochs * self.steps_per_epoch(rows) as f64).ceil() as usize,
            steps => steps,
        }
    }

    /// Passes of the whole run on `rows`, the last one counted whole (`num_train_epochs` of transformers' `TrainerState`).
    pub fn total_epochs(&self, rows: usize) -> usize {
        match self.max_steps {
            0 => self.num_train_epochs.ceil() as usize,
            steps => steps.div_ceil(self.steps_per_epoch(rows)),
        }
    }

    /// Rows of the whole run, a row counted in each pass: the Trainer's estimate, from which it tells samples a second.
    pub fn total_rows(&self, rows: usize) -> f64 {
        match self.max_steps {
            0 => rows as f64 * self.num_train_epochs,
            steps => {
                let group = self.per_device_train_batch_size * self.gradient_accumulation_steps;
                (steps * group) as f64
            }
        }
    }

    /// Updates of the warmup in a run of `total_steps` (`get_warmup_steps`).
    pub fn total_warmup_steps(&self, total_steps: usize) -> usize {
        match self.warmup_steps {
            0 => (self.warmup_ratio * total_steps as f64).ceil() as usize,
            steps => steps,
        }
    }

    /// The learning rate that the update number `step` (from 0) of `total_steps` uses.
    pub fn learning_rate_at(&self, step: usize, total_steps: usize) -> f64 {
        let warmup = self.total_warmup_steps(total_steps);
        let has_warmup = self.lr_scheduler_type != LrSchedulerType::Constant;
        if has_warmup && step < warmup {
            return self.learning_rate * step as f64 / warmup.max(1) as f64;
        }
        let decaying = total_steps.saturating_sub(warmup).max(1) as f64;
        let factor = match self.lr_scheduler_type {
            LrSchedulerType::Constant | LrSchedulerType::ConstantWithWarmup => 1.0,
            LrSchedulerType::Linear => (total_steps.saturating_sub(step)) as f64 / decaying,
            LrSchedulerType::Cosine => {
                let progress = (step - warmup) as f64 / decaying;
                0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
        };
        self.learning_rate * factor.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(kind: LrSchedulerType, warmup_steps: usize) -> TrainingArguments {
        TrainingArguments {
            lr_scheduler_type: kind,
            warmup_steps,
            learning_rate: 1.0,
            ..Default::default()
        }
    }

    fn rates(arguments: &TrainingArguments, total: usize) -> Vec<f64> {
        (0..total)
            .map(|step| arguments.learning_rate_at(step, total))
            .collect()
    }

    #[test]
    fn linear_rises_and_falls() {
        assert_eq!(
            rates(&arguments(LrSchedulerType::Linear, 2), 6),
            [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]
        );
        assert_eq!(rates(&arguments(LrSchedulerType::Linear, 0), 2), [1.0, 0.5]);
    }

    #[test]
    fn the_articles_warmup_never_ends() {
        let article = TrainingArguments {
            warmup_steps: 500,
            ..Default::default()
        };
        let peak = rates(&article, 30).into_iter().fold(0.0, f64::max);
        assert!((peak - 2.9e-6).abs() < 1e-12);
    }

    #[test]
    fn cosine_and_constant() {
        let cosine = rates(&arguments(LrSchedulerType::Cosine, 0), 4);
        for (rate, expected) in cosine.iter().zip([1.0, 0.853_553_39, 0.5, 0.146_446_6]) {
            assert!((rate - expected).abs() < 1e-7);
        }
        assert_eq!(rates(&arguments(LrSchedulerType::Constant, 2), 3), [1.0; 3]);
        assert_eq!(
            rates(&arguments(LrSchedulerType::ConstantWithWarmup, 2), 4),
            [0.0, 0.5, 1.0, 1.0]
        );
    }

    #[test]
    fn counts_steps_as_the_trainer_does() {
        let mut arguments = TrainingArguments::default();
        assert_eq!(
            (arguments.steps_per_epoch(80), arguments.total_steps(80)),
            (10, 30)
        );
        arguments.gradient_accumulation_steps = 4;
        assert_eq!(
            (arguments.steps_per_epoch(80), arguments.total_steps(80)),
            (3, 9)
        );
        arguments.num_train_epochs = 0.5;
        assert_eq!(
            (arguments.total_steps(80), arguments.total_epochs(80)),
            (2, 1)
        );
        assert_eq!(arguments.total_rows(80), 40.0);
        arguments.max_steps = 7;
        assert_eq!(
            (arguments.total_steps(80), arguments.total_epochs(80)),
            (7, 3)
        );
        assert_eq!(arguments.total_rows(80), 7.0 * 32.0);
        arguments.warmup_ratio = 0.1;
        assert_eq!(arguments.total_warmup_steps(30), 3);
        assert_eq!(arguments.total_warmup_steps(31), 4);
    }
}
