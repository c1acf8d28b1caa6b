//! Networks that are not a BERT, or are one in name only: why they are refused, and what to take instead.

use crate::{Error, Result};
use serde_json::Value;

/// Checks the fields of a `config.json` that describe another network than this crate's.
///
/// # Errors
/// [`Error::Config`].
pub(super) fn check_network(config: &Value) -> Result<()> {
    let refuse = |what: String| Err(Error::Config(what));
    if let Some(model_type) = config["model_type"].as_str().filter(|name| *name != "bert") {
        return refuse(format!(
            "model_type is \"{model_type}\", but this page trains \"bert\" only: {}.",
            incompatibility(model_type)
        ));
    }
    let positions = config["position_embedding_type"].as_str();
    if let Some(positions) = positions.filter(|name| *name != "absolute") {
        return refuse(format!(
            "position_embedding_type is \"{positions}\", but this page computes absolute positions only: relative \
             ones are another network."
        ));
    }
    for (field, effect) in [
        (
            "is_decoder",
            "each token would see only the tokens before it, and [CLS] only itself",
        ),
        ("add_cross_attention", "its layers attend to a second text"),
        ("is_encoder_decoder", "it consists of two networks"),
    ] {
        if config[field] == true {
            return refuse(format!(
                "{field} is true: {effect}. Take a checkpoint of an encoder."
            ));
        }
    }
    let is_filled = |field: &str| config[field].as_object().is_some_and(|map| !map.is_empty());
    if is_filled("pruned_heads") {
        return refuse(
            "pruned_heads names attention heads that are left out, but this page computes all of them.".into(),
        );
    }
    if is_filled("quantization_config") {
        return refuse(
            "quantization_config says that the weights are quantized. Take the checkpoint with 16 or 32-bit weights."
                .into(),
        );
    }
    Ok(())
}

/// Returns why a known model type is not a BERT, and the nearest BERT that can be loaded instead.
fn incompatibility(model_type: &str) -> &'static str {
    match model_type {
        "distilbert" => {
            "a DistilBERT has no pooler and no token types, and other names for its weights. Take the BERT that it \
             was made from (bert-base-uncased, bert-base-multilingual-cased), or the smaller all-MiniLM-L6-v2"
        }
        "roberta" | "camembert" => {
            "a RoBERTa counts its positions from another number and cuts its texts by byte-level BPE or SentencePiece. \
             Take bert-base-cased, or the smaller all-MiniLM-L6-v2"
        }
        "xlm-roberta" | "xlm-roberta-xl" => {
            "an XLM-RoBERTa counts its positions from another number and cuts its texts by SentencePiece. Take \
             bert-base-multilingual-cased"
        }
        "electra" => {
            "an ELECTRA has a classifier of two layers and no pooler. Take bert-base-uncased, or bert-mini of the \
             same size as the small ELECTRA"
        }
        "modernbert" => {
            "a ModernBERT rotates its positions, has gated layers and cuts its texts by byte-level BPE. Take \
             bert-base-uncased, or bge-small-en-v1.5"
        }
        "albert" => {
            "an ALBERT shares one layer's weights among all layers and splits its embeddings in two. Take \
             bert-base-uncased"
        }
        "deberta" | "deberta-v2" => "a DeBERTa attends to relative positions. Take bert-base-cased",
        "mpnet" => {
            "an MPNet attends to relative positions. Take all-MiniLM-L12-v2 in the place of all-mpnet-base-v2"
        }
        "nomic_bert" | "new" => {
            "its positions are rotated and its layers are gated. Take bge-small-en-v1.5 or gte-small"
        }
        "mobilebert" => {
            "a MobileBERT has layers of another form. Take bert-small, or all-MiniLM-L6-v2"
        }
        "bert-generation" | "bert_japanese" | "megatron-bert" | "ernie" | "roformer" | "luke" => {
            "it is a relative of BERT with another network. Take a checkpoint whose model_type is bert"
        }
        _ => "it is another network. Take a checkpoint whose model_type is bert",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(config: String) -> String {
        let config = serde_json::from_str(&config).unwrap();
        check_network(&config).unwrap_err().to_string()
    }

    #[test]
    fn refuses_other_models_and_names_a_bert_instead() {
        for (name, reason, instead) in [
            ("roberta", "positions", "bert-base-cased"),
            (
                "xlm-roberta",
                "SentencePiece",
                "bert-base-multilingual-cased",
            ),
            ("distilbert", "no pooler", "bert-base-uncased"),
            ("electra", "two layers", "bert-base-uncased"),
            ("modernbert", "rotates", "bert-base-uncased"),
            ("albert", "shares one layer", "bert-base-uncased"),
            ("mpnet", "relative positions", "all-MiniLM-L12-v2"),
            ("gpt2", "another network", "model_type is bert"),
        ] {
            let text = message(format!(r#"{{"model_type": "{name}"}}"#));
            for part in [name, reason, instead] {
                assert!(text.contains(part), "{text}");
            }
        }
    }

    #[test]
    fn refuses_other_networks_of_the_same_type() {
        for (fields, reason) in [
            (
                r#""position_embedding_type": "relative_key""#,
                "position_embedding_type",
            ),
            (r#""is_decoder": true"#, "is_decoder"),
            (r#""add_cross_attention": true"#, "add_cross_attention"),
            (r#""pruned_heads": {"0": [1]}"#, "pruned_heads"),
            (r#""quantization_config": {"bits": 4}"#, "quantized"),
        ] {
            let text = message(format!(r#"{{"model_type": "bert", {fields}}}"#));
            assert!(text.contains(reason), "{text}");
        }
        let ordinary = r#"{"model_type": "bert", "is_decoder": false, "pruned_heads": {}, "quantization_config": null,
            "position_embedding_type": "absolute"}"#;
        assert!(check_network(&serde_json::from_str(ordinary).unwrap()).is_ok());
    }
}
