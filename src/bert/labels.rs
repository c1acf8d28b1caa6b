//! The labels of a checkpoint's own head.

use crate::{Error, Result};
use serde_json::Value;

/// Labels that transformers gives a classifier whose `config.json` says nothing.
const DEFAULT_NUM_LABELS: usize = 2;

/// The most labels that a `config.json` may state. Every one of them is a row of the head.
const MAX_LABELS: u64 = 100_000;

/// The labels of the head that a `config.json` describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadLabels {
    /// The name of each output.
    pub names: Vec<String>,
    /// Whether the outputs exclude each other, as this crate's loss and predictions have it: `problem_type` is not
    /// `regression` or `multi_label_classification`.
    pub is_single_label: bool,
}

impl HeadLabels {
    /// Reads the labels as transformers' [`PreTrainedConfig`][hf] does: `id2label` names the outputs, unless
    /// `num_labels` states another number of them; without either there are two. An output without a name is `LABEL_`
    /// and its id.
    ///
    /// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/configuration_utils.py
    ///
    /// # Errors
    /// [`Error::Config`] if the text is not JSON, or a field is of another type.
    pub fn from_json(text: &str) -> Result<Self> {
        let config: Value =
            serde_json::from_str(text).map_err(|error| Error::Config(format!("{error}.")))?;
        let stated = match &config["num_labels"] {
            Value::Null => None,
            number => Some(count(number)?),
        };
        let id2label = match &config["id2label"] {
            Value::Null => None,
            Value::Object(names) => Some(names),
            other => {
                return Err(Error::Config(format!(
                    "id2label is {other}, but must map the ids of the labels to their names."
                )));
            }
        };
        let named = id2label.map(serde_json::Map::len);
        let len = stated.or(named).unwrap_or(DEFAULT_NUM_LABELS);
        let name = |id: usize| {
            let names = id2label.filter(|names| names.len() == len)?;
            match names.get(&id.to_string())? {
                Value::String(name) => Some(name.clone()),
                // A number, in checkpoints whose labels are ratings.
                other => Some(other.to_string()),
            }
        };
        let names = (0..len).map(|id| name(id).unwrap_or_else(|| format!("LABEL_{id}")));
        let problem_type = config["problem_type"].as_str().unwrap_or_default();
        Ok(Self {
            names: names.collect(),
            is_single_label: len > 1
                && !["regression", "multi_label_classification"].contains(&problem_type),
        })
    }

    /// Returns the position of each of `wanted` among these labels, if both are the same set. Names are compared
    /// without case and without white space around them.
    pub fn order_of(&self, wanted: &[String]) -> Option<Vec<usize>> {
        let key = |name: &str| name.trim().to_lowercase();
        let own: Vec<_> = self.names.iter().map(|name| key(name)).collect();
        let is_unique = (1..own.len()).all(|at| !own[..at].contains(&own[at]));
        if !is_unique || own.len() != wanted.len() {
            return None;
        }
        let position = |name: &String| own.iter().position(|found| *found == key(name));
        let order: Vec<usize> = wanted.iter().map(position).collect::<Option<_>>()?;
        let is_permutation = (0..own.len()).all(|at| order.contains(&at));
        is_permutation.then_some(order)
    }
}

fn count(number: &Value) -> Result<usize> {
    let count = number
        .as_u64()
        .filter(|count| (1..=MAX_LABELS).contains(count));
    count
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(|| {
            Error::Config(format!(
                "num_labels is {number}, but must be a whole number from 1 to {MAX_LABELS}."
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(config: &str) -> Vec<String> {
        HeadLabels::from_json(config).unwrap().names
    }

    #[test]
    fn labels_are_those_of_transformers() {
        assert_eq!(names("{}"), ["LABEL_0", "LABEL_1"]);
        assert_eq!(names(r#"{"num_labels": 3, "id2label": null}"#).len(), 3);
        assert_eq!(names(r#"{"id2label": {"1": "b", "0": "a"}}"#), ["a", "b"]);
        // `num_labels` of another size replaces the names.
        let replaced = names(r#"{"num_labels": 3, "id2label": {"0": "a", "1": "b"}}"#);
        assert_eq!(replaced, ["LABEL_0", "LABEL_1", "LABEL_2"]);
        let with_gaps = names(r#"{"id2label": {"0": "a", "2": "b", "5": "c"}}"#);
        assert_eq!(with_gaps, ["a", "LABEL_1", "b"]);
        assert_eq!(names(r#"{"id2label": {"0": 1, "1": 2}}"#), ["1", "2"]);
    }

    #[test]
    fn other_problem_types_are_known() {
        let single = |config: &str| HeadLabels::from_json(config).unwrap().is_single_label;
        assert!(single("{}") && single(r#"{"problem_type": "single_label_classification"}"#));
        assert!(!single(r#"{"num_labels": 1}"#));
        assert!(!single(r#"{"problem_type": "multi_label_classification"}"#));
    }

    #[test]
    fn impossible_labels_are_refused() {
        for config in [
            r#"{"num_labels": 0}"#,
            r#"{"num_labels": 1e18}"#,
            r#"{"id2label": [1]}"#,
        ] {
            assert!(HeadLabels::from_json(config).is_err(), "{config}");
        }
    }

    #[test]
    fn labels_are_matched_by_name() {
        let own = HeadLabels::from_json(r#"{"id2label": {"0": "POSITIVE", "1": "Negative "}}"#);
        let own = own.unwrap();
        let order = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_string()).collect();
            own.order_of(&wanted)
        };
        assert_eq!(order(&["negative", "positive"]), Some(vec![1, 0]));
        assert_eq!(order(&["positive", "negative"]), Some(vec![0, 1]));
        assert_eq!(order(&["positive", "neutral"]), None);
        assert_eq!(order(&["positive", "positive"]), None);
        assert_eq!(order(&["positive", "negative", "neutral"]), None);
    }
}
