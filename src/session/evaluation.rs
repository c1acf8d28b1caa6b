//! Evaluation of the test part, and prediction of one text, with the current model.

use super::protocol::{
    ClassView, EvaluationReport, MAX_MISCLASSIFIED, MacroView, MisclassifiedView, PredictResult,
    SessionEvent, WorkEvent,
};
use super::{Listener, Session, seconds_since};
use crate::data::Dataset;
use crate::evaluate::{Evaluation, EvaluationOptions, evaluate, probabilities};
use crate::hub::{Clock, Environment};
use crate::train::{MemoryProbe, TrainerState, TrainingArguments};
use crate::{Error, Result};
use burn::module::Module;

/// Where and when an evaluation took place.
pub(super) struct EvaluationContext<'a> {
    pub dataset: &'a Dataset,
    /// Row indices of the test part.
    pub test: &'a [usize],
    /// None before any training.
    pub state: Option<TrainerState>,
    pub per_device_eval_batch_size: usize,
    pub seconds: f64,
}

impl EvaluationReport {
    pub(super) fn new(evaluation: &Evaluation, context: &EvaluationContext) -> Self {
        let metrics = &evaluation.metrics;
        let rows = evaluation.probabilities.len();
        let seconds = context.seconds.max(1e-6);
        let classes = metrics.classes.iter().zip(&context.dataset.labels);
        let misclassified = metrics.misclassified.iter().map(|wrong| {
            let row = context.test[wrong.at];
            MisclassifiedView {
                row,
                text: context.dataset.rows[row].text.clone(),
                label: wrong.label,
                predicted: wrong.predicted,
                probabilities: evaluation.probabilities[wrong.at].clone(),
            }
        });
        Self {
            step: context.state.map_or(0, |state| state.global_step),
            epoch: context.state.map_or(0.0, |state| state.epoch),
            eval_loss: evaluation.loss,
            eval_accuracy: metrics.accuracy,
            classes: classes
                .map(|(class, label)| ClassView {
                    label: label.clone(),
                    precision: class.precision,
                    recall: class.recall,
                    f1: class.f1,
                    support: class.support,
                })
                .collect(),
            macro_average: MacroView {
                precision: metrics.macro_average.precision,
                recall: metrics.macro_average.recall,
                f1: metrics.macro_average.f1,
            },
            confusion: metrics.confusion.clone(),
            num_misclassified: metrics.misclassified.len(),
            misclassified: misclassified.take(MAX_MISCLASSIFIED).collect(),
            logits: None,
            eval_runtime: context.seconds,
            eval_samples_per_second: rows as f64 / seconds,
            eval_steps_per_second: rows.div_ceil(context.per_device_eval_batch_size) as f64
                / seconds,
        }
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Evaluates the current model on the test part, trained or not.
    ///
    /// # Errors
    /// [`Error::NotReady`] when the rows are not tokenized or the model has another number of labels,
    /// [`Error::Device`].
    pub(super) async fn evaluate(
        &self,
        logits: bool,
        listener: &dyn Listener,
    ) -> Result<EvaluationReport> {
        let started = self.clock.now();
        let ((dataset, split), tokens) = (self.require_split()?, self.require_tokens()?);
        let model = self.require_model()?;
        let network = match &self.run {
            Some(run) => run.trainer.model()?,
            None => &model.network,
        };
        if network.num_labels() != dataset.labels.len() {
            return Err(Error::NotReady(format!(
                "The model has {} labels, but the dataset has {}. Train it on this dataset first.",
                network.num_labels(),
                dataset.labels.len()
            )));
        }
        let defaults = TrainingArguments::default();
        let arguments = self.run.as_ref().map_or(&defaults, |run| &run.arguments);
        let options = EvaluationOptions {
            collator: tokens.collator(model.tokenizer.pad_token_id()),
            per_device_eval_batch_size: arguments.per_device_eval_batch_size,
            label_smoothing_factor: 0.0,
            fp16: arguments.fp16,
        };
        let mut progress = |done, total| report_progress(listener, done, total);
        let evaluation = evaluate(&network.valid(), &tokens.test, &options, &mut progress).await?;
        let mut report = EvaluationReport::new(
            &evaluation,
            &EvaluationContext {
                dataset,
                test: &split.test,
                state: self.run.as_ref().map(|run| run.trainer.state()),
                per_device_eval_batch_size: options.per_device_eval_batch_size,
                seconds: seconds_since(&self.clock, started),
            },
        );
        if logits {
            report.logits = Some(evaluation.logits);
        }
        Ok(report)
    }

    /// Classifies a text with the model before training and with the current one.
    ///
    /// # Errors
    /// [`Error::NotReady`] when no model is loaded, [`Error::Device`].
    pub async fn predict(&self, text: &str) -> Result<PredictResult> {
        let model = self.require_model()?;
        let max_length = model.network.bert.embeddings.max_length();
        let encoding = model.tokenizer.encode(text, max_length)?;
        let pad_token_id = model.tokenizer.pad_token_id();
        let (before, after) = match &self.run {
            Some(run) => (&run.initial, Some(run.trainer.model()?)),
            None => (&model.network, None),
        };
        let before = probabilities(&before.valid(), &encoding, pad_token_id).await?;
        let after = match after {
            Some(network) => Some(probabilities(&network.valid(), &encoding, pad_token_id).await?),
            None => None,
        };
        Ok(PredictResult {
            tokens: model.tokenizer.tokens(&encoding.input_ids),
            truncated: encoding.truncated,
            before,
            after,
        })
    }
}

pub(super) fn report_progress(listener: &dyn Listener, done: usize, total: usize) {
    listener.event(SessionEvent::Work(WorkEvent::Evaluating { done, total }));
}
