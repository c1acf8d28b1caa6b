//! The rules on a run's numbers of rows, steps and learning rate.

use super::{Finding, Remedy, Severity};
use serde_json::json;

/// Updates with which a new task is usually learned.
const ENOUGH_STEPS: usize = 100;

/// Updates from which a run is not short, whatever its learning rate is.
pub const FEW_STEPS: usize = 60;

/// Updates at the usual rate. If the learning rates of a run add up to less than theirs, the run is too short. In the
/// study of docs/quality.md, 72 updates at a peak of 5e-5 and 40 at 1e-4 (sums of 36 and 40) were enough, 24 at 5e-5
/// (12) were not.
const ENOUGH_AT_USUAL_RATE: f64 = 30.0;

/// The most epochs that the settings allow.
const MAX_EPOCHS: usize = 1000;

/// The share of the training rows that is proposed to choose the best epoch.
const VALIDATION_SIZE: f64 = 0.1;

/// Batches of an epoch that a proposed batch leaves at least.
const BATCHES: usize = 4;

/// The numbers of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts {
    /// Training rows.
    pub train_rows: usize,
    /// Rows of a batch.
    pub batch: usize,
    /// Batches of an update.
    pub accumulation: usize,
    /// Updates of an epoch.
    pub steps_per_epoch: usize,
    /// Updates of the run.
    pub steps: usize,
    /// Updates in which the learning rate rises.
    pub warmup_steps: usize,
    /// The peak that is set.
    pub learning_rate: f64,
    /// The largest learning rate of the schedule.
    pub peak: f64,
    /// The learning rate that is usual for these trainable parameters.
    pub usual_rate: f64,
    /// The learning rate above which the weights are destroyed.
    pub absurd_rate: f64,
    /// Whether the test part chooses the weights or the end of the run.
    pub test_part_chooses: bool,
    /// The sum of the learning rates of all updates; not needed from [`FEW_STEPS`] updates on.
    pub rate_sum: f64,
}

/// The findings on the numbers of a run. `settings::audit_settings` has the rules.
pub fn audit_run(facts: &RunFacts) -> Vec<Finding> {
    let findings = [
        learning_rate_zero(facts),
        learning_rate_absurd(facts),
        warmup_longer_than_run(facts),
        batch_larger_than_data(facts),
        few_steps(facts),
        test_part_chooses(facts),
    ];
    findings.into_iter().flatten().collect()
}

fn learning_rate_zero(facts: &RunFacts) -> Option<Finding> {
    let proposed = facts.usual_rate;
    (facts.learning_rate == 0.0).then(|| {
        let params = json!({"proposed": proposed});
        Finding::new("learning_rate_zero", Severity::Error, [0, 0], params)
            .with_remedy(Remedy::settings(json!({"learning_rate": proposed})))
    })
}

fn learning_rate_absurd(facts: &RunFacts) -> Option<Finding> {
    let (rate, bound, proposed) = (facts.learning_rate, facts.absurd_rate, facts.usual_rate);
    (rate > bound).then(|| {
        let params = json!({"learning_rate": rate, "bound": bound, "proposed": proposed});
        Finding::new("learning_rate_absurd", Severity::Error, [0, 0], params)
            .with_remedy(Remedy::settings(json!({"learning_rate": proposed})))
    })
}

fn warmup_longer_than_run(facts: &RunFacts) -> Option<Finding> {
    let (warmup, steps) = (facts.warmup_steps, facts.steps);
    // A constant schedule has no warmup, whatever the setting is.
    if steps == 0 || warmup < steps || facts.peak >= facts.learning_rate {
        return None;
    }
    let params = json!({
        "warmup_steps": warmup,
        "max_steps": steps,
        "peak": facts.peak / facts.learning_rate,
        "learning_rate": facts.learning_rate,
    });
    let finding = Finding::new(
        "warmup_longer_than_run",
        Severity::Warning,
        [warmup, steps],
        params,
    );
    let values = json!({"warmup_steps": 0, "warmup_ratio": 0.1});
    Some(finding.with_remedy(Remedy::settings(values)))
}

fn batch_larger_than_data(facts: &RunFacts) -> Option<Finding> {
    let (rows, group) = (facts.train_rows, facts.batch * facts.accumulation);
    if rows == 0 || group <= rows {
        return None;
    }
    // The largest power of two with four batches an epoch.
    let proposed = 1 << (rows / BATCHES).max(1).ilog2();
    let params = json!({
        "batch": facts.batch,
        "accumulation": facts.accumulation,
        "train_rows": rows,
        "proposed": proposed,
    });
    let finding = Finding::new(
        "batch_larger_than_data",
        Severity::Warning,
        [group, rows],
        params,
    );
    let values = json!({"per_device_train_batch_size": proposed, "gradient_accumulation_steps": 1});
    Some(finding.with_remedy(Remedy::settings(values)))
}

fn test_part_chooses(facts: &RunFacts) -> Option<Finding> {
    facts.test_part_chooses.then(|| {
        let params = json!({"proposed": VALIDATION_SIZE});
        Finding::new("test_part_chooses", Severity::Warning, [0, 0], params).with_remedy(
            Remedy::settings(json!({"validation_size": VALIDATION_SIZE})),
        )
    })
}

fn few_steps(facts: &RunFacts) -> Option<Finding> {
    let steps = facts.steps;
    let learned = facts.rate_sum / facts.usual_rate;
    if facts.train_rows == 0 || steps >= FEW_STEPS || learned >= ENOUGH_AT_USUAL_RATE {
        return None;
    }
    let proposed = ENOUGH_STEPS
        .div_ceil(facts.steps_per_epoch.max(1))
        .min(MAX_EPOCHS);
    let params = json!({
        "steps": steps,
        "steps_per_epoch": facts.steps_per_epoch,
        "enough": ENOUGH_STEPS,
        "proposed": proposed,
    });
    let finding = Finding::new(
        "few_steps",
        Severity::Warning,
        [steps, ENOUGH_STEPS],
        params,
    );
    let values = json!({"num_train_epochs": proposed, "max_steps": 0});
    Some(finding.with_remedy(Remedy::settings(values)))
}

#[cfg(test)]
mod tests {
    use super::super::finding::testing::ids;
    use super::*;

    const USUAL: RunFacts = RunFacts {
        train_rows: 800,
        batch: 8,
        accumulation: 1,
        steps_per_epoch: 100,
        steps: 300,
        warmup_steps: 30,
        learning_rate: 5e-5,
        peak: 5e-5,
        usual_rate: 5e-5,
        absurd_rate: 1e-2,
        test_part_chooses: false,
        rate_sum: 0.5 * 5e-5 * 300.0,
    };

    /// The only finding's id and the values of its remedy.
    fn finding(facts: RunFacts) -> (&'static str, serde_json::Value) {
        let mut findings = audit_run(&facts);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let finding = findings.remove(0);
        let Some(Remedy::Settings { values }) = finding.remedy else {
            panic!("{} has no settings", finding.id);
        };
        (finding.id, values.into())
    }

    #[test]
    fn a_usual_run_has_no_findings() {
        assert!(audit_run(&USUAL).is_empty());
    }

    #[test]
    fn finds_a_learning_rate_of_zero_and_an_absurd_one() {
        let rates = |learning_rate, absurd_rate| RunFacts {
            learning_rate,
            peak: learning_rate,
            absurd_rate,
            ..USUAL
        };
        let remedy = json!({"learning_rate": 5e-5});
        let zero = finding(rates(0.0, 1e-2));
        assert_eq!(zero, ("learning_rate_zero", remedy.clone()));
        let absurd = finding(rates(1.0, 1e-2));
        assert_eq!(absurd, ("learning_rate_absurd", remedy));
        assert!(audit_run(&rates(1e-2, 1e-2)).is_empty());
        assert!(audit_run(&rates(5e-2, 1e-1)).is_empty());
    }

    #[test]
    fn finds_a_warmup_that_never_ends() {
        let warmup = |warmup_steps, peak| RunFacts {
            warmup_steps,
            peak,
            ..USUAL
        };
        let values = json!({"warmup_steps": 0, "warmup_ratio": 0.1});
        let long = warmup(500, 299.0 / 500.0 * 5e-5);
        assert_eq!(finding(long), ("warmup_longer_than_run", values));
        let share = audit_run(&long)[0].params["peak"].as_f64().unwrap();
        assert!((share - 299.0 / 500.0).abs() < 1e-12);
        assert!(audit_run(&warmup(299, 5e-5)).is_empty());
        assert!(audit_run(&warmup(500, 5e-5)).is_empty(), "a constant rate");
    }

    #[test]
    fn proposes_a_batch_with_four_batches_an_epoch() {
        let batch = |train_rows, batch, accumulation| RunFacts {
            train_rows,
            batch,
            accumulation,
            ..USUAL
        };
        let values = |proposed| json!({"per_device_train_batch_size": proposed, "gradient_accumulation_steps": 1});
        let id = "batch_larger_than_data";
        assert_eq!(finding(batch(40, 64, 1)), (id, values(8)));
        assert_eq!(finding(batch(63, 8, 8)), (id, values(8)));
        assert_eq!(finding(batch(3, 8, 1)), (id, values(1)));
        assert!(audit_run(&batch(64, 64, 1)).is_empty());
        assert!(audit_run(&batch(0, 64, 1)).is_empty());
    }

    #[test]
    fn proposes_epochs_for_enough_steps() {
        let steps = |steps, steps_per_epoch| RunFacts {
            steps,
            steps_per_epoch,
            warmup_steps: 0,
            rate_sum: 0.5 * 5e-5 * steps as f64,
            ..USUAL
        };
        let values = |epochs| json!({"num_train_epochs": epochs, "max_steps": 0});
        assert_eq!(finding(steps(30, 10)), ("few_steps", values(10)));
        assert_eq!(finding(steps(9, 3)), ("few_steps", values(34)));
        assert_eq!(finding(steps(0, 10)), ("few_steps", values(10)));
        assert!(audit_run(&steps(60, 20)).is_empty());
        assert_eq!(ids(&audit_run(&steps(59, 20))), ["few_steps"]);
        let fast = RunFacts {
            rate_sum: 30.0 * 5e-5,
            ..steps(40, 10)
        };
        assert!(audit_run(&fast).is_empty());
    }

    #[test]
    fn the_test_part_must_not_choose() {
        let facts = RunFacts {
            test_part_chooses: true,
            ..USUAL
        };
        let values = json!({"validation_size": 0.1});
        assert_eq!(finding(facts), ("test_part_chooses", values));
    }
}
