//! transformers' `TrainingArguments`, as far as they apply to one device without a disk, and their learning rate
//! schedules.

use crate::bert::CrossEntropy;
use crate::evaluate::{Evaluation, EvaluationOptions};
use crate::tokens::DataCollator;
use serde::{Deserialize, Serialize};

/// The learning rate schedule, a
/// [`SchedulerType`](https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_utils.py) of
/// transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LrSchedulerType {
    /// Warmup, then linear decay to 0.
    Linear,
    /// Warmup, then cosine decay to 0.
    Cosine,
    /// The learning rate does not change.
    Constant,
    /// Warmup, then a constant learning rate.
    ConstantWithWarmup,
}

/// The weights of the classes in the loss.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    /// Each row counts the same.
    #[default]
    None,
    /// Each class counts the same: scikit-learn's `class_weight="balanced"`.
    Balanced,
}

/// The metric of `metric_for_best_model`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricForBestModel {
    /// The loss; the lowest is the best.
    #[default]
    EvalLoss,
    /// The accuracy.
    EvalAccuracy,
    /// The unweighted mean of the F1 of the classes.
    EvalMacroF1,
}

impl MetricForBestModel {
    /// Its value in an evaluation.
    pub fn of(self, evaluation: &Evaluation) -> f64 {
        match self {
            Self::EvalLoss => evaluation.loss,
            Self::EvalAccuracy => evaluation.metrics.accuracy,
            Self::EvalMacroF1 => evaluation.metrics.macro_average.f1,
        }
    }

    /// Whether `value` is better than `best` (`greater_is_better`).
    pub fn is_better(self, value: f64, best: f64) -> bool {
        match self {
            Self::EvalLoss => value < best,
            Self::EvalAccuracy | Self::EvalMacroF1 => value > best,
        }
    }
}

/// When the weights of a run are saved, a
/// [`SaveStrategy`](https://github.com/huggingface/transformers/blob/main/src/transformers/trainer_utils.py) of
/// transformers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaveStrategy {
    /// Never.
    #[default]
    No,
    /// After the evaluation at the end of each epoch.
    Epoch,
    /// Every [`save_steps`](TrainingArguments::save_steps) updates, and after the last one.
    Steps,
    /// After each evaluation that is better than all before it.
    Best,
}

/// The learning rates of the parameter groups in one update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearningRates {
    /// Of embeddings and encoder.
    pub body: f64,
    /// Of pooler and classifier.
    pub head: f64,
}

impl From<f64> for LearningRates {
    fn from(rate: f64) -> Self {
        let (body, head) = (rate, rate);
        Self { body, head }
    }
}

/// The arguments of a run, under their names in transformers'
/// [`TrainingArguments`](https://huggingface.co/docs/transformers/main_classes/trainer#transformers.TrainingArguments).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingArguments {
    /// Passes over the training rows, possibly fractional.
    pub num_train_epochs: f64,
    /// Rows in one forward and backward pass.
    pub per_device_train_batch_size: usize,
    /// Rows in one forward pass of an evaluation.
    pub per_device_eval_batch_size: usize,
    /// Batches whose gradients are accumulated before an update.
    pub gradient_accumulation_steps: usize,
    /// Peak learning rate of the schedule.
    pub learning_rate: f64,
    /// Peak learning rate of pooler and classifier; 0 uses [`learning_rate`](Self::learning_rate).
    #[serde(default)]
    pub head_learning_rate: f64,
    /// The schedule.
    pub lr_scheduler_type: LrSchedulerType,
    /// Steps of warmup; 0 uses [`warmup_ratio`](Self::warmup_ratio).
    pub warmup_steps: usize,
    /// Warmup as a share of all steps.
    pub warmup_ratio: f64,
    /// Decoupled weight decay on every parameter except biases and LayerNorm.
    pub weight_decay: f64,
    /// Maximum norm over all gradients together; 0 disables clipping.
    pub max_grad_norm: f64,
    /// Share of the target distribution that is spread over all classes.
    pub label_smoothing_factor: f64,
    /// The weights of the classes in the loss.
    #[serde(default)]
    pub class_weight: ClassWeight,
    /// Updates of the run; 0 uses `num_train_epochs`.
    pub max_steps: usize,
    /// Whether the run ends with the weights of the epoch whose evaluation is the best.
    #[serde(default)]
    pub load_best_model_at_end: bool,
    /// What the best evaluation is.
    #[serde(default)]
    pub metric_for_best_model: MetricForBestModel,
    /// Evaluations in a row that are no better than the best one after which the run stops; 0 never stops it
    /// (`EarlyStoppingCallback`).
    #[serde(default)]
    pub early_stopping_patience: usize,
    /// When the weights are saved.
    #[serde(default)]
    pub save_strategy: SaveStrategy,
    /// Updates from one saved checkpoint to the next.
    #[serde(default = "default_save_steps")]
    pub save_steps: usize,
    /// The most saved checkpoints that are kept; 0 keeps all.
    #[serde(default)]
    pub save_total_limit: usize,
    /// AdamW: decay of the first moment.
    pub adam_beta1: f64,
    /// AdamW: decay of the second moment.
    pub adam_beta2: f64,
    /// AdamW: epsilon.
    pub adam_epsilon: f64,
    /// Whether the backward pass recomputes each layer's activations: the same gradients in less memory and more time.
    #[serde(default)]
    pub gradient_checkpointing: bool,
    /// Mixed precision: matrix products in f16, parameters in f32, and loss scaling.
    #[serde(default)]
    pub fp16: bool,
    /// Seed of the head, the order of the rows and the dropout masks.
    pub seed: u32,
}

/// That of transformers.
fn default_save_steps() -> usize {
    500
}

impl Default for TrainingArguments {
    /// The defaults of transformers, but nothing is saved: a trainer has no disk.
    fn default() -> Self {
        Self {
            num_train_epochs: 3.0,
            per_device_train_batch_size: 8,
            per_device_eval_batch_size: 8,
            gradient_accumulation_steps: 1,
            learning_rate: 5e-5,
            head_learning_rate: 0.0,
            lr_scheduler_type: LrSchedulerType::Linear,
            warmup_steps: 0,
            warmup_ratio: 0.0,
            weight_decay: 0.0,
            max_grad_norm: 1.0,
            label_smoothing_factor: 0.0,
            class_weight: ClassWeight::None,
            max_steps: 0,
            load_best_model_at_end: false,
            metric_for_best_model: MetricForBestModel::EvalLoss,
            early_stopping_patience: 0,
            save_strategy: SaveStrategy::No,
            save_steps: default_save_steps(),
            save_total_limit: 0,
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
    /// Updates of one epoch of `rows` rows; the last one may have fewer batches.
    pub fn steps_per_epoch(&self, rows: usize) -> usize {
        rows.div_ceil(self.per_device_train_batch_size)
            .div_ceil(self.gradient_accumulation_steps)
            .max(1)
    }

    /// Updates of a run on `rows` rows.
    pub fn total_steps(&self, rows: usize) -> usize {
        match self.max_steps {
            0 => (self.num_train_epochs * self.steps_per_epoch(rows) as f64).ceil() as usize,
            steps => steps,
        }
    }

    /// Epochs of a run on `rows` rows, rounded up (`num_train_epochs` of transformers' `TrainerState`).
    pub fn total_epochs(&self, rows: usize) -> usize {
        match self.max_steps {
            0 => self.num_train_epochs.ceil() as usize,
            steps => steps.div_ceil(self.steps_per_epoch(rows)),
        }
    }

    /// The options of an evaluation with these arguments, without class weights.
    pub fn evaluation(&self, collator: DataCollator) -> EvaluationOptions {
        EvaluationOptions {
            collator,
            per_device_eval_batch_size: self.per_device_eval_batch_size,
            loss: CrossEntropy {
                label_smoothing: self.label_smoothing_factor,
                class_weights: None,
            },
            fp16: self.fp16,
        }
    }

    /// Rows of all epochs of a run on `rows` rows: the estimate behind transformers' `train_samples_per_second`.
    pub fn total_rows(&self, rows: usize) -> f64 {
        match self.max_steps {
            0 => rows as f64 * self.num_train_epochs,
            steps => {
                let group = self.per_device_train_batch_size * self.gradient_accumulation_steps;
                (steps * group) as f64
            }
        }
    }

    /// Updates of the warmup in a run of `total_steps` (`TrainingArguments.get_warmup_steps`).
    pub fn total_warmup_steps(&self, total_steps: usize) -> usize {
        match self.warmup_steps {
            0 => (self.warmup_ratio * total_steps as f64).ceil() as usize,
            steps => steps,
        }
    }

    /// The learning rates of the update `step` (from 0) of `total_steps`. Both have the same schedule.
    pub fn learning_rates_at(&self, step: usize, total_steps: usize) -> LearningRates {
        let body = self.learning_rate_at(step, total_steps);
        let head = match self.head_learning_rate {
            0.0 => body,
            peak => self.rate_at(peak, step, total_steps),
        };
        LearningRates { body, head }
    }

    /// The learning rate of the update `step` (from 0) of `total_steps`, as in transformers'
    /// [`optimization.py`](https://github.com/huggingface/transformers/blob/main/src/transformers/optimization.py).
    pub fn learning_rate_at(&self, step: usize, total_steps: usize) -> f64 {
        self.rate_at(self.learning_rate, step, total_steps)
    }

    /// The learning rate of an update on a schedule of this peak.
    fn rate_at(&self, peak: f64, step: usize, total_steps: usize) -> f64 {
        let warmup = self.total_warmup_steps(total_steps);
        let has_warmup = self.lr_scheduler_type != LrSchedulerType::Constant;
        if has_warmup && step < warmup {
            return peak * step as f64 / warmup.max(1) as f64;
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
        peak * factor.max(0.0)
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
    fn the_warmup_of_the_article_is_longer_than_its_run() {
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
    fn steps_and_epochs_are_those_of_transformers() {
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
