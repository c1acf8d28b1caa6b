//! The trainer, which its caller steps. [`Trainer::step`] does one update or one batch of an evaluation and returns
//! what happened. The trainer owns no clock, thread or storage; the caller may pause, stop or read the model between
//! steps.

mod best;
mod evaluation;
mod logs;
mod resume;
mod update;
mod word_rows;

use super::events::{Event, TrainerState};
use super::saving::SaveControl;
use super::{AdamW, ClassWeight, TrainingArguments};
use crate::bert::{BertForSequenceClassification, CrossEntropy, balanced_class_weights};
use crate::evaluate::{EvaluationOptions, Evaluator};
use crate::kernels::Autocast;
use crate::random::TorchGenerator;
use crate::tokens::{DataCollator, Example};
use crate::{Error, Result};
use best::BestTracker;
use logs::PendingLog;
use std::cell::OnceCell;
use std::rc::Rc;
use update::Clipping;
use word_rows::WordRows;
pub use word_rows::trained_word_rows;

pub use best::BestEvaluation;
pub use resume::{ResumeProgress, ResumeTensors};

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
    /// The options of an evaluation, without class weights.
    pub fn evaluation(&self) -> EvaluationOptions {
        self.arguments.evaluation(self.collator)
    }
}

/// Fine-tunes a classifier step by step, as transformers'
/// [`Trainer`](https://huggingface.co/docs/transformers/main_classes/trainer#transformers.Trainer) does on one device.
pub struct Trainer {
    /// With `word_rows`, its word embeddings have those rows only.
    model: Option<BertForSequenceClassification>,
    word_rows: Option<WordRows>,
    /// The model with the whole table, from the first reader until the next update.
    whole: OnceCell<BertForSequenceClassification>,
    optimizer: AdamW,
    clipping: Clipping,
    options: TrainerOptions,
    loss: CrossEntropy,
    train: Rc<[Example]>,
    /// The rows that are evaluated at the end of each epoch.
    eval: Rc<[Example]>,
    /// The rows that are evaluated at the end of the run, if they are others.
    test: Option<Rc<[Example]>>,
    best: BestTracker,
    saving: SaveControl,
    max_steps: usize,
    steps_per_epoch: usize,
    global_step: usize,
    order: Vec<usize>,
    evaluation_due: bool,
    /// The evaluation in progress.
    evaluator: Option<Evaluator>,
    /// Whether the evaluation that is due is the one of the weights that the run ends with.
    is_final: bool,
    /// Updates before the last evaluation at the end of an epoch.
    evaluated_step: usize,
    /// Updates before the weights of the last evaluation on the test rows.
    tested_step: Option<usize>,
    /// Updates before the weights that were restored.
    restored: Option<usize>,
    /// No update follows.
    stopped: bool,
    /// No update follows because the evaluations did not improve.
    stopped_early: bool,
    /// No update and no evaluation follows.
    ended: bool,
    /// The error of the first update that was not finite, or that the device has lost. No update follows.
    failure: Option<Error>,
    log_every: usize,
    /// Rows and columns of the widest batch.
    widest: [usize; 2],
    /// Tokens of all training batches so far, padding included.
    padded_tokens: usize,
    pending: Vec<PendingLog>,
    /// Sum of the losses that have been read back.
    loss_sum: f64,
    /// Their number.
    logged_steps: usize,
}

impl Trainer {
    /// Prepares a run, which is evaluated on the rows `eval` at the end of each epoch. `model` must be on a device with
    /// autodiff.
    ///
    /// # Errors
    /// [`Error::NotReady`] if there are no training rows, [`Error::Setting`] for `fp16` on a device without f16.
    pub fn new(
        model: BertForSequenceClassification,
        train: Rc<[Example]>,
        eval: Rc<[Example]>,
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
        let max_steps = arguments.total_steps(train.len());
        let labels = train.iter().map(|row| row.label);
        let class_weights = match arguments.class_weight {
            ClassWeight::None => None,
            ClassWeight::Balanced => Some(balanced_class_weights(labels, model.num_labels())),
        };
        let (model, word_rows) = WordRows::split(model, &train, options.collator.pad_token_id);
        Ok(Self {
            optimizer: AdamW::new(arguments),
            best: BestTracker::new(arguments),
            saving: SaveControl::new(arguments),
            clipping: Clipping::new(arguments, &device.without_autodiff()),
            loss: CrossEntropy {
                label_smoothing: arguments.label_smoothing_factor,
                class_weights: class_weights.map(Rc::from),
            },
            max_steps,
            steps_per_epoch: arguments.steps_per_epoch(train.len()),
            global_step: 0,
            order: Vec::new(),
            evaluation_due: false,
            evaluator: None,
            is_final: false,
            evaluated_step: 0,
            tested_step: None,
            restored: None,
            stopped: false,
            stopped_early: false,
            ended: false,
            failure: None,
            log_every: 1,
            widest: options.collator.widest_batch(
                train.iter().map(|row| &row.encoding),
                arguments.per_device_train_batch_size,
            ),
            padded_tokens: 0,
            pending: Vec::new(),
            loss_sum: 0.0,
            logged_steps: 0,
            model: Some(model),
            word_rows,
            whole: OnceCell::new(),
            train,
            eval,
            test: None,
            options,
        })
    }

    /// Stops the updates. The next calls of [`Trainer::step`] return the logs that have not been read back and evaluate
    /// the weights, unless they are evaluated already.
    pub fn stop(&mut self) {
        self.stopped = true;
        if self.is_final {
            return;
        }
        let is_evaluated = self.evaluated_step == self.global_step;
        self.evaluation_due = self.failure.is_none() && !is_evaluated;
    }

    /// Ends the run, without an evaluation, and frees the optimizer state. The model stays; with
    /// `load_best_model_at_end` it is that of the best evaluation so far.
    pub fn end(&mut self) {
        (self.stopped, self.ended) = (true, true);
        self.skip_evaluation();
        self.saving.done();
        self.restore_best();
        self.end_word_rows();
        self.optimizer = AdamW::new(&self.options.arguments);
    }

    /// Rows and columns of the widest training batch.
    pub fn widest_batch(&self) -> [usize; 2] {
        self.widest
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

    /// Whether the caller should save the model before the next step (`TrainerControl.should_save`). The logs of all
    /// updates have been read back then.
    pub fn should_save(&self) -> bool {
        self.saving.is_due()
    }

    /// Goes on after the caller has saved the model, or could not.
    pub fn saved(&mut self) {
        self.saving.done();
    }

    /// Does not ask the caller to save again.
    pub fn stop_saving(&mut self) {
        self.saving.stop();
    }

    /// Whether the model can be used: not after an update that was interrupted.
    pub fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// The model as it is trained.
    fn trained_model(&self) -> Result<&BertForSequenceClassification> {
        self.model.as_ref().ok_or_else(interrupted)
    }

    /// Updates whose loss has been read back and is finite.
    pub fn logged_steps(&self) -> usize {
        self.logged_steps
    }

    /// Mean loss of all updates that have been read back (`train_loss` of transformers); NaN before the first.
    pub fn train_loss(&self) -> f64 {
        self.loss_sum / self.logged_steps as f64
    }

    /// Floating point operations of all updates, as transformers estimates them (`total_flos`): 6 for each token,
    /// padding included, and each parameter outside the embeddings.
    ///
    /// # Errors
    /// As [`Trainer::model`].
    pub fn total_flos(&self) -> Result<f64> {
        let model = self.trained_model()?;
        let parameters = model.named_parameters().into_iter();
        let parameters = parameters.chain(model.adapter_parameters());
        let outside: usize = parameters
            .filter(|parameter| !parameter.name.ends_with("_embeddings.weight"))
            .map(|parameter| parameter.shape.iter().product::<usize>())
            .sum();
        Ok(6.0 * self.padded_tokens as f64 * outside as f64)
    }

    /// Does one update; after the last update of an epoch, one batch of the evaluation; after the whole run, one batch
    /// of the evaluation of its final weights if they are not evaluated, then nothing.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a loss or gradient norm that is not finite (with `fp16`, a gradient norm only if the
    /// loss scale cannot be the reason): the model is that of the last finite update. [`Error::NotFinite`] for logits
    /// of an evaluation that are not finite, [`Error::Device`] if the device fails, [`Error::NotReady`] after an update
    /// that was interrupted.
    pub async fn step(&mut self) -> Result<Event> {
        let is_over = self.stopped || self.global_step >= self.max_steps;
        if self.failure.is_some() || (is_over && !self.pending.is_empty()) {
            let logs = self.read_logs().await?;
            return Ok(Event::Step { tokens: 0, logs });
        }
        if self.evaluation_due {
            return self.evaluate_batch().await;
        }
        if is_over {
            return self.finish().await;
        }
        let tokens = self.update()?;
        let ends_epoch = self.global_step.is_multiple_of(self.steps_per_epoch);
        let ends_run = self.global_step >= self.max_steps;
        self.evaluation_due = ends_epoch || ends_run;
        self.saving.updated(self.global_step, ends_run);
        let reads = self.evaluation_due || self.saving.is_due();
        let logs = if reads || self.pending.len() >= self.log_every {
            self.read_logs().await?
        } else {
            Vec::new()
        };
        Ok(Event::Step { tokens, logs })
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
