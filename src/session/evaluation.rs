//! Evaluation of the test part, and prediction of one text, with the current model.

use super::protocol::{
    ClassView, EvaluationReport, MAX_MISCLASSIFIED, MacroView, MisclassifiedView, PredictResult,
    SessionEvent, WorkEvent,
};
use super::{Listener, Session, check_stop, seconds_since};
use crate::bert::BertForSequenceClassification;
use crate::data::Dataset;
use crate::evaluate::{Evaluation, EvaluationEvent, EvaluationOptions, Evaluator, probabilities};
use crate::hub::{Clock, Environment};
use crate::train::{MemoryProbe, SpeedMetrics, TrainerState, TrainingArguments};
use crate::{Error, Result};
use burn::module::Module;

/// Where and when an evaluation took place.
pub(super) struct EvaluationContext<'a> {
    pub dataset: &'a Dataset,
    /// Row indices of the evaluated rows.
    pub rows: &'a [usize],
    /// None before any training.
    pub state: Option<TrainerState>,
    pub per_device_eval_batch_size: usize,
    pub seconds: f64,
}

impl EvaluationReport {
    pub(super) fn new(evaluation: &Evaluation, context: &EvaluationContext) -> Self {
        let metrics = &evaluation.metrics;
        let rows = evaluation.probabilities.len();
        let batches = rows.div_ceil(context.per_device_eval_batch_size);
        let speed = SpeedMetrics::new(context.seconds, rows as f64, batches);
        let classes = metrics.classes.iter().zip(&context.dataset.labels);
        let misclassified = metrics.misclassified.iter().map(|wrong| {
            let row = context.rows[wrong.at];
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
            eval_runtime: speed.runtime,
            eval_samples_per_second: speed.samples_per_second,
            eval_steps_per_second: speed.steps_per_second,
        }
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Evaluates the current model on the test part, trained or not, with the arguments of its run. Between two batches
    /// it waits for the messages that have arrived, so that `fetch` hears a stop.
    ///
    /// # Errors
    /// [`Error::NotReady`] when the rows are not tokenized or the model has another number of labels,
    /// [`Error::Stopped`], [`Error::NotFinite`], [`Error::Device`].
    pub(super) async fn evaluate(
        &self,
        logits: bool,
        fetch: &E::Fetch,
        listener: &dyn Listener,
    ) -> Result<EvaluationReport> {
        let ((dataset, split), tokens) = (self.require_split()?, self.require_tokens()?);
        let (network, labels, options) = self.current_network()?;
        if network.num_labels() != dataset.labels.len() {
            return Err(Error::NotReady(format!(
                "The model has {} labels, but the dataset has {}. Train it on this dataset first.",
                network.num_labels(),
                dataset.labels.len()
            )));
        }
        if labels != dataset.labels {
            return Err(Error::NotReady(format!(
                "The model's labels are {}, but the dataset's are {}. Train it on this dataset first.",
                labels.join(", "),
                dataset.labels.join(", ")
            )));
        }
        let started = self.clock.now();
        let mut evaluator = Evaluator::new(network.valid(), &tokens.test, &options)?;
        let evaluation = loop {
            let event = evaluator.step(&tokens.test).await?;
            let total = tokens.test.len();
            let (done, evaluation) = match event {
                EvaluationEvent::Batch { done, .. } => (done, None),
                EvaluationEvent::Done(evaluation) => (total, Some(evaluation)),
            };
            listener.event(SessionEvent::Work(WorkEvent::Evaluating { done, total }));
            if let Some(evaluation) = evaluation {
                break evaluation;
            }
            check_stop(&self.clock, fetch, "The evaluation was stopped.").await?;
        };
        let mut report = EvaluationReport::new(
            &evaluation,
            &EvaluationContext {
                dataset,
                rows: &split.test,
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

    /// The trained network, or that of the checkpoint, with its labels, and how it is evaluated on the rows that are
    /// tokenized now.
    fn current_network(
        &self,
    ) -> Result<(
        BertForSequenceClassification,
        Vec<String>,
        EvaluationOptions,
    )> {
        let (model, tokens) = (self.require_model()?, self.require_tokens()?);
        let collator = tokens.collator(model.tokenizer.pad_token_id());
        Ok(match &self.run {
            Some(run) => (
                run.trainer.model()?,
                run.dataset.labels.clone(),
                run.trainer.evaluation(collator),
            ),
            None => {
                let (network, labels) = self.untrained()?;
                let options = TrainingArguments::default().evaluation(collator);
                (network, labels, options)
            }
        })
    }

    /// Classifies a text with the model before training and with the current one.
    ///
    /// # Errors
    /// [`Error::NotReady`] when no model is loaded, [`Error::NotFinite`], [`Error::Device`].
    pub async fn predict(&self, text: &str) -> Result<PredictResult> {
        let model = self.require_model()?;
        let max_length = model.network.bert.embeddings.max_length();
        let encoding = model.tokenizer.encode(text, max_length)?;
        let pad_token_id = model.tokenizer.pad_token_id();
        let (before, after, labels) = match &self.run {
            Some(run) => {
                let labels = run.dataset.labels.clone();
                (run.initial.clone(), Some(run.trainer.model()?), labels)
            }
            None => {
                let (network, labels) = self.untrained()?;
                (network, None, labels)
            }
        };
        let before = probabilities(&before.valid(), &encoding, pad_token_id).await?;
        let after = match after {
            Some(network) => Some(probabilities(&network.valid(), &encoding, pad_token_id).await?),
            None => None,
        };
        Ok(PredictResult {
            labels,
            tokens: model.tokenizer.tokens(&encoding.input_ids),
            truncated: encoding.truncated,
            before,
            after,
        })
    }
}
