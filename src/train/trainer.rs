//! The trainer, which its caller steps. [`Trainer::step`] does one update or one evaluation and returns what happened.
//! The trainer owns no clock, thread or storage; the caller may pause, stop or read the model between steps.

use super::backward::TrainingStep;
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

/// The options of a run.
#[derive(Debug, Clone)]
pub struct TrainerOptions {
    /// Batches, schedule, optimizer and precision.
    pub arguments: TrainingArguments,
    /// Pads the batches.
    pub collator: DataCollator,
    /// Whether each epoch takes the training rows in a new random order.
    pub shuffle: bool,
}

impl TrainerOptions {
    /// The options of an evaluation.
    pub fn evaluation(&self) -> EvaluationOptions {
        EvaluationOptions {
            collator: self.collator,
            per_device_eval_batch_size: self.arguments.per_device_eval_batch_size,
            label_smoothing_factor: self.arguments.label_smoothing_factor,
            fp16: self.arguments.fp16,
        }
    }
}

/// Fine-tunes a classifier step by step, as transformers'
/// [`Trainer`](https://huggingface.co/docs/transformers/main_classes/trainer#transformers.Trainer) does on one device.
pub struct Trainer {
    model: Option<BertForSequenceClassification>,
    optimizer: AdamW,
    /// Only with `fp16`.
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
    /// Tokens of all training batches so far, padding included.
    padded_tokens: usize,
    pending: Vec<(StepLog, Tensor<1>)>,
    log_history: Vec<StepLog>,
}

impl Trainer {
    /// Prepares a run. `model` must be on a device with autodiff.
    ///
    /// # Errors
    /// [`Error::NotReady`] if there are no training rows, [`Error::Setting`] for `fp16` on a device without f16.
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
            padded_tokens: 0,
            pending: Vec::new(),
            log_history: Vec::new(),
            model: Some(model),
            train,
            eval,
            options,
        })
    }

    /// Ends the run and frees the optimizer state: no further update can be done.
    pub fn end(&mut self) {
        self.finished = true;
        self.optimizer = AdamW::new(&self.options.arguments);
    }

    /// Reads losses back once every `steps` updates, because a read-back stalls the GPU queue.
    pub fn set_log_every(&mut self, steps: usize) {
        self.log_every = steps.max(1);
    }

    /// The progress of the run.
    pub fn state(&self) -> TrainerState {
        TrainerState {
            global_step: self.global_step,
            max_steps: self.max_steps,
            epoch: self.epoch(),
        }
    }

    /// Epochs done, counted in batches as transformers does: the last update of an epoch may have fewer batches.
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

    /// The logs that have been read back.
    pub fn log_history(&self) -> &[StepLog] {
        &self.log_history
    }

    /// The model after the last update.
    ///
    /// # Errors
    /// [`Error::NotReady`] after an update that was interrupted.
    pub fn model(&self) -> Result<&BertForSequenceClassification> {
        self.model.as_ref().ok_or_else(interrupted)
    }

    /// Mean loss of all updates (`train_loss` of transformers); NaN before the first.
    pub fn train_loss(&self) -> f64 {
        let sum: f64 = self.log_history.iter().map(|log| log.loss).sum();
        sum / self.log_history.len() as f64
    }

    /// Floating point operations of all updates, as transformers estimates them (`total_flos`): 6 for each token,
    /// padding included, and each parameter outside the embeddings.
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
        Ok(6.0 * self.padded_tokens as f64 * outside as f64)
    }

    /// Does one update; after the last update of an epoch, one evaluation; after the whole run, nothing. An evaluation
    /// calls `progress` with the rows done and all rows.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a loss or gradient norm that is not finite (with `fp16`, a gradient norm only if the
    /// loss scale cannot be the reason), [`Error::Device`] if the device fails, [`Error::NotReady`] after an update
    /// that was interrupted.
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

    /// Skips the evaluation after the last update, if one is due.
    pub fn skip_evaluation(&mut self) {
        self.evaluation_due = false;
        self.finished = self.global_step >= self.max_steps;
    }

    /// Evaluates the model on the test rows.
    ///
    /// # Errors
    /// As [`evaluate`](crate::evaluate::evaluate) and [`Trainer::model`].
    pub async fn evaluate(&self, progress: &mut dyn FnMut(usize, usize)) -> Result<Evaluation> {
        let model = self.model()?.valid();
        evaluate(&model, &self.eval, &self.options.evaluation(), progress).await
    }

    /// Does one update over the next `gradient_accumulation_steps` batches; returns its tokens without padding.
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
        let model = self.model.take().ok_or_else(interrupted)?;
        let (grads, loss, tokens) = self.gradients(&model, group);
        drop(autocast);
        let rows: Vec<&Encoding> = group.iter().map(|&row| &self.train[row].encoding).collect();
        let padding = self
            .options
            .collator
            .padding_tokens(&rows, arguments.per_device_train_batch_size);
        self.padded_tokens += tokens + padding;
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

    /// Gradients, loss `[1]` and tokens of an update's rows; gradients and loss are averaged over all rows, not over
    /// batches.
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
            let batch_number = self.global_step * arguments.gradient_accumulation_steps + at;
            let _padding = ActivationPadding::new([batch.batch, batch.seq], self.widest);
            let step = TrainingStep {
                model,
                batch: &batch,
                targets,
                rows: group.len(),
                dropouts: DropoutStream::new(arguments.seed, batch_number as u32),
                scale: self.scaler.as_ref().map(GradScaler::scale),
            };
            let (grads, loss) = if arguments.gradient_checkpointing {
                step.checkpointed_gradients()
            } else {
                step.gradients()
            };
            losses.push(loss);
            // The only batch of an update needs no accumulator.
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

    /// Reads back the losses and gradient norms of the updates since the last read-back.
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

/// The error after an update that was interrupted between taking the parameters and writing them.
fn interrupted() -> Error {
    Error::NotReady("The last training step failed half way; load the model again.".into())
}

/// The order of `rows` shuffled rows in `epoch` (from 0): `torch.randperm`, seeded with `seed + epoch` like
/// accelerate's
/// [`SeedableRandomSampler`](https://github.com/huggingface/accelerate/blob/main/src/accelerate/data_loader.py).
pub fn epoch_order(seed: u32, epoch: usize, rows: usize) -> Vec<usize> {
    TorchGenerator::new(seed.wrapping_add(epoch as u32)).randperm(rows)
}
