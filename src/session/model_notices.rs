//! What the visitor should know about a model that was loaded: what is new in it, and what of its files is not used.

use crate::Warning;
use serde_json::json;

/// Tensors, or groups of them, that a sentence names.
const MOST_NAMES: usize = 8;

/// The pooler is drawn.
pub(super) fn new_pooler() -> Warning {
    Warning::new(
        "new_pooler",
        "The checkpoint has no pooler, as those of language models. A new one is drawn with random weights, and \
         fine-tuning trains it together with the classifier."
            .into(),
        json!({}),
    )
}

/// Tensors of the file are not used.
pub(super) fn skipped_tensors(names: &[String]) -> Warning {
    let groups = match names.len() {
        0..=MOST_NAMES => names.to_vec(),
        _ => groups(names),
    };
    let shown = groups.iter().take(MOST_NAMES);
    let mut list = shown.map(String::as_str).collect::<Vec<_>>().join(", ");
    if groups.len() > MOST_NAMES {
        list += ", …";
    }
    Warning::new(
        "skipped_tensors",
        format!(
            "{} of the file's tensors are not used, because they belong to a head for another task or to no part of \
             this network: {list}.",
            names.len()
        ),
        json!({"count": names.len(), "names": list}),
    )
}

/// The head is for another kind of problem.
pub(super) fn other_problem() -> Warning {
    Warning::new(
        "head_of_another_problem",
        "The checkpoint's own head is for regression or for several labels at once, and this page chooses one label \
         for a text. A new classifier takes its place."
            .into(),
        json!({}),
    )
}

/// The word embeddings come from the decoder.
pub(super) fn tied_word_embeddings() -> Warning {
    Warning::new(
        "tied_word_embeddings",
        "The file has the word embeddings only under the name of the decoder that shares them, \
         `cls.predictions.decoder.weight`. They are used from there; transformers' classifier would draw new ones."
            .into(),
        json!({}),
    )
}

/// The tokenizer asks for padding on the left.
pub(super) fn padding_side() -> Warning {
    Warning::new(
        "padding_side",
        "tokenizer_config.json asks for padding on the left (padding_side). This page pads on the right, because BERT \
         counts positions from the first column and reads its answer there."
            .into(),
        json!({}),
    )
}

/// Returns the first three parts of the names, without duplicates: a head, or a layer of the encoder.
fn groups(names: &[String]) -> Vec<String> {
    let group = |name: &String| {
        let name = name.strip_prefix("bert.").unwrap_or(name);
        let parts: Vec<_> = name.split('.').take(3).collect();
        parts.join(".")
    };
    let mut groups: Vec<_> = names.iter().map(group).collect();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_tensors_are_named_by_their_module() {
        let names = [
            "bert.encoder.layer.1.output.dense.bias",
            "bert.encoder.layer.1.output.dense.weight",
            "cls.predictions.decoder.weight",
            "linear.weight",
        ]
        .map(String::from);
        assert_eq!(
            groups(&names),
            [
                "encoder.layer.1",
                "cls.predictions.decoder",
                "linear.weight"
            ]
        );
        let warning = skipped_tensors(&names);
        assert_eq!(warning.values["names"], names.join(", "));
        assert!(warning.message.starts_with("4 of") && warning.message.contains(&names[3]));
        let many: Vec<_> = (0..20).map(|at| format!("a{at}.b")).collect();
        assert!(skipped_tensors(&many).message.contains("a7.b, …."));
    }
}
