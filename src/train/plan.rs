//! The steps and learning rates of a run before it starts, with warnings.

use super::{TrainingArguments, TuningMethod};
use crate::Warning;
use serde::Serialize;
use serde_json::json;

/// The smallest learning rate without a warning if only adapters or the classifier are trained. LoRA on GLUE uses 2e-4
/// to 5e-4 ([Hu et al., 2021](https://arxiv.org/abs/2106.09685), table 9); 1e-5 to 5e-5 are usual if every parameter is
/// trained.
const MIN_RATE_OF_PARTIAL_TUNING: f64 = 1e-4;

/// The steps of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainPlan {
    /// Updates in one pass over the rows.
    pub steps_per_epoch: usize,
    /// Updates in all.
    pub max_steps: usize,
    /// Updates of the warmup.
    pub warmup_steps: usize,
    /// The learning rate of every update.
    pub learning_rates: Vec<f64>,
    /// Reasons for which the run may not work as expected.
    pub warnings: Vec<Warning>,
}

impl TrainPlan {
    /// The plan of a run on `rows` training rows.
    pub fn new(arguments: &TrainingArguments, method: TuningMethod, rows: usize) -> Self {
        let max_steps = arguments.total_steps(rows);
        let warmup_steps = arguments.total_warmup_steps(max_steps);
        let learning_rates: Vec<f64> = (0..max_steps)
            .map(|step| arguments.learning_rate_at(step, max_steps))
            .collect();
        let mut warnings = Vec::new();
        if warmup_steps >= max_steps && max_steps > 0 {
            let peak = learning_rates.iter().copied().fold(0.0, f64::max);
            warnings.push(Warning::new(
                "warmup_longer_than_run",
                format!(
                    "The warmup takes {warmup_steps} steps, but the whole run has {max_steps}: the learning rate never \
                     passes {peak:.1e} of the {:.1e} asked for, and the model hardly changes.",
                    arguments.learning_rate
                ),
                json!({
                    "warmup_steps": warmup_steps,
                    "max_steps": max_steps,
                    "peak": peak,
                    "learning_rate": arguments.learning_rate,
                }),
            ));
        }
        let rate = arguments.learning_rate;
        if method != TuningMethod::Full && rate < MIN_RATE_OF_PARTIAL_TUNING {
            warnings.push(Warning::new(
                "learning_rate_low_for_tuning",
                format!(
                    "Only few parameters are trained, and they start from new values: with a learning_rate of \
                     {rate:.1e} they hardly change. With LoRA 2e-4 to 1e-3 is usual, with the classifier alone 1e-3 \
                     or more."
                ),
                json!({"learning_rate": rate}),
            ));
        }
        Self {
            steps_per_epoch: arguments.steps_per_epoch(rows),
            max_steps,
            warmup_steps,
            learning_rates,
            warnings,
        }
    }
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
        let plan = TrainPlan::new(&article, TuningMethod::Full, 80);
        assert_eq!((plan.max_steps, plan.steps_per_epoch), (30, 10));
        assert_eq!(plan.warnings[0].code, "warmup_longer_than_run");
        assert!(plan.warnings[0].message.contains("never passes 2.9e-6"));
        let recommended = TrainingArguments::default();
        let plan = TrainPlan::new(&recommended, TuningMethod::Full, 80);
        assert!(plan.warnings.is_empty());
    }

    #[test]
    fn warns_of_a_rate_too_low_for_partial_tuning() {
        let codes = |method, learning_rate| -> Vec<&str> {
            let arguments = TrainingArguments {
                learning_rate,
                ..Default::default()
            };
            let plan = TrainPlan::new(&arguments, method, 80);
            plan.warnings.iter().map(|warning| warning.code).collect()
        };
        for method in [TuningMethod::Lora, TuningMethod::Head] {
            assert_eq!(codes(method, 5e-5), ["learning_rate_low_for_tuning"]);
            assert!(codes(method, 2e-4).is_empty());
        }
        assert!(codes(TuningMethod::Full, 5e-5).is_empty());
    }
}
