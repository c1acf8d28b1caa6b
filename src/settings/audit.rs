//! Findings on the settings of a run.

use super::RunSettings;
use crate::data::audit::{FEW_STEPS, Finding, RunFacts, audit_run};
use crate::train::TuningMethod;

/// Returns the findings on `settings` for a training part of `train_rows` rows.
///
/// - `learning_rate_zero`: nothing is learned. The remedy sets the usual rate: 5e-5 for the whole network, 5e-4 for
///   LoRA, 1e-3 for the classifier alone.
/// - `learning_rate_absurd`: above 0.01 for the whole network, above 0.1 for LoRA or the classifier alone. The remedy
///   sets the usual rate. (Rates that are merely high are a warning of the plan.)
/// - `warmup_longer_than_run`: the warmup takes at least as many steps as the run, so that the learning rate never
///   reaches its peak. The remedy is a warmup of 10 % of the steps.
/// - `batch_larger_than_data`: an update takes more rows than there are. The remedy is the largest power of two of
///   which an epoch has four, without accumulation.
/// - `few_steps`: fewer than 60 updates, whose learning rates add up to less than those of 30 updates at the usual
///   rate. The remedy sets as many epochs as 100 updates take.
pub fn audit_settings(settings: &RunSettings, train_rows: usize) -> Vec<Finding> {
    let arguments = &settings.arguments;
    let steps = arguments.total_steps(train_rows);
    let (usual_rate, absurd_rate) = match settings.tuning.method {
        TuningMethod::Full => (5e-5, 1e-2),
        TuningMethod::Lora => (5e-4, 1e-1),
        TuningMethod::Head => (1e-3, 1e-1),
    };
    // The rate rises to the end of the warmup and never after it.
    let warmup_steps = arguments.total_warmup_steps(steps);
    let last_of_warmup = warmup_steps.min(steps.saturating_sub(1));
    let rates = (0..steps.min(FEW_STEPS)).map(|step| arguments.learning_rate_at(step, steps));
    audit_run(&RunFacts {
        train_rows,
        batch: arguments.per_device_train_batch_size,
        accumulation: arguments.gradient_accumulation_steps,
        steps_per_epoch: arguments.steps_per_epoch(train_rows),
        steps,
        warmup_steps,
        learning_rate: arguments.learning_rate,
        peak: arguments.learning_rate_at(last_of_warmup, steps),
        usual_rate,
        absurd_rate,
        rate_sum: rates.sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::presets;
    use serde_json::json;

    fn ids(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.id).collect()
    }

    fn audit(
        preset: usize,
        changes: &[(&str, serde_json::Value)],
        train_rows: usize,
    ) -> Vec<Finding> {
        let mut values = presets().remove(preset).values;
        for (name, value) in changes {
            values.insert((*name).into(), value.clone());
        }
        audit_settings(&RunSettings::from_values(&values).unwrap(), train_rows)
    }

    #[test]
    fn the_article_has_a_long_warmup_and_few_steps() {
        let findings = audit(1, &[], 80);
        assert_eq!(ids(&findings), ["warmup_longer_than_run", "few_steps"]);
        assert_eq!([findings[0].count, findings[0].of], [500, 30]);
    }

    #[test]
    fn the_job_of_the_start_page_is_long_enough() {
        assert_eq!(ids(&audit(0, &[], 128)), [""; 0]);
        let slow = audit(0, &[("learning_rate", json!(2e-5))], 128);
        assert_eq!(ids(&slow), ["few_steps"]);
    }

    #[test]
    fn the_rate_of_the_classifier_alone_may_be_higher() {
        let rate = ("learning_rate", json!(0.05));
        let full = audit(0, std::slice::from_ref(&rate), 800);
        assert_eq!(ids(&full), ["learning_rate_absurd"]);
        let head = audit(0, &[rate, ("tuning", json!("head"))], 800);
        assert!(head.is_empty());
    }
}
