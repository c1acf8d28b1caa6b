//! The [model card](https://huggingface.co/docs/hub/model-cards), `README.md`: the model, its data, results, settings
//! and licence.

use super::Folder;
use crate::evaluate::Evaluation;
use crate::settings::Values;
use std::fmt::Write;

/// The facts of the card that are in neither the model nor its settings.
#[derive(Debug, Clone)]
pub struct Card<'a> {
    /// The model's name, the card's title.
    pub name: &'a str,
    /// The base model; its name on the Hub if it has one, such as `sentence-transformers/all-MiniLM-L6-v2`.
    pub base_model: &'a str,
    /// The licence of the base model: an identifier such as `Apache-2.0`, or empty if it is not known.
    pub license: &'a str,
    /// The language of the texts: an identifier such as `en`, if it is known.
    pub language: Option<&'a str>,
    /// A short description of the rows.
    pub dataset: &'a str,
    /// Training rows of each label, by label id.
    pub train_label_counts: &'a [usize],
    /// Test rows of each label, by label id.
    pub test_label_counts: &'a [usize],
    /// The evaluation on the test rows.
    pub evaluation: Option<&'a Evaluation>,
}

/// The whole file.
pub(super) fn readme(folder: &Folder<'_>, settings: &Values) -> String {
    let card = folder.card;
    let mut text = front_matter(card);
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    line(&format!("# {}", inline(card.name)));
    line("");
    line(&format!(
        "A text classifier: `{}`, fine-tuned in a browser tab with webtune {}. It tells {} apart.",
        card.base_model,
        env!("CARGO_PKG_VERSION"),
        join(
            folder
                .labels
                .iter()
                .map(|label| format!("*{}*", inline(label)))
        )
    ));
    line("");
    line("```python");
    line("from transformers import pipeline");
    line("");
    line("classifier = pipeline(\"text-classification\", model=\"path/to/this/folder\")");
    line("classifier(\"…\")");
    line("```");
    line("");
    if folder.model.has_adapters() {
        line(
            "It was trained by LoRA: the weights have the adapters merged in, and `adapter/` has them by themselves, for PEFT:",
        );
        line("");
        line("```python");
        line("from peft import AutoPeftModelForSequenceClassification");
        line("");
        line(&format!(
            "model = AutoPeftModelForSequenceClassification.from_pretrained(\"path/to/this/folder/adapter\", num_labels={})",
            folder.labels.len()
        ));
        line("```");
        line("");
    }
    line("## Data");
    line("");
    line(&format!("{}.", inline(card.dataset.trim_end_matches('.'))));
    line("");
    line("| label | training rows | test rows |");
    line("| --- | ---: | ---: |");
    for (id, label) in folder.labels.iter().enumerate() {
        let count = |counts: &[usize]| counts.get(id).copied().unwrap_or(0);
        line(&format!(
            "| {} | {} | {} |",
            inline(label),
            count(card.train_label_counts),
            count(card.test_label_counts)
        ));
    }
    line(&format!(
        "| all | {} | {} |",
        card.train_label_counts.iter().sum::<usize>(),
        card.test_label_counts.iter().sum::<usize>()
    ));
    line("");
    if let Some(evaluation) = card.evaluation {
        line("## Results");
        line("");
        line(&results(evaluation, folder.labels));
    }
    line("## Training");
    line("");
    line(&format!(
        "{} updates of AdamW. `training_args.json` has these settings and gives the same run again on the same rows; `trainer_state.json` has its losses.",
        folder
            .history
            .log()
            .iter()
            .filter(|entry| entry.get("loss").is_some())
            .count()
    ));
    line("");
    line("| setting | value |");
    line("| --- | --- |");
    for (name, value) in settings {
        line(&format!("| `{name}` | {} |", inline(&value.to_string())));
    }
    line("");
    line("## Licence");
    line("");
    line(&match card.license {
        "" => format!(
            "The licence of the base model, `{}`, is not known here; it holds for these weights too.",
            card.base_model
        ),
        license => format!(
            "These weights are derived from `{}`, whose licence is {license}.",
            card.base_model
        ),
    });
    text
}

/// The metadata for the Hub, in YAML. Strings are quoted as JSON, which is valid YAML.
fn front_matter(card: &Card<'_>) -> String {
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
            "model-index:\n- name: {}\n  results:\n  - task:\n      type: text-classification\n    dataset:\n      name: {}\n      type: custom\n    metrics:",
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
    lines.push("---\n\n".into());
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

/// The report of the test rows.
fn results(evaluation: &Evaluation, labels: &[String]) -> String {
    let metrics = &evaluation.metrics;
    let mut text = format!(
        "On the test rows: accuracy {:.4}, loss {:.4}.\n\n| label | precision | recall | F1 | rows |\n| --- | ---: | ---: | ---: | ---: |\n",
        metrics.accuracy, evaluation.loss
    );
    let named = labels
        .iter()
        .map(|label| inline(label))
        .zip(&metrics.classes);
    let average = ("macro average".to_string(), &metrics.macro_average);
    for (label, class) in named.chain([average]) {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "| {label} | {:.4} | {:.4} | {:.4} | {} |",
            class.precision, class.recall, class.f1, class.support
        );
    }
    text
}

/// Escapes text of a visitor for one line or one cell of a table.
fn inline(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        if "\\`*_{}[]<>#|".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// "a and b", "a, b and c".
fn join(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        items => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_identifiers_of_the_hub() {
        let all = ["Apache-2.0", "MIT", "", "see the file LICENSE"].map(license);
        assert_eq!(all, ["apache-2.0", "mit", "unknown", "other"]);
    }

    #[test]
    fn text_of_a_visitor_is_escaped() {
        assert_eq!(inline("a|b\nc <i>"), "a\\|b c \\<i\\>");
        let items = |items: &[&str]| join(items.iter().map(|item| item.to_string()));
        assert_eq!(items(&["a"]), "a");
        assert_eq!(items(&["a", "b", "c"]), "a, b and c");
    }
}
