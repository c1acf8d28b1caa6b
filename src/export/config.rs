//! `config.json`: that of the base model with the fields of a classifier of these labels.

use super::entry::pretty;
use super::refuse;
use crate::bert::{BertForSequenceClassification, ClassifierPooling};
use crate::{Error, Result};
use serde_json::{Map, Value, json};

/// The `config.json` of the base model with the fields of transformers' `BertForSequenceClassification`, without the
/// history of the file. A model whose classifier gets the mean of the hidden states has `classifier_pooling`, by which
/// [`BertConfig`](crate::bert::BertConfig) knows it again. `external_data` names the ONNX files whose weights are in a
/// second file.
///
/// # Errors
/// [`Error::Config`] if `config` is not a JSON object, [`Error::Export`] if the number of names is not that of the
/// model's labels.
pub(super) fn exported(
    config: &str,
    labels: &[String],
    model: &BertForSequenceClassification,
    external_data: &[String],
) -> Result<String> {
    let mut config = with_classifier(config, labels, model.num_labels(), model.pooling)?;
    name_external_data(&mut config, external_data);
    Ok(pretty(&Value::Object(config)))
}

/// Tells transformers.js which ONNX files have their weights in a second file.
fn name_external_data(config: &mut Map<String, Value>, files: &[String]) {
    if !files.is_empty() {
        let files: Map<String, Value> = files
            .iter()
            .map(|name| (name.clone(), json!(true)))
            .collect();
        let settings = json!({"use_external_data_format": files});
        config.insert("transformers.js_config".into(), settings);
    }
}

fn with_classifier(
    config: &str,
    labels: &[String],
    num_labels: usize,
    pooling: ClassifierPooling,
) -> Result<Map<String, Value>> {
    if labels.len() != num_labels {
        return Err(refuse(format!(
            "the model has {num_labels} labels, but {} have names. Train again with this dataset.",
            labels.len()
        )));
    }
    let value: Value =
        serde_json::from_str(config).map_err(|error| Error::Config(format!("{error}.")))?;
    let Value::Object(mut config) = value else {
        return Err(Error::Config("it is not a JSON object.".into()));
    };
    // transformers derives num_labels from id2label. torch_dtype is the older name of dtype, which is f32 in the
    // export.
    for outdated in [
        "num_labels",
        "_num_labels",
        "torch_dtype",
        "transformers_version",
        "_name_or_path",
        "classifier_pooling",
    ] {
        config.remove(outdated);
    }
    let id2label: Map<String, Value> = labels
        .iter()
        .enumerate()
        .map(|(id, label)| (id.to_string(), json!(label)))
        .collect();
    let label2id: Map<String, Value> = labels
        .iter()
        .enumerate()
        .map(|(id, label)| (label.clone(), json!(id)))
        .collect();
    for (name, value) in [
        ("architectures", json!(["BertForSequenceClassification"])),
        ("dtype", json!("float32")),
        ("id2label", Value::Object(id2label)),
        ("label2id", Value::Object(label2id)),
        ("model_type", json!("bert")),
        ("problem_type", json!("single_label_classification")),
    ] {
        config.insert(name.into(), value);
    }
    if pooling == ClassifierPooling::Mean {
        config.insert("classifier_pooling".into(), json!(pooling));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::BertConfig;

    #[test]
    fn transformers_js_is_told_which_files_have_external_data() {
        let mut config = Map::new();
        name_external_data(&mut config, &[]);
        assert!(config.is_empty());
        name_external_data(&mut config, &["model.onnx".into()]);
        let expected = json!({"use_external_data_format": {"model.onnx": true}});
        assert_eq!(config["transformers.js_config"], expected);
    }

    #[test]
    fn keeps_the_network_and_names_the_labels() {
        let base = r#"{"hidden_size": 8, "num_attention_heads": 2, "_name_or_path": "x", "torch_dtype": "float16",
            "num_labels": 5, "architectures": ["BertModel"], "position_embedding_type": "absolute"}"#;
        let labels = ["no".to_string(), "yes".to_string()];
        let config = with_classifier(base, &labels, 2, ClassifierPooling::Cls).unwrap();
        let text = pretty(&Value::Object(config));
        assert_eq!(
            BertConfig::from_json(&text).unwrap(),
            BertConfig::from_json(base).unwrap()
        );
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["id2label"], json!({"0": "no", "1": "yes"}));
        assert_eq!(value["label2id"], json!({"no": 0, "yes": 1}));
        assert_eq!(
            value["architectures"],
            json!(["BertForSequenceClassification"])
        );
        assert_eq!(value["position_embedding_type"], "absolute");
        assert!(
            ["torch_dtype", "num_labels", "_name_or_path"]
                .iter()
                .all(|name| value.get(name).is_none())
        );
    }

    #[test]
    fn refuses_labels_without_names() {
        let message = with_classifier("{}", &["only".to_string()], 2, ClassifierPooling::Cls)
            .unwrap_err()
            .to_string();
        assert!(message.contains("2 labels, but 1 have names"), "{message}");
        assert!(
            with_classifier("[]", &[], 0, ClassifierPooling::Cls)
                .unwrap_err()
                .to_string()
                .contains("not a JSON object")
        );
    }

    #[test]
    fn the_pooling_of_a_model_is_known_again() {
        let base = r#"{"model_type": "bert", "classifier_pooling": "mean"}"#;
        let labels = ["no".to_string(), "yes".to_string()];
        for pooling in [ClassifierPooling::Cls, ClassifierPooling::Mean] {
            let config = with_classifier(base, &labels, 2, pooling).unwrap();
            let text = pretty(&Value::Object(config));
            let config = BertConfig::from_json(&text).unwrap();
            assert_eq!(config.classifier_pooling, pooling);
            let is_stated = text.contains("classifier_pooling");
            assert_eq!(is_stated, pooling == ClassifierPooling::Mean);
        }
    }
}
