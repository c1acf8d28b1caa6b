//! The `config.json` of a BERT checkpoint.

use super::HiddenAct;
use super::incompatible::check_network;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What the classifier gets of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassifierPooling {
    /// The output of the pooler, which reads the first token.
    #[default]
    Cls,
    /// The mean of the last hidden states of the text's tokens; the pooler is unused.
    Mean,
}

/// The fields of transformers' [`BertConfig`][hf] that the network depends on, with transformers' defaults.
///
/// [hf]: https://huggingface.co/docs/transformers/v4.57.0/model_doc/bert#transformers.BertConfig
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BertConfig {
    /// `bert`; any other value is refused.
    pub model_type: String,
    /// Rows of the word embedding table.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Encoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads per layer; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward network's hidden layer.
    pub intermediate_size: usize,
    /// Activation of the feed-forward network, one of [`HiddenAct::names`].
    pub hidden_act: String,
    /// Dropout probability after the embeddings, the attention and the feed-forward network.
    pub hidden_dropout_prob: f64,
    /// Dropout probability of the attention probabilities.
    pub attention_probs_dropout_prob: f64,
    /// Dropout probability before the classifier; `hidden_dropout_prob` if absent.
    pub classifier_dropout: Option<f64>,
    /// What the classifier gets of a text. transformers' BERT has `cls` only, and its `BertConfig` keeps this field
    /// unread; its ModernBERT has both under this name.
    pub classifier_pooling: ClassifierPooling,
    /// Rows of the position embedding table: the longest sequence in tokens.
    pub max_position_embeddings: usize,
    /// Rows of the token type embedding table.
    pub type_vocab_size: usize,
    /// Standard deviation of newly drawn weights.
    pub initializer_range: f64,
    /// Epsilon of every LayerNorm.
    pub layer_norm_eps: f64,
    /// Id of `[PAD]`, for information: the tokenizer's is used. Some checkpoints have `null` or -1.
    pub pad_token_id: Option<i64>,
}

impl Default for BertConfig {
    fn default() -> Self {
        Self {
            model_type: "bert".into(),
            vocab_size: 30522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: "gelu".into(),
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            classifier_dropout: None,
            classifier_pooling: ClassifierPooling::Cls,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            initializer_range: 0.02,
            layer_norm_eps: 1e-12,
            pad_token_id: Some(0),
        }
    }
}

/// The most layers: the deepest published BERTs have 48.
const MOST_LAYERS: usize = 256;

/// More parameters than the memory of a page holds: 4 GB of f32.
const MOST_PARAMETERS: f64 = 1e9;

impl BertConfig {
    /// Parses and checks a `config.json`.
    ///
    /// # Errors
    /// [`Error::Config`] if the text is not JSON, not a BERT, or its numbers do not describe a network.
    pub fn from_json(text: &str) -> Result<Self> {
        let broken = |error: serde_json::Error| Error::Config(format!("{error}."));
        // A map first, of which the last of two equal keys counts, as in Python.
        let value: serde_json::Value = serde_json::from_str(text).map_err(broken)?;
        check_network(&value)?;
        let is_bert = is_bert(&value);
        let config: Self = serde_json::from_value(value).map_err(broken)?;
        config.check()?;
        if !is_bert {
            return Err(Error::Config(
                "it has no model_type, and neither its architectures nor its fields are those of a BERT. \
                 Take the config.json that is beside the weights."
                    .into(),
            ));
        }
        Ok(config)
    }

    /// Returns whether a `config.json` is that of a BERT, whether or not its values can be used: its `model_type` is
    /// `bert`, or without a `model_type`, as in the first checkpoints, its `architectures` name a class of BERT or its
    /// sizes are there.
    pub fn names_bert(text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|config| is_bert(&config))
    }

    fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::Config(what));
        if HiddenAct::from_name(&self.hidden_act).is_none() {
            return refuse(format!(
                "hidden_act is \"{}\", but this page computes {} only.",
                self.hidden_act,
                HiddenAct::names().collect::<Vec<_>>().join(", ")
            ));
        }
        for (name, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ] {
            if value == 0 {
                return refuse(format!("{name} is 0."));
            }
        }
        if self.num_hidden_layers > MOST_LAYERS {
            return refuse(format!(
                "num_hidden_layers is {}, but this page computes {MOST_LAYERS} at most.",
                self.num_hidden_layers
            ));
        }
        if self.parameters() > MOST_PARAMETERS {
            return refuse(format!(
                "its sizes are those of a network of {:.1e} parameters, and this page computes {MOST_PARAMETERS:.1e} \
                 at most. Take a smaller checkpoint.",
                self.parameters()
            ));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return refuse(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}.",
                self.hidden_size, self.num_attention_heads
            ));
        }
        for (name, value) in [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            (
                "attention_probs_dropout_prob",
                self.attention_probs_dropout_prob,
            ),
            ("classifier_dropout", self.classifier_dropout()),
        ] {
            if !(0.0..1.0).contains(&value) {
                return refuse(format!("{name} is {value}, but must be in [0, 1)."));
            }
        }
        Ok(())
    }

    /// Roughly how many parameters the network has. Sizes of a hostile file do not fit into integers when multiplied.
    fn parameters(&self) -> f64 {
        let size = |value: usize| value as f64;
        let hidden = size(self.hidden_size);
        let tables = [
            self.vocab_size,
            self.max_position_embeddings,
            self.type_vocab_size,
        ];
        let rows: f64 = tables.into_iter().map(size).sum();
        let layer = 4.0 * hidden * hidden + 2.0 * hidden * size(self.intermediate_size);
        // Heads have no parameters of their own.
        rows * hidden
            + size(self.num_hidden_layers) * layer.max(1.0)
            + size(self.num_attention_heads)
    }

    /// Returns the activation of the feed-forward network: the exact GELU for a name that
    /// [`from_json`](Self::from_json) refuses.
    pub fn activation(&self) -> HiddenAct {
        HiddenAct::from_name(&self.hidden_act).unwrap_or_default()
    }

    /// Returns the dropout probability before the classifier.
    pub fn classifier_dropout(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    /// Returns the width of one attention head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Returns the configuration without dropout, which the recordings of the reference use.
    pub fn without_dropout(mut self) -> Self {
        self.hidden_dropout_prob = 0.0;
        self.attention_probs_dropout_prob = 0.0;
        self.classifier_dropout = Some(0.0);
        self
    }
}

/// Whether a parsed `config.json` is that of a BERT, see [`BertConfig::names_bert`].
fn is_bert(config: &serde_json::Value) -> bool {
    if let Some(model_type) = config["model_type"].as_str() {
        return model_type == "bert";
    }
    let is_class = |class: &serde_json::Value| {
        let class = class.as_str().unwrap_or_default();
        ["BertModel", "BertFor", "BertLMHead"]
            .iter()
            .any(|start| class.starts_with(start))
    };
    let classes = config["architectures"].as_array();
    classes.is_some_and(|classes| classes.iter().any(is_class))
        || ["hidden_size", "num_hidden_layers", "vocab_size"]
            .iter()
            .all(|size| config[size].is_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(json: &str) -> String {
        BertConfig::from_json(json).unwrap_err().to_string()
    }

    #[test]
    fn refuses_unusable_values() {
        assert!(message(r#"{"hidden_size": 10, "num_attention_heads": 3}"#).contains("multiple"));
        assert!(message(r#"{"hidden_act": "gelu_exact"}"#).contains("gelu_exact"));
        assert!(message("{").contains("EOF"));
        assert!(message(r#"{"hidden_dropout_prob": 1.0}"#).contains("[0, 1)"));
        assert!(message(r#"{"num_hidden_layers": 1000000}"#).contains("256 at most"));
        let huge = message(r#"{"max_position_embeddings": 9223372036854775807}"#);
        assert!(
            huge.contains("7.1e21 parameters") && huge.contains("1.0e9 at most"),
            "{huge}"
        );
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let text = r#"{"model_type": "bert", "num_hidden_layers": 3, "num_hidden_layers": 2}"#;
        assert_eq!(BertConfig::from_json(text).unwrap().num_hidden_layers, 2);
    }

    #[test]
    fn a_config_must_name_a_bert() {
        for text in [
            r#"{"model_type": "bert"}"#,
            r#"{"architectures": ["BertForMaskedLM"]}"#,
            r#"{"hidden_size": 768, "num_hidden_layers": 12, "vocab_size": 30522}"#,
        ] {
            assert!(BertConfig::names_bert(text), "{text}");
            assert_eq!(BertConfig::from_json(text).unwrap(), BertConfig::default());
        }
        for text in [
            "{}",
            r#"{"model_type": "gpt2", "architectures": ["BertModel"]}"#,
            r#"{"architectures": ["RobertaModel"]}"#,
            r#"{"architectures": ["BertGenerationEncoder"]}"#,
            r#"{"hidden_size": 768, "num_hidden_layers": 12}"#,
            r#"{"word_embedding_dimension": 384, "pooling_mode_mean_tokens": true}"#,
            "[]",
            "{",
        ] {
            assert!(!BertConfig::names_bert(text), "{text}");
        }
        let error = BertConfig::from_json("{}").unwrap_err().to_string();
        assert!(error.contains("model_type"), "{error}");
        for (value, expected) in [("null", None), ("-1", Some(-1))] {
            let text = format!(r#"{{"model_type": "bert", "pad_token_id": {value}}}"#);
            let config = BertConfig::from_json(&text).unwrap();
            assert_eq!(config.pad_token_id, expected);
        }
    }
}
