//! The trainer: a machine that is stepped. One [`Trainer::step`] does one update, or one evaluation, and says what happened.
//! It owns no clock, no thread, no storage; whoever drives it may pause, stop or read the model between steps.

use super::backward::Pass;
use super::events::{Event, StepLog, TrainerState};
use super::{AdamW, GradScaler, TrainingArguments, norm_and_clip, sum_of_squares};
use crate::bert::{BertForSequenceClassification, targets};
use crate::evaluate::{Evaluation, EvaluationOptions, evaluate};
use crate::kernels::{ActivationPadding, Autocast, DropoutStream};
use crate::random::TorchGenerator;
use crate::tokens::{DataCollator, Encoding, Example};
use crate::{Error, Result};
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

/// Everything a run needs that is not the model.
#[derive(Debug, Clone)]
pub struct TrainerOptions {
    /// `TrainingArguments`.
    pub arguments: TrainingArguments,
    /// Pads the batches.
    pub collator: DataCollator,
    /// Whether the training rows are shuffled in each epoch; the recordings of the reference take them in order.
    pub shuffle: bool,
}

impl TrainerOptions {
    /// What an evaluation with these options reads of them.
    pub fn evaluation(&self) -> EvaluationOptions {
        EvaluationOptions {
            collator: self.collator,
            per_device_eval_batch_size: self.arguments.per_device_eval_batch_size,
            label_smoothing_factor: self.arguments.label_smoothing_factor,
            fp16: self.arguments.fp16,
        }
    }
}

/// Fine-tunes a classifier, a step at a time.
pub struct Trainer {
    model: Option<BertForSequenceClassification>,
    optimizer: AdamW,
    /// With `fp16`.
    scaler: Option<GradScaler>,
    options: TrainerOptions,
    train: Vec<Example>,
    eval: Vec<Example>,
    max_steps: usize,
    steps_per_epoch: usize,
    global_step: usize,
    order: Vec<usize>,
    evaluation_due: bool,
    finished: bool,
    log_every: usize,
    /// Rows and columns of the widest batch.
    widest: [usize; 2],
    /// Tokens that went through the network, padding included.
    positions: usize,
    pending: Vec<(StepLog, Tensor<1>)>,
    log_history: Vec<StepLog>,
}

impl Trainer {
    /// A run that has not begun. `model` must be on a device with autodiff.
    ///
    /// # Errors
    /// [`Error::NotReady`] when there are no training rows, [`Error::Setting`] for `fp16` on a device that cannot compute in f16.
    pub fn new(
        model: BertForSequenceClassification,
        train: Vec<Example>,
        eval: Vec<Example>,
        options: TrainerOptions,
    ) -> Result<Self> {
        if train.is_empty() {
            return Err(Error::NotReady(
                "There are no training rows. Make the split first.".into(),
            ));
        }
        let arguments = &options.arguments;
        let device = model.device();
        Autocast::new(&device, arguments.fp16)?;
        let scaler = arguments
            .fp16
            .then(|| GradScaler::new(arguments, &device.without_autodiff()));
        let max_steps = arguments.total_steps(train.len());
        Ok(Self {
            optimizer: AdamW::new(arguments),
            scaler,
            max_steps,
            steps_per_epoch: arguments.steps_per_epoch(train.len()),
            global_step: 0,
            order: Vec::new(),
            evaluation_due: false,
            finished: max_steps == 0,
            log_every: 1,
            widest: options.collator.widest_batch(
                train.iter().map(|row| &row.encoding),
                arguments.per_device_train_batch_size,
            ),
            positions: 0,
            pending: Vec::new(),
            log_history: Vec::new(),
            model: Some(model),
            train,
            eval,
            options,
        })
    }

    /// The losses of `steps` updates are read from the device together: reading holds a GPU's queue back.
    pub fn set_log_every(&mut self, steps: usize) {
        self.log_every = steps.max(1);
    }

    /// How far the run is.
    pub fn state(&self) -> TrainerState {
        TrainerState {
            global_step: self.global_step,
            max_steps: self.max_steps,
            epoch: self.epoch(),
        }
    }

    /// Passes done, counted in batches as the Trainer does: the last update of an epoch may have fewer of them.
    fn epoch(&self) -> f64 {
        let arguments = &self.options.arguments;
        let batches = self
            .train
            .len()
            .div_ceil(arguments.per_device_train_batch_size);
        let Some(before) = self.global_step.checked_sub(1) else {
            return 0.0;
        };
        let updates = before % self.steps_per_epoch + 1;
        let done = (updates * arguments.gradient_accumulation_steps).min(batches);
        (before / self.steps_per_epoch) as f64 + done as f64 / batches as f64
    }

    /// Every log that was read so far.
    pub fn log_history(&self) -> &[StepLog] {
        &self.log_history
    }

    /// The model as it is now.
    ///
    /// # Errors
    /// [`Error::NotReady`] after a step that failed half way.
    pub fn model(&self) -> Result<&BertForSequenceClassification> {
        self.model.as_ref().ok_or_else(|| {
            Error::NotReady("The last training step failed half way; load the model again.".into())
        })
    }

    /// The mean of the losses of all updates (`train_loss`); NaN before the first.
    pub fn train_loss(&self) -> f64 {
        let sum: f64 = self.log_history.iter().map(|log| log.loss).sum();
        sum / self.log_history.len() as f64
    }

    /// Floating point operations of the updates so far, as the Trainer estimates them (`total_flos`): six for each token, padding included,
    /// and each parameter outside the embeddings.
    ///
    /// # Errors
    /// As [`Trainer::model`].
    pub fn total_flos(&self) -> Result<f64> {
        let model = self.model()?;
        let parameters = model.named_parameters().into_iter();
        let parameters = parameters.chain(model.adapter_parameters());
        let outside: usize = parameters
            .filter(|parameter| !parameter.name.ends_with("_embeddings.weight"))
            .map(|parameter| parameter.shape.iter().product::<usize>())
            .sum();
        Ok(6.0 * self.positions as f64 * outside as f64)
    }

    /// Does one update; after the last one of an epoch, one evaluation; after all of them, nothing. `progress` is told how many of
    /// how many rows an evaluation has done.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a loss or gradient norm that is not finite (with `fp16`, the latter only where the loss scale cannot be the
    /// reason), [`Error::Device`] from the device.
    pub async fn step(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<Event> {
        if self.evaluation_due {
            self.skip_evaluation();
            return self.evaluate(progress).await.map(Event::Evaluated);
        }
        if self.finished {
            return Ok(Event::Finished);
        }
        let tokens = self.update()?;
        let ends_epoch = self.global_step.is_multiple_of(self.steps_per_epoch);
        let ends_run = self.global_step >= self.max_steps;
        self.evaluation_due = ends_epoch || ends_run;
        let logs = if self.evaluation_due || self.pending.len() >= self.log_every {
            self.read_logs().await?
        } else {
            Vec::new()
        };
        Ok(Event::Step { tokens, logs })
    }

    /// Leaves out the evaluation that the last step made due, if any.
    pub fn skip_evaluation(&mut self) {
        self.evaluation_due = false;
        self.finished = self.global_step >= self.max_steps;
    }

    /// Evaluates the model as it is now on the test part.
    ///
    /// # Errors
    /// [`Error::Device`] from the device.
    pub async fn evaluate(&self, progress: &mut dyn FnMut(usize, usize)) -> Result<Evaluation> {
        let model = self.model()?.valid();
        evaluate(&model, &self.eval, &self.options.evaluation(), progress).await
    }

    /// One update over the next group of batches.
    fn update(&mut self) -> Result<usize> {
        let arguments = self.options.arguments.clone();
        let step_in_epoch = self.global_step % self.steps_per_epoch;
        if step_in_epoch == 0 {
            self.order = self.epoch_order(self.global_step / self.steps_per_epoch);
        }
        let group_rows =
            arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps;
        let start = step_in_epoch * group_rows;
        let group = &self.order[start..(start + group_rows).min(self.order.len())];
        let autocast = Autocast::new(&self.model()?.device(), arguments.fp16)?;
        let model = self.model.take().ok_or_else(|| {
            Error::NotReady("The last training step failed half way; load the model again.".into())
        })?;
        let (grads, loss, tokens) = self.gradients(&model, group);
        drop(autocast);
        let rows: Vec<&Encoding> = group.iter().map(|&row| &self.train[row].encoding).collect();
        let padding = self
            .options
            .collator
            .padding_tokens(&rows, arguments.per_device_train_batch_size);
        self.positions += tokens + padding;
        let clip = match &mut self.scaler {
            Some(scaler) => scaler.update(sum_of_squares(&model, &grads)),
            None => norm_and_clip(&model, &grads, arguments.max_grad_norm),
        };
        let learning_rate = arguments.learning_rate_at(self.global_step, self.max_steps);
        self.model = Some(
            self.optimizer
                .step(model, grads, clip.clone(), learning_rate),
        );
        self.global_step += 1;
        let log = StepLog {
            step: self.global_step,
            epoch: self.epoch(),
            loss: f64::NAN,
            learning_rate,
            grad_norm: f64::NAN,
        };
        self.pending.push((log, Tensor::cat(vec![loss, clip], 0)));
        Ok(tokens)
    }

    /// Gradients and loss, averaged over the rows of the group, whatever batches they are cut into.
    fn gradients(
        &self,
        model: &BertForSequenceClassification,
        group: &[usize],
    ) -> (GradientsParams, Tensor<1>, usize) {
        let arguments = &self.options.arguments;
        let device = model.device();
        let mut accumulated = GradientsAccumulator::new();
        let mut losses = Vec::new();
        let mut tokens = 0;
        for (at, rows) in group
            .chunks(arguments.per_device_train_batch_size)
            .enumerate()
        {
            let encodings: Vec<&Encoding> =
                rows.iter().map(|&row| &self.train[row].encoding).collect();
            let labels: Vec<usize> = rows.iter().map(|&row| self.train[row].label).collect();
            let batch = self.options.collator.collate(&encodings);
            tokens += batch.real_tokens();
            let targets = targets(
                &labels,
                model.num_labels(),
                arguments.label_smoothing_factor,
                &device,
            );
            let pass = self.global_step * arguments.gradient_accumulation_steps + at;
            let _room = ActivationPadding::new([batch.batch, batch.seq], self.widest);
            let pass = Pass {
                model,
                batch: &batch,
                targets,
                rows: group.len(),
                dropouts: DropoutStream::new(arguments.seed, pass as u32),
                scale: self.scaler.as_ref().map(GradScaler::scale),
            };
            let (grads, loss) = if arguments.gradient_checkpointing {
                pass.layer_by_layer()
            } else {
                pass.whole()
            };
            losses.push(loss);
            if group.len() <= arguments.per_device_train_batch_size {
                let loss = losses.remove(0);
                return (grads, loss, tokens);
            }
            accumulated.accumulate(model, grads);
        }
        let loss = Tensor::cat(losses, 0).sum();
        (accumulated.grads(), loss, tokens)
    }

    fn epoch_order(&self, epoch: usize) -> Vec<usize> {
        if !self.options.shuffle {
            return (0..self.train.len()).collect();
        }
        epoch_order(self.options.arguments.seed, epoch, self.train.len())
    }

    /// Reads the losses and norms of the updates since the last read.
    ///
    /// # Errors
    /// As [`Trainer::step`].
    pub async fn read_logs(&mut self) -> Result<Vec<StepLog>> {
        if self.pending.is_empty() {
            return Ok(Vec::new());
        }
        let (mut logs, values): (Vec<StepLog>, Vec<Tensor<1>>) = self.pending.drain(..).unzip();
        let values = Tensor::cat(values, 0).into_data_async().await?;
        let values: Vec<f32> = values.try_into_vec()?;
        let width = values.len() / logs.len();
        for (log, values) in logs.iter_mut().zip(values.chunks_exact(width)) {
            log.loss = values[0].into();
            log.grad_norm = values[1].into();
            let skipped = self.scaler.is_some()
                && log.loss.is_finite()
                && GradScaler::tolerates(&values[1..]);
            for (what, value) in [("loss", log.loss), ("gradient norm", log.grad_norm)] {
                if !value.is_finite() && !skipped {
                    return Err(Error::Diverged {
                        what,
                        value: value.to_string(),
                        step: log.step,
                    });
                }
            }
        }
        self.log_history.extend(&logs);
        Ok(logs)
    }
}

/// The order in which `epoch` (from 0) takes `rows` shuffled rows: `torch.randperm`, seeded with `seed + epoch` as accelerate's
/// `SeedableRandomSampler` is.
pub fn epoch_order(seed: u32, epoch: usize, rows: usize) -> Vec<usize> {
    TorchGenerator::new(seed.wrapping_add(epoch as u32)).randperm(rows)
}
