//! The card's [metadata](https://huggingface.co/docs/hub/model-cards#model-card-metadata) for the Hub.

use super::Card;

/// The metadata for the Hub, in YAML. Strings are quoted as JSON, which is valid YAML.
pub(super) fn front_matter(card: &Card<'_>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut lines = vec!["---".to_string()];
    if let Some(language) = card.language {
        lines.push(format!("language: {}", quoted(language)));
    }
    lines.extend([
        format!("license: {}", quoted(&license(card.license))),
        format!("base_model: {}", quoted(card.base_model)),
        "library_name: transformers".into(),
        "pipeline_tag: text-classification".into(),
        "tags:\n- webtune".into(),
        "metrics:\n- accuracy\n- f1".into(),
    ]);
    if let Some(evaluation) = card.evaluation {
        lines.push(format!(
            "model-index:\n- name: {}\n  results:\n  - task:\n      type: text-classification\n    dataset:\n      \
             name: {}\n      type: custom\n    metrics:",
            quoted(card.name),
            quoted(card.dataset)
        ));
        let metrics = &evaluation.metrics;
        for (kind, name, value) in [
            ("accuracy", "Accuracy", metrics.accuracy),
            ("f1", "Macro F1", metrics.macro_average.f1),
        ] {
            lines.push(format!(
                "    - type: {kind}\n      name: {name}\n      value: {value}"
            ));
        }
    }
    lines.push("---\n".into());
    lines.join("\n")
}

/// The Hub's identifier of a licence: lower case; `other` for any other text, and `unknown` for none.
fn license(license: &str) -> String {
    if license.is_empty() {
        return "unknown".into();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    if license.chars().all(plain) {
        return license.to_ascii_lowercase();
    }
    "other".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_identifiers_of_the_hub() {
        let all = ["Apache-2.0", "MIT", "", "see the file LICENSE"].map(license);
        assert_eq!(all, ["apache-2.0", "mit", "unknown", "other"]);
    }
}
