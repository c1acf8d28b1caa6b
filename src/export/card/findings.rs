//! What the audit of the data has found, in the words of the page.

use super::words::inline;
use crate::data::audit::{Finding, Severity};
use serde_json::Value;

/// A list of the findings.
pub(super) fn section(findings: &[Finding]) -> String {
    let mut text = String::from("## Checks of the data\n\n");
    if findings.is_empty() {
        return text
            + "No problem was found in the rows, the split, the tokens and the settings.\n";
    }
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        text += &format!("- {} ({severity})\n", inline(&sentence(finding)));
    }
    text
}

/// The sentence of a finding with its numbers and names.
fn sentence(finding: &Finding) -> String {
    let mut text = pattern(finding.id).to_string();
    let own = [("count", finding.count), ("of", finding.of)];
    for (name, number) in own {
        text = text.replace(&format!("{{{name}}}"), &number.to_string());
    }
    if let Value::Object(params) = &finding.params {
        for (name, value) in params {
            text = text.replace(&format!("{{{name}}}"), &shown(name, value));
        }
    }
    text
}

/// A number or a name.
fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(|item| format!("“{}”", shown(name, item)));
            items.collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) if ["share", "rate"].contains(&name) => {
            format!("{:.1} %", 100.0 * number.as_f64().unwrap_or(0.0))
        }
        other => other.to_string(),
    }
}

/// The page's title of a finding.
fn pattern(id: &str) -> &str {
    match id {
        "too_few_classes" => "Classes that have rows: {count}",
        "empty_text" => "Rows without a text: {count} of {of}",
        "duplicates" => "Copies of other rows: {count} of {of}",
        "near_duplicates" => "Rows that are nearly the same as another: {count} of {of}",
        "conflicting_labels" => "The same text with different labels: {count} of {of} rows",
        "conflicting_labels_tied" => {
            "The same text with different labels, equally often: {count} of {of} rows"
        }
        "conflicting_labels_near" => {
            "Nearly the same text with different labels: {count} of {of} rows"
        }
        "class_imbalance" => {
            "The class “{smallest}” has {smallest_rows} rows, “{largest}” has {largest_rows}"
        }
        "small_class" => "The class “{label}” has only {count} rows",
        "empty_class" => "The class “{label}” has no rows",
        "similar_labels" => "Labels that are probably the same: {labels}",
        "wrong_language" => "Texts in another script: {count} of {of}",
        "duplicates_across_split" => "{count} of {of} test rows are also in the training part",
        "class_missing_in_train" => "The training part has no row of the class “{label}”",
        "class_missing_in_test" => "The test part has no row of the class “{label}”",
        "truncated" => "Texts that are cut off: {count} of {of} ({share})",
        "unknown_tokens" => "The model does not know {rate} of the tokens",
        "unknown_rows" => "Texts with many unknown tokens: {count} of {of}",
        "warmup_longer_than_run" => "The warmup is longer than the run: {count} of {of} steps",
        "batch_larger_than_data" => "An update has {count} rows, but only {of} are trained on",
        "learning_rate_zero" => "The learning rate is 0",
        "learning_rate_absurd" => "The learning rate {learning_rate} is far too high",
        "few_steps" => "The run has only {count} steps",
        "test_part_chooses" => "The test part chooses the weights",
        "label_errors" => "Labels that are probably wrong: {count} of {of}",
        "outliers" => "Texts that resemble no other: {count} of {of}",
        "too_few_for_cross_validation" => "Wrong labels cannot be looked for",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_sentences_are_those_of_the_page() {
        let text = include_str!("../../../www/i18n/en.json");
        let page: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap();
        let mut found = 0;
        for (key, title) in &page {
            let id = key
                .strip_prefix("audit.")
                .and_then(|key| key.strip_suffix(".title"));
            if let Some(id) = id {
                assert_eq!(pattern(id), title, "{id}");
                found += 1;
            }
        }
        assert!(found > 20, "{found}");
    }

    #[test]
    fn a_sentence_has_numbers_and_names() {
        let finding = |id, params| Finding::new(id, Severity::Warning, [3, 10], params);
        assert_eq!(
            section(&[
                finding("duplicates", json!({})),
                finding("small_class", json!({"label": "a|b"}))
            ]),
            "## Checks of the data\n\n- Copies of other rows: 3 of 10 (warning)\n- The class “a\\|b” has only 3 rows \
             (warning)\n"
        );
        let cut = sentence(&finding("truncated", json!({"share": 0.3})));
        assert_eq!(cut, "Texts that are cut off: 3 of 10 (30.0 %)");
        assert!(section(&[]).contains("No problem was found"));
    }
}
