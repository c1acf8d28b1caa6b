//! The best evaluation of a run: whether its weights are restored at the end, and whether the run stops early.

use crate::bert::BertForSequenceClassification;
use crate::evaluate::Evaluation;
use crate::train::{MetricForBestModel, SaveStrategy, TrainerState, TrainingArguments};
use serde::{Deserialize, Serialize};

/// The best evaluation at the end of an epoch, as transformers' `best_global_step` and `best_metric`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BestEvaluation {
    /// Updates before it.
    pub step: usize,
    /// Epochs before it.
    pub epoch: f64,
    /// Its value of `metric_for_best_model`.
    pub metric: f64,
}

/// Follows the evaluations of a run, as transformers' `load_best_model_at_end` and `EarlyStoppingCallback` (with a
/// threshold of 0) do.
pub(super) struct BestTracker {
    metric: MetricForBestModel,
    /// Whether the weights of the best evaluation are kept.
    keeps_weights: bool,
    /// 0 never stops a run.
    patience: usize,
    /// Whether anything depends on the best evaluation.
    is_used: bool,
    best: Option<BestEvaluation>,
    /// The network at the best evaluation. It shares the parameters that are not trained with the one in training.
    weights: Option<BertForSequenceClassification>,
    /// Evaluations since the best one.
    without_improvement: usize,
}

impl BestTracker {
    pub(super) fn new(arguments: &TrainingArguments) -> Self {
        Self {
            metric: arguments.metric_for_best_model,
            keeps_weights: arguments.load_best_model_at_end,
            patience: arguments.early_stopping_patience,
            is_used: arguments.load_best_model_at_end
                || arguments.early_stopping_patience > 0
                || arguments.save_strategy == SaveStrategy::Best,
            best: None,
            weights: None,
            without_improvement: 0,
        }
    }

    /// Compares an evaluation of `model` with the best one: only a better one replaces it, not an equal one. Returns
    /// whether it did.
    pub(super) fn observe(
        &mut self,
        evaluation: &Evaluation,
        state: TrainerState,
        model: &BertForSequenceClassification,
    ) -> bool {
        if !self.is_used {
            return false;
        }
        let metric = self.metric.of(evaluation);
        let is_better = |best: BestEvaluation| self.metric.is_better(metric, best.metric);
        if !self.best.is_none_or(is_better) {
            self.without_improvement += 1;
            return false;
        }
        self.without_improvement = 0;
        self.best = Some(BestEvaluation {
            step: state.global_step,
            epoch: state.epoch,
            metric,
        });
        // The kernel of the next update writes to new buffers while this network has the old ones.
        self.weights = self.keeps_weights.then(|| model.clone());
        true
    }

    /// Whether the last evaluations were no better than the best one, as many of them as the patience.
    pub(super) fn is_out_of_patience(&self) -> bool {
        self.patience > 0 && self.without_improvement >= self.patience
    }

    pub(super) fn best(&self) -> Option<BestEvaluation> {
        self.best
    }

    /// The best evaluation, and the number of evaluations since.
    pub(super) fn state(&self) -> (Option<BestEvaluation>, usize) {
        (self.best, self.without_improvement)
    }

    /// The network at the best evaluation, if it is kept.
    pub(super) fn weights(&self) -> Option<&BertForSequenceClassification> {
        self.weights.as_ref()
    }

    /// Continues from what [`state`](Self::state) and [`weights`](Self::weights) have returned.
    pub(super) fn resume(
        &mut self,
        best: Option<BestEvaluation>,
        without_improvement: usize,
        weights: Option<BertForSequenceClassification>,
    ) {
        (self.best, self.without_improvement) = (best, without_improvement);
        self.weights = weights;
    }

    /// Returns the kept weights and the number of updates before them, once.
    pub(super) fn take_weights(&mut self) -> Option<(BertForSequenceClassification, usize)> {
        let weights = self.weights.take()?;
        self.best.map(|best| (weights, best.step))
    }
}
