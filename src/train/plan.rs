//! The steps and learning rates of a run before it starts, with warnings.

use super::{LrSchedulerType, TrainingArguments, TuningMethod};
use crate::{Error, Result, Warning};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

/// The most updates of a run: the bound of `max_steps` in the table of settings. The history of a run has an entry for
/// each of them.
pub const MAX_RUN_STEPS: usize = 1_000_000;

/// The most points of a [`Schedule`] besides its corners.
const SCHEDULE_POINTS: usize = 200;

/// The smallest learning rate without a warning if only adapters or the classifier are trained. LoRA on GLUE uses 2e-4
/// to 5e-4 ([Hu et al., 2021](https://arxiv.org/abs/2106.09685), table 9); 1e-5 to 5e-5 are usual if every parameter is
/// trained.
const MIN_RATE_OF_PARTIAL_TUNING: f64 = 1e-4;

/// The largest learning rate without a warning if every parameter is trained. BERT is fine-tuned with 2e-5 to 5e-5
/// ([Devlin et al., 2019](https://arxiv.org/abs/1810.04805), appendix A.3), its smaller versions with 3e-5 to 3e-4
/// ([google-research/bert](https://github.com/google-research/bert), March 2020).
const MAX_RATE_OF_FULL_TUNING: f64 = 1e-3;

/// The largest one if only adapters or the classifier are trained: 20 times the largest of LoRA's on GLUE. An update of
/// AdamW changes a weight by about the learning rate, and a new classifier has weights of about 0.02.
const MAX_RATE_OF_PARTIAL_TUNING: f64 = 1e-2;

/// The learning rate over the updates of a run. It has no entry for each update, because there may be many.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Schedule {
    /// Its type.
    #[cfg_attr(test, ts(type = "string"))]
    pub lr_scheduler_type: LrSchedulerType,
    /// The highest learning rate that the run reaches.
    pub peak: f64,
    /// Update (from 1) and its learning rate, in the order of the updates: the first, the last, the end of the warmup,
    /// and some between them.
    pub points: Vec<(usize, f64)>,
}

impl Schedule {
    /// The schedule of a run of `max_steps` updates.
    pub fn new(arguments: &TrainingArguments, max_steps: usize) -> Self {
        let last = max_steps.saturating_sub(1);
        let gaps = SCHEDULE_POINTS.min(last).max(1);
        let mut steps: BTreeSet<usize> = (0..=gaps).map(|at| at * last / gaps).collect();
        steps.insert(arguments.total_warmup_steps(max_steps).min(last));
        let points: Vec<(usize, f64)> = steps
            .into_iter()
            .filter(|&step| step < max_steps)
            .map(|step| (step + 1, arguments.learning_rate_at(step, max_steps)))
            .collect();
        Self {
            lr_scheduler_type: arguments.lr_scheduler_type,
            peak: points.iter().map(|&(_, rate)| rate).fold(0.0, f64::max),
            points,
        }
    }
}

/// The steps of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainPlan {
    /// Updates in one pass over the rows.
    pub steps_per_epoch: usize,
    /// Updates in all.
    pub max_steps: usize,
    /// Updates of the warmup.
    pub warmup_steps: usize,
    /// The learning rates.
    pub schedule: Schedule,
    /// Reasons for which the run may not work as expected.
    pub warnings: Vec<Warning>,
}

impl TrainPlan {
    /// The plan of a run on `rows` training rows.
    ///
    /// # Errors
    /// [`Error::Setting`] for a run of more than [`MAX_RUN_STEPS`] updates.
    pub fn new(arguments: &TrainingArguments, method: TuningMethod, rows: usize) -> Result<Self> {
        let max_steps = arguments.total_steps(rows);
        if max_steps > MAX_RUN_STEPS {
            return Err(Error::Setting {
                field: "num_train_epochs".into(),
                value: arguments.num_train_epochs.to_string(),
                expected: format!(
                    "a run has at most {MAX_RUN_STEPS} updates, and this one would have {max_steps}; take fewer \
                     epochs or larger batches"
                ),
            });
        }
        let warmup_steps = arguments.total_warmup_steps(max_steps);
        let schedule = Schedule::new(arguments, max_steps);
        let warnings = [
            long_warmup(arguments, &schedule, [warmup_steps, max_steps]),
            low_rate(arguments.learning_rate, method),
            high_rate(schedule.peak, method),
        ];
        Ok(Self {
            steps_per_epoch: arguments.steps_per_epoch(rows),
            max_steps,
            warmup_steps,
            schedule,
            warnings: warnings.into_iter().flatten().collect(),
        })
    }
}

fn long_warmup(
    arguments: &TrainingArguments,
    schedule: &Schedule,
    [warmup_steps, max_steps]: [usize; 2],
) -> Option<Warning> {
    if warmup_steps < max_steps || max_steps == 0 {
        return None;
    }
    let (peak, learning_rate) = (schedule.peak, arguments.learning_rate);
    Some(Warning::new(
        "warmup_longer_than_run",
        format!(
            "The warmup takes {warmup_steps} steps, but the whole run has {max_steps}: the learning rate never passes \
             {peak:.1e} of the {learning_rate:.1e} asked for, and the model hardly changes."
        ),
        json!({
            "warmup_steps": warmup_steps,
            "max_steps": max_steps,
            "peak": peak,
            "learning_rate": learning_rate,
        }),
    ))
}

fn low_rate(rate: f64, method: TuningMethod) -> Option<Warning> {
    if method == TuningMethod::Full || rate >= MIN_RATE_OF_PARTIAL_TUNING {
        return None;
    }
    Some(Warning::new(
        "learning_rate_low_for_tuning",
        format!(
            "Only few parameters are trained, and they start from new values: with a learning_rate of {rate:.1e} they \
             hardly change. With LoRA 2e-4 to 1e-3 is usual, with the classifier alone 1e-3 or more."
        ),
        json!({"learning_rate": rate}),
    ))
}

fn high_rate(peak: f64, method: TuningMethod) -> Option<Warning> {
    let (code, bound, usual) = match method {
        TuningMethod::Full => (
            "learning_rate_high",
            MAX_RATE_OF_FULL_TUNING,
            "2e-5 to 5e-5 is usual, up to 3e-4 for a small BERT",
        ),
        _ => (
            "learning_rate_high_for_tuning",
            MAX_RATE_OF_PARTIAL_TUNING,
            "with LoRA 2e-4 to 1e-3 is usual, with the classifier alone about 1e-3",
        ),
    };
    (peak > bound).then(|| {
        Warning::new(
            code,
            format!(
                "With a learning rate of {peak:.1e} the run most likely destroys what the model has learned and ends \
                 no better than guessing: {usual}."
            ),
            json!({"learning_rate": peak}),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_of_a_warmup_longer_than_the_run() {
        let article = TrainingArguments {
            warmup_steps: 500,
            ..Default::default()
        };
        let plan = TrainPlan::new(&article, TuningMethod::Full, 80).unwrap();
        assert_eq!((plan.max_steps, plan.steps_per_epoch), (30, 10));
        assert_eq!(plan.warnings[0].code, "warmup_longer_than_run");
        assert!(plan.warnings[0].message.contains("never passes 2.9e-6"));
        let recommended = TrainingArguments::default();
        let plan = TrainPlan::new(&recommended, TuningMethod::Full, 80).unwrap();
        assert!(plan.warnings.is_empty());
    }

    /// The codes of the warnings at a learning rate.
    fn codes(method: TuningMethod, learning_rate: f64) -> Vec<&'static str> {
        let arguments = TrainingArguments {
            learning_rate,
            ..Default::default()
        };
        let plan = TrainPlan::new(&arguments, method, 80).unwrap();
        plan.warnings.iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn warns_of_a_rate_too_low_for_partial_tuning() {
        for method in [TuningMethod::Lora, TuningMethod::Head] {
            assert_eq!(codes(method, 5e-5), ["learning_rate_low_for_tuning"]);
            assert!(codes(method, 2e-4).is_empty());
        }
        assert!(codes(TuningMethod::Full, 5e-5).is_empty());
    }

    #[test]
    fn warns_of_a_rate_far_above_the_usual_ones() {
        assert!(codes(TuningMethod::Full, 1e-3).is_empty());
        assert_eq!(codes(TuningMethod::Full, 2e-3), ["learning_rate_high"]);
        assert_eq!(codes(TuningMethod::Full, 1.0), ["learning_rate_high"]);
        for method in [TuningMethod::Lora, TuningMethod::Head] {
            assert!(codes(method, 1e-2).is_empty());
            assert_eq!(codes(method, 2e-2), ["learning_rate_high_for_tuning"]);
        }
        // The warmup of the article keeps the rate low.
        let article = TrainingArguments {
            warmup_steps: 500,
            learning_rate: 1e-2,
            ..Default::default()
        };
        let plan = TrainPlan::new(&article, TuningMethod::Full, 80).unwrap();
        assert_eq!(plan.warnings.len(), 1);
    }

    #[test]
    fn a_schedule_has_the_rates_of_its_updates_and_its_corners() {
        for (warmup_steps, max_steps) in [(0, 1), (0, 7), (3, 30), (37, 100_000), (500, 30), (5, 5)]
        {
            for kind in [
                LrSchedulerType::Linear,
                LrSchedulerType::Cosine,
                LrSchedulerType::ConstantWithWarmup,
            ] {
                let arguments = TrainingArguments {
                    warmup_steps,
                    max_steps,
                    lr_scheduler_type: kind,
                    ..Default::default()
                };
                let schedule = Schedule::new(&arguments, max_steps);
                assert!(schedule.points.len() <= SCHEDULE_POINTS + 2);
                assert!(schedule.points.is_sorted_by(|a, b| a.0 < b.0));
                for &(step, rate) in &schedule.points {
                    assert_eq!(rate, arguments.learning_rate_at(step - 1, max_steps));
                }
                let peak = (0..max_steps).map(|step| arguments.learning_rate_at(step, max_steps));
                assert_eq!(schedule.peak, peak.fold(0.0, f64::max));
                let steps: Vec<usize> = schedule.points.iter().map(|point| point.0).collect();
                assert_eq!((steps[0], steps[steps.len() - 1]), (1, max_steps));
                if max_steps <= SCHEDULE_POINTS {
                    assert_eq!(steps.len(), max_steps);
                }
            }
        }
        assert_eq!(Schedule::new(&TrainingArguments::default(), 0).points, []);
    }

    #[test]
    fn refuses_a_run_of_more_updates_than_max_steps_allows() {
        let endless = TrainingArguments {
            num_train_epochs: 1000.0,
            per_device_train_batch_size: 1,
            ..Default::default()
        };
        let plan = |rows| TrainPlan::new(&endless, TuningMethod::Full, rows);
        assert_eq!(plan(1000).unwrap().max_steps, MAX_RUN_STEPS);
        let error = plan(1001).unwrap_err();
        assert_eq!(error.field(), Some("num_train_epochs"));
        assert!(error.to_string().contains("would have 1001000"));
    }
}
