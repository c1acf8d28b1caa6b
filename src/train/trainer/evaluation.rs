//! The evaluations of a run: one at the end of each epoch, which may end the run early, and one of the weights that the
//! run ends with.

use super::Trainer;
use super::best::BestEvaluation;
use crate::Result;
use crate::evaluate::{EvaluationEvent, EvaluationOptions, Evaluator};
use crate::tokens::{DataCollator, Example};
use crate::train::Event;
use burn::module::Module;
use std::cell::OnceCell;
use std::rc::Rc;

impl Trainer {
    /// Evaluates other rows than those of the epochs at the end of the run: the test part, where the epochs are
    /// evaluated on a validation part.
    pub fn with_test(mut self, test: Rc<[Example]>) -> Self {
        self.test = Some(test);
        self
    }

    /// The options of an evaluation with the loss function of the run: its class weights are those of its training
    /// rows.
    pub fn evaluation(&self, collator: DataCollator) -> EvaluationOptions {
        EvaluationOptions {
            loss: self.loss.clone(),
            ..self.options.arguments.evaluation(collator)
        }
    }

    /// The best evaluation at the end of an epoch; none without `load_best_model_at_end`, early stopping and
    /// `save_strategy` best.
    pub fn best(&self) -> Option<BestEvaluation> {
        self.best.best()
    }

    /// Whether the run ended before its last update because the evaluations did not improve.
    pub fn has_stopped_early(&self) -> bool {
        self.stopped_early
    }

    /// Updates before the current weights: fewer than all if those of the best evaluation are restored.
    pub fn weights_step(&self) -> usize {
        self.restored.unwrap_or(self.global_step)
    }

    /// Skips the evaluation after the last update, or the rest of it, if one is due.
    pub fn skip_evaluation(&mut self) {
        self.evaluation_due = false;
        self.evaluator = None;
    }

    /// Restores the weights of the best evaluation. No update follows.
    pub(super) fn restore_best(&mut self) {
        if let Some((model, step)) = self.best.take_weights()
            && step != self.global_step
        {
            self.model = Some(model);
            (self.word_rows, self.whole) = (None, OnceCell::new());
            self.restored = Some(step);
        }
    }

    /// Restores the best weights after the last update, and evaluates the weights that the run ends with, unless they
    /// are evaluated on these rows already.
    pub(super) async fn finish(&mut self) -> Result<Event> {
        self.restore_best();
        self.end_word_rows();
        let is_evaluated = match (&self.test, self.restored) {
            (None, None) => true,
            _ => self.tested_step == Some(self.weights_step()),
        };
        if self.ended || is_evaluated {
            return Ok(Event::Finished);
        }
        self.is_final = true;
        self.evaluation_due = true;
        self.evaluate_batch().await
    }

    pub(super) async fn evaluate_batch(&mut self) -> Result<Event> {
        let rows = match &self.test {
            Some(test) if self.is_final => test.clone(),
            _ => self.eval.clone(),
        };
        let mut evaluator = match self.evaluator.take() {
            Some(evaluator) => evaluator,
            None => {
                let model = self.model()?.valid();
                let options = self.evaluation(self.options.collator);
                Evaluator::new(model, &rows, &options)?
            }
        };
        // An evaluation that fails is not repeated.
        self.evaluation_due = false;
        let evaluation = match evaluator.step(&rows).await? {
            EvaluationEvent::Batch { done, total } => {
                self.evaluation_due = true;
                self.evaluator = Some(evaluator);
                return Ok(Event::Evaluating { done, total });
            }
            EvaluationEvent::Done(evaluation) => evaluation,
        };
        if self.is_final || self.test.is_none() {
            self.tested_step = Some(self.weights_step());
        }
        if self.is_final {
            return Ok(Event::FinalEvaluation(evaluation));
        }
        self.evaluated_step = self.global_step;
        let state = self.state();
        let is_best = self.best.observe(&evaluation, state, &self.model()?);
        self.saving.evaluated(is_best);
        if self.best.is_out_of_patience() && !self.stopped {
            self.stopped = true;
            self.stopped_early = self.global_step < self.max_steps;
        }
        Ok(Event::Evaluated(evaluation))
    }
}
