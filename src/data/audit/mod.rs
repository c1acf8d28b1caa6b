//! The audit: findings on texts, labels, the split, tokens and settings that make a run fail or its result mislead.
//!
//! Each rule is in the documentation of the function that applies it. The page words the findings from
//! [`Finding::id`] and [`Finding::params`].

mod classes;
mod copies;
mod finding;
mod language;
mod run;
mod split;
mod texts;
mod tokens;

pub use finding::{Finding, FindingRow, Remedy, Severity};
pub(crate) use language::most_used_script;
pub use run::{FEW_STEPS, RunFacts, audit_run};
pub use split::audit_split;
pub(crate) use tokens::MANY_UNKNOWN;
pub use tokens::{TokenFacts, audit_tokens};

use super::{Dataset, DuplicateGroups};

/// Returns the findings on texts and labels: `too_few_classes`, `empty_text`, `conflicting_labels`,
/// `conflicting_labels_tied`, `conflicting_labels_near`, `similar_labels`, `small_class`, `empty_class`,
/// `class_imbalance`, `duplicates`, `near_duplicates` and `wrong_language`. `groups` are those of the rows' texts.
pub fn audit_rows(dataset: &Dataset, groups: &DuplicateGroups) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(classes::too_few_classes(dataset));
    findings.extend(texts::empty_text(dataset));
    findings.extend(copies::conflicting_labels(dataset, groups));
    findings.extend(copies::conflicting_labels_near(dataset, groups));
    findings.extend(classes::similar_labels(dataset));
    findings.extend(classes::small_classes(dataset));
    findings.extend(classes::class_imbalance(dataset));
    findings.extend(copies::duplicates(dataset, groups));
    findings.extend(copies::near_duplicates(dataset, groups));
    findings.extend(language::wrong_language(dataset));
    findings
}
