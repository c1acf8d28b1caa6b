//! The [model card](https://huggingface.co/docs/hub/model-cards), `README.md`: the model, its data, results, settings
//! and licence.

use super::{ExportPart, Folder};
use crate::bert::ClassifierPooling;
use crate::data::{Row, count_labels};
use crate::evaluate::Evaluation;
use crate::settings::Values;

/// How the model is loaded.
const FROM_PRETRAINED: &str = r#"
```python
from transformers import pipeline

classifier = pipeline("text-classification", model="path/to/this/folder")
classifier("…")
```
"#;

/// How a model is loaded whose classifier gets the mean of the hidden states, which transformers' BERT does not know.
const MEAN_POOLED: &str = r#"
Its classifier gets the mean of the last hidden states (`classifier_pooling: "mean"` in `config.json`). transformers'
`BertForSequenceClassification` does not know this: the weights load without an error, but the predictions are wrong.
Load it with this class:

```python
from transformers import AutoTokenizer, BertForSequenceClassification, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput

class MeanPooledBert(BertForSequenceClassification):
    def forward(self, input_ids, attention_mask, token_type_ids=None, **kwargs):
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return SequenceClassifierOutput(logits=self.classifier(self.dropout(mean)))

folder = "path/to/this/folder"
model, tokenizer = MeanPooledBert.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
# The pipeline prints that it does not know this class; its results are right.
classifier = pipeline("text-classification", model=model, tokenizer=tokenizer)
classifier("…")
```
"#;

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
    /// The evaluation on the test rows.
    pub evaluation: Option<&'a Evaluation>,
}

/// The text of the card.
pub(super) fn readme(folder: &Folder<'_>, settings: &Values) -> String {
    let mut sections = vec![
        front_matter(&folder.card),
        introduction(folder),
        data(folder),
    ];
    if let Some(evaluation) = folder.card.evaluation {
        sections.push(results(evaluation, folder.labels));
    }
    sections.push(training(folder, settings));
    sections.push(licence(&folder.card));
    sections.join("\n")
}

/// Title, summary, and how to load the model.
fn introduction(folder: &Folder<'_>) -> String {
    let labels = folder.labels.iter();
    let mut text = format!(
        "# {}\n\nA text classifier: `{}`, fine-tuned in a browser tab with webtune {}. It tells {} apart.\n",
        inline(folder.card.name),
        folder.card.base_model,
        env!("CARGO_PKG_VERSION"),
        join(labels.map(|label| format!("*{}*", inline(label))))
    );
    text += match folder.model.pooling {
        ClassifierPooling::Cls => FROM_PRETRAINED,
        ClassifierPooling::Mean => MEAN_POOLED,
    };
    if folder.unavailable(ExportPart::Adapter).is_none() {
        text += &format!(
            r#"
It was trained with LoRA: the adapters are merged into the weights, and `adapter/` has them alone, for PEFT:

```python
from peft import AutoPeftModelForSequenceClassification

folder = "path/to/this/folder/adapter"
model = AutoPeftModelForSequenceClassification.from_pretrained(folder, num_labels={})
```
"#,
            folder.labels.len()
        );
    }
    text
}

/// The dataset and its rows by label.
fn data(folder: &Folder<'_>) -> String {
    let dataset = inline(folder.card.dataset.trim_end_matches('.'));
    let mut text = format!("## Data\n\n{dataset}.\n\n");
    text += "| label | training rows | test rows |\n| --- | ---: | ---: |\n";
    let counts = |rows: &[&Row]| count_labels(rows.iter().copied(), folder.labels.len());
    let (train, test) = (counts(folder.rows.train), counts(folder.rows.test));
    for ((label, train), test) in folder.labels.iter().zip(&train).zip(&test) {
        text += &format!("| {} | {train} | {test} |\n", inline(label));
    }
    let all = |counts: &[usize]| counts.iter().sum::<usize>();
    text += &format!("| all | {} | {} |\n", all(&train), all(&test));
    text
}

/// The settings of the run.
fn training(folder: &Folder<'_>, settings: &Values) -> String {
    let updates = folder.history.step_logs().len();
    let mut text = format!(
        "## Training\n\n{updates} updates of AdamW. `training_args.json` has these settings and gives the same run \
         again on the same rows; `trainer_state.json` has its losses.\n\n| setting | value |\n| --- | --- |\n"
    );
    for (name, value) in settings {
        text += &format!("| `{name}` | {} |\n", inline(&value.to_string()));
    }
    text
}

/// The licence of the weights.
fn licence(card: &Card<'_>) -> String {
    let base = card.base_model;
    let sentence = match card.license {
        "" => format!(
            "The licence of the base model, `{base}`, is not known here; it holds for these weights too."
        ),
        license => {
            format!("These weights are derived from `{base}`, whose licence is {license}.")
        }
    };
    format!("## Licence\n\n{sentence}\n")
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

/// The metrics of the test rows.
fn results(evaluation: &Evaluation, labels: &[String]) -> String {
    let metrics = &evaluation.metrics;
    let mut text = format!(
        "## Results\n\nOn the test rows: accuracy {:.4}, loss {:.4}.\n\n",
        metrics.accuracy, evaluation.loss
    );
    text += "| label | precision | recall | F1 | rows |\n| --- | ---: | ---: | ---: | ---: |\n";
    let named = labels
        .iter()
        .map(|label| inline(label))
        .zip(&metrics.classes);
    let average = ("macro average".to_string(), &metrics.macro_average);
    for (label, class) in named.chain([average]) {
        text += &format!(
            "| {label} | {:.4} | {:.4} | {:.4} | {} |\n",
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
