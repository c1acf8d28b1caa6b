//! What a run will do, said before it starts: its steps, its learning rates, and what is wrong with them.

use super::TrainingArguments;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Something that the visitor should know before going on; nothing is refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Warning {
    /// A short name: `warmup_longer_than_run`, `texts_on_both_sides`, `class_missing_in_train`, `class_missing_in_test`.
    pub code: &'static str,
    /// One or two English sentences.
    pub message: String,
    /// The numbers in the sentence, for a translation.
    pub values: Map<String, Value>,
}

impl Warning {
    /// A warning whose `values` is a JSON object.
    pub(crate) fn new(code: &'static str, message: String, values: Value) -> Self {
        let values = match values {
            Value::Object(values) => values,
            _ => Map::new(),
        };
        Self {
            code,
            message,
            values,
        }
    }

    /// Test texts that were trained on measure memory.
    pub fn texts_on_both_sides(seen: usize, test: usize) -> Self {
        Self::new(
            "texts_on_both_sides",
            format!(
                "{seen} of the {test} test rows have a text that also stands in the training part. Accuracy on them shows what the model memorized, not what it learned."
            ),
            json!({"seen": seen, "test": test}),
        )
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
    /// The learning rate of every update.
    pub learning_rates: Vec<f64>,
    /// What the visitor should know.
    pub warnings: Vec<Warning>,
}

impl TrainPlan {
    /// The plan of a run on `rows` training rows.
    pub fn new(arguments: &TrainingArguments, rows: usize) -> Self {
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
                    "The warmup takes {warmup_steps} steps, but the whole run has {max_steps}: the learning rate never passes {peak:.1e} of the {:.1e} asked for, and the model hardly changes. (With the article's settings and this checkpoint, the reference ends at 50 % accuracy.)",
                    arguments.learning_rate
                ),
                json!({"warmup_steps": warmup_steps, "max_steps": max_steps, "peak": peak, "learning_rate": arguments.learning_rate}),
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
    fn warns_of_a_warmup_that_never_ends() {
        let article = TrainingArguments {
            warmup_steps: 500,
            ..Default::default()
        };
        let plan = TrainPlan::new(&article, 80);
        assert_eq!((plan.max_steps, plan.steps_per_epoch), (30, 10));
        assert_eq!(plan.warnings[0].code, "warmup_longer_than_run");
        assert!(plan.warnings[0].message.contains("never passes 2.9e-6"));
        assert!(
            TrainPlan::new(&TrainingArguments::default(), 80)
                .warnings
                .is_empty()
        );
    }
}
