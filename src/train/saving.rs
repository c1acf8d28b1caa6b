//! Which steps of a run are saved, and which saved checkpoints are kept, as transformers' `DefaultFlowCallback`,
//! `rotate_checkpoints` and the end of `Trainer.train` decide.

use super::{SaveStrategy, TrainingArguments};

/// Decides when the caller of a trainer saves its model (`TrainerControl.should_save`).
pub(super) struct SaveControl {
    strategy: SaveStrategy,
    save_steps: usize,
    is_due: bool,
}

impl SaveControl {
    /// That of a run with these arguments.
    pub(super) fn new(arguments: &TrainingArguments) -> Self {
        Self {
            strategy: arguments.save_strategy,
            save_steps: arguments.save_steps.max(1),
            is_due: false,
        }
    }

    /// Follows the update `step` (`on_step_end`). The evaluation at the end of an epoch comes after it.
    pub(super) fn updated(&mut self, step: usize, ends_run: bool) {
        if self.strategy == SaveStrategy::Steps {
            self.is_due = ends_run || step.is_multiple_of(self.save_steps);
        }
    }

    /// Follows an evaluation at the end of an epoch (`on_epoch_end`), also of the last one, which may be a part.
    pub(super) fn evaluated(&mut self, is_best: bool) {
        match self.strategy {
            SaveStrategy::Epoch => self.is_due = true,
            SaveStrategy::Best => self.is_due = is_best,
            SaveStrategy::No | SaveStrategy::Steps => {}
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.is_due
    }

    pub(super) fn done(&mut self) {
        self.is_due = false;
    }

    /// Saves nothing from now on.
    pub(super) fn stop(&mut self) {
        self.strategy = SaveStrategy::No;
        self.done();
    }
}

/// The saved checkpoints of a run: at most `save_total_limit`, of which the oldest goes first. The latest one stays,
/// and so does the best one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckpointRotation {
    /// 0 keeps all.
    limit: usize,
    /// The steps of those that are kept, the oldest first.
    steps: Vec<usize>,
    /// The step of the best one (`best_model_checkpoint`).
    best: Option<usize>,
}

impl CheckpointRotation {
    /// No checkpoint yet.
    pub fn new(save_total_limit: usize) -> Self {
        Self {
            limit: save_total_limit,
            ..Self::default()
        }
    }

    /// The steps of the checkpoints that are kept, the oldest first.
    pub fn steps(&self) -> &[usize] {
        &self.steps
    }

    /// The step of the best checkpoint. It is not the best evaluation where the weights of that were not saved.
    pub fn best(&self) -> Option<usize> {
        self.best
    }

    /// Adds the checkpoint of `step`. `best_step` is the step of the best evaluation (`best_global_step`).
    ///
    /// A best evaluation at the end of an epoch comes after the checkpoint of its own step with
    /// [`SaveStrategy::Steps`], so it counts from the next checkpoint on.
    #[must_use]
    pub fn saved(&self, step: usize, best_step: Option<usize>) -> Self {
        let mut next = self.clone();
        next.steps.retain(|&other| other != step);
        next.steps.push(step);
        if let Some(best) = best_step.filter(|best| next.steps.contains(best)) {
            next.best = Some(best);
        }
        next.rotate(step);
        next
    }

    fn rotate(&mut self, latest: usize) {
        if self.limit == 0 {
            return;
        }
        let is_protected = |step: usize| step == latest || Some(step) == self.best;
        let protected = self.steps.iter().filter(|&&step| is_protected(step));
        let kept = self.limit.max(protected.count());
        let mut extra = self.steps.len().saturating_sub(kept);
        let best = self.best;
        self.steps.retain(|&step| {
            let goes = extra > 0 && step != latest && Some(step) != best;
            extra -= usize::from(goes);
            !goes
        });
    }

    /// Ends the run: where only one checkpoint may be kept, and one is the best, the latest one goes.
    #[must_use]
    pub fn finished(&self) -> Self {
        let mut next = self.clone();
        if let (1, Some(best)) = (self.limit, self.best) {
            next.steps.retain(|&step| step == best);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::MetricForBestModel;
    use serde::Deserialize;

    /// A run of the Trainer: `tests/fixtures/reference/checkpoints.py` has recorded it.
    #[derive(Deserialize)]
    struct Recorded {
        arguments: Arguments,
        rows: usize,
        /// The value of `metric_for_best_model` in each evaluation.
        metrics: Vec<f64>,
        events: Vec<Saved>,
        finished: Vec<usize>,
        best_model_checkpoint: Option<usize>,
        global_step: usize,
    }

    #[derive(Deserialize)]
    struct Arguments {
        save_strategy: SaveStrategy,
        save_steps: usize,
        save_total_limit: usize,
        load_best_model_at_end: bool,
        early_stopping_patience: usize,
        per_device_train_batch_size: usize,
        gradient_accumulation_steps: usize,
        num_train_epochs: f64,
        max_steps: usize,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Saved {
        step: usize,
        /// The checkpoints on the disk afterwards.
        kept: Vec<usize>,
        best_global_step: Option<usize>,
        best_model_checkpoint: Option<usize>,
    }

    fn recorded() -> Vec<Recorded> {
        let text = include_str!("../../tests/fixtures/reference/checkpoints.json");
        serde_json::from_str(text).unwrap()
    }

    /// The decisions of this module in a run whose evaluations have these metrics, of which the lowest is the best.
    fn decided(case: &Recorded) -> (Vec<Saved>, CheckpointRotation, usize) {
        let of = &case.arguments;
        let arguments = TrainingArguments {
            save_strategy: of.save_strategy,
            save_steps: of.save_steps,
            per_device_train_batch_size: of.per_device_train_batch_size,
            gradient_accumulation_steps: of.gradient_accumulation_steps,
            num_train_epochs: of.num_train_epochs,
            max_steps: of.max_steps,
            ..TrainingArguments::default()
        };
        let follows_best = of.load_best_model_at_end
            || of.early_stopping_patience > 0
            || of.save_strategy == SaveStrategy::Best;
        let total = arguments.total_steps(case.rows);
        let per_epoch = arguments.steps_per_epoch(case.rows);
        let mut control = SaveControl::new(&arguments);
        let mut rotation = CheckpointRotation::new(of.save_total_limit);
        let mut metrics = case.metrics.iter().copied();
        let (mut events, mut best, mut worse) = (Vec::new(), None::<(usize, f64)>, 0);
        let mut save = |control: &mut SaveControl, step, best: Option<(usize, f64)>| {
            if !control.is_due() {
                return;
            }
            control.done();
            let best_step = best.map(|(step, _)| step);
            rotation = rotation.saved(step, best_step);
            events.push(Saved {
                step,
                kept: rotation.steps().to_vec(),
                best_global_step: best_step,
                best_model_checkpoint: rotation.best(),
            });
        };
        let mut last = 0;
        for step in 1..=total {
            last = step;
            control.updated(step, step == total);
            save(&mut control, step, best);
            if !step.is_multiple_of(per_epoch) && step != total {
                continue;
            }
            let metric = metrics.next().unwrap();
            let better = |(_, best)| MetricForBestModel::EvalLoss.is_better(metric, best);
            let is_best = follows_best && best.is_none_or(better);
            if is_best {
                (best, worse) = (Some((step, metric)), 0);
            } else {
                worse += 1;
            }
            control.evaluated(is_best);
            save(&mut control, step, best);
            if of.early_stopping_patience > 0 && worse >= of.early_stopping_patience {
                break;
            }
        }
        let rotation = rotation.finished();
        (events, rotation, last)
    }

    #[test]
    fn the_saved_steps_and_the_rotation_are_those_of_the_trainer() {
        let cases = recorded();
        assert!(cases.len() >= 12);
        for (at, case) in cases.iter().enumerate() {
            let (events, rotation, last) = decided(case);
            assert_eq!(events, case.events, "case {at}");
            assert_eq!(rotation.steps(), case.finished, "case {at}");
            assert_eq!(rotation.best(), case.best_model_checkpoint, "case {at}");
            assert_eq!(last, case.global_step, "case {at}");
        }
        // The cases are of no use if the rules never apply.
        let limited = |case: &&Recorded| case.finished.len() < case.events.len();
        assert!(cases.iter().filter(limited).count() >= 4);
        let one = |case: &Recorded| {
            case.events
                .last()
                .is_some_and(|last| last.kept != case.finished)
        };
        assert!(cases.iter().any(one));
    }
}
