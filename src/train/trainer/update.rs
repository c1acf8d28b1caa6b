//! One update: the gradients of its batches, clipping, AdamW.

use super::logs::PendingLog;
use super::{Trainer, epoch_order, interrupted};
use crate::bert::BertForSequenceClassification;
use crate::kernels::{ActivationPadding, Autocast, DropoutStream};
use crate::tokens::Encoding;
use crate::train::backward::TrainingStep;
use crate::train::{GradScaler, GradientClipper, TrainingArguments, partial_sums_of_squares};
use crate::{Error, Result};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Device, Tensor};

/// What clips the gradients and decides whether an update proceeds.
pub(super) enum Clipping {
    Plain(GradientClipper),
    /// With `fp16`.
    Scaled(GradScaler),
}

impl Clipping {
    /// The state before the first update. `device` is without autodiff.
    pub(super) fn new(arguments: &TrainingArguments, device: &Device) -> Self {
        if arguments.fp16 {
            Self::Scaled(GradScaler::new(arguments, device))
        } else {
            Self::Plain(GradientClipper::new(arguments.max_grad_norm, device))
        }
    }

    /// What the next update depends on, `[CLIP_VALUES]` or with `fp16` `[SCALER_VALUES]`.
    pub(super) fn state(&self) -> Tensor<1> {
        match self {
            Self::Plain(clipper) => clipper.state(),
            Self::Scaled(scaler) => scaler.state(),
        }
    }

    /// Continues from a [`state`](Self::state).
    ///
    /// # Errors
    /// [`Error::Resume`] for one of another size.
    pub(super) fn set_state(&mut self, state: Tensor<1>) -> Result<()> {
        if state.dims() != self.state().dims() {
            return Err(Error::Resume("its state of fp16 is another".into()));
        }
        match self {
            Self::Plain(clipper) => clipper.set_state(state),
            Self::Scaled(scaler) => scaler.set_state(state),
        }
        Ok(())
    }

    /// The loss scale, `[1]`; none without `fp16`.
    fn scale(&self) -> Option<Tensor<1>> {
        match self {
            Self::Plain(_) => None,
            Self::Scaled(scaler) => Some(scaler.scale()),
        }
    }
}

impl Trainer {
    /// Does one update over the next `gradient_accumulation_steps` batches; returns its tokens without padding.
    pub(super) fn update(&mut self) -> Result<usize> {
        let arguments = self.options.arguments.clone();
        let step_in_epoch = self.global_step % self.steps_per_epoch;
        if step_in_epoch == 0 {
            self.order = self.epoch_order(self.global_step / self.steps_per_epoch);
        }
        let group_rows =
            arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps;
        let start = step_in_epoch * group_rows;
        let group = &self.order[start..(start + group_rows).min(self.order.len())];
        let autocast = Autocast::new(&self.trained_model()?.device(), arguments.fp16)?;
        // The optimizer writes in place what only the model references.
        self.whole.take();
        let model = self.model.take().ok_or_else(interrupted)?;
        let rates = arguments.learning_rates_at(self.global_step, self.max_steps);
        self.optimizer.prepare(rates, &model.device());
        let (grads, loss, tokens) = self.gradients(&model, group);
        drop(autocast);
        let rows: Vec<&Encoding> = group.iter().map(|&row| &self.train[row].encoding).collect();
        let padding = self
            .options
            .collator
            .padding_tokens(&rows, arguments.per_device_train_batch_size);
        let padded_tokens_before = self.padded_tokens;
        self.padded_tokens += tokens + padding;
        let squares = partial_sums_of_squares(&model, &grads);
        let clip = match &mut self.clipping {
            Clipping::Plain(clipper) => clipper.update(squares, loss.clone()),
            Clipping::Scaled(scaler) => scaler.update(squares, loss.clone()),
        };
        self.model = Some(self.optimizer.step(model, grads, clip.clone(), rates));
        if let Some(rows) = &mut self.word_rows {
            rows.updated(&clip, rates.body * arguments.weight_decay);
        }
        self.global_step += 1;
        self.pending.push(PendingLog {
            step: self.global_step,
            epoch: self.epoch(),
            learning_rate: rates.body,
            padded_tokens_before,
            values: Tensor::cat(vec![loss, clip], 0),
        });
        Ok(tokens)
    }

    /// Gradients, loss `[1]` and tokens of an update's rows; gradients and loss are averaged over all rows, not over
    /// batches. With class weights the mean is weighted, as in one batch of all these rows.
    fn gradients(
        &self,
        model: &BertForSequenceClassification,
        group: &[usize],
    ) -> (GradientsParams, Tensor<1>, usize) {
        let arguments = &self.options.arguments;
        let device = model.device();
        let weight = self
            .loss
            .weight(group.iter().map(|&row| self.train[row].label));
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
            let mut batch = self.options.collator.collate(&encodings);
            if let Some(rows) = &self.word_rows {
                rows.localize(&mut batch.input_ids);
            }
            tokens += batch.real_tokens();
            let targets = self.loss.targets(&labels, model.num_labels(), &device);
            let batch_number = self.global_step * arguments.gradient_accumulation_steps + at;
            let _padding = ActivationPadding::new([batch.batch, batch.seq], self.widest);
            let step = TrainingStep {
                model,
                batch: &batch,
                targets,
                weight,
                dropouts: DropoutStream::new(arguments.seed, batch_number as u32),
                scale: self.clipping.scale(),
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

    pub(super) fn epoch_order(&self, epoch: usize) -> Vec<usize> {
        if !self.options.shuffle {
            return (0..self.train.len()).collect();
        }
        epoch_order(self.options.arguments.seed, epoch, self.train.len())
    }
}
