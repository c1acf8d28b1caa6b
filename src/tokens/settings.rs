//! `tokenizer_config.json` and the older files beside it: the settings of a tokenizer.

use super::added::AddedToken;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The file of the settings.
const CONFIG_FILE: &str = "tokenizer_config.json";

/// The settings of BERT's normalizer in `tokenizer_config.json`, with the defaults of transformers'
/// [`BertTokenizer`][hf].
///
/// [hf]: https://huggingface.co/docs/transformers/v4.57.0/model_doc/bert#transformers.BertTokenizer
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct VocabSettings {
    /// Whether texts are converted to lower case.
    pub do_lower_case: bool,
    /// Whether accents are removed. If absent, they are removed when texts are converted to lower case.
    pub strip_accents: Option<bool>,
    /// Whether every Chinese character is a separate word.
    pub tokenize_chinese_chars: bool,
}

impl Default for VocabSettings {
    fn default() -> Self {
        Self {
            do_lower_case: true,
            strip_accents: None,
            tokenize_chinese_chars: true,
        }
    }
}

impl VocabSettings {
    /// Parses a `tokenizer_config.json` and ignores its other fields.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text is not JSON or a value has another type.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| refuse(CONFIG_FILE, &error))
    }
}

/// The side of a text that is cut off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Side {
    Left,
    #[default]
    Right,
}

/// How a text becomes ids, whatever the vocabulary is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct EncodingSettings {
    pub truncation_side: Side,
    pub padding_side: Side,
    /// Whether special tokens in a text are cut as any other word.
    pub split_special_tokens: bool,
}

/// Everything that transformers reads of `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TokenizerSettings {
    /// `tokenizer_class` without the ending `Fast`.
    pub class: Option<String>,
    pub vocab: VocabSettings,
    /// `word_tokenizer_type`: what cuts a text into words before WordPiece, for Japanese.
    pub word_tokenizer: Option<String>,
    pub encoding: EncodingSettings,
    /// The tokens of the names `bos_token`, `eos_token`, `unk_token`, `sep_token`, `pad_token`, `cls_token` and
    /// `mask_token` that a file states.
    pub special: Map<String, Value>,
    /// The tokens that are special without one of these names.
    pub extra_special: Vec<AddedToken>,
    /// Whether a space is put before a text whose first word would have none; of SentencePiece's tokenizers.
    pub add_prefix_space: bool,
    /// Tokens with their ids; none if no file has a table of them.
    pub added: Option<Vec<(u64, AddedToken)>>,
    /// Whether `added` is the whole table, so that the one of `tokenizer.json` is not used.
    pub added_is_complete: bool,
}

/// The names of special tokens, in the order in which transformers adds them.
pub(super) const SPECIAL_NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// The fields of `tokenizer_config.json` that are not special tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    tokenizer_class: Option<String>,
    word_tokenizer_type: Option<String>,
    truncation_side: Option<Side>,
    padding_side: Option<Side>,
    split_special_tokens: Option<bool>,
    add_prefix_space: Option<bool>,
    added_tokens_decoder: Option<Map<String, Value>>,
}

impl TokenizerSettings {
    /// Reads the files as transformers' [`_from_pretrained`][hf] does: `special_tokens_map.json` and
    /// `added_tokens.json` count only where `tokenizer_config.json` has no `added_tokens_decoder`.
    ///
    /// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/tokenization_utils_base.py
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if a file is not JSON or a value has another type.
    pub(super) fn read(
        config: Option<&str>,
        special_tokens_map: Option<&str>,
        added_tokens: Option<&str>,
    ) -> Result<Self> {
        let mut config_map = match config {
            Some(text) => object(CONFIG_FILE, text)?,
            None => Map::new(),
        };
        let parse_error = |error: serde_json::Error| refuse(CONFIG_FILE, &error);
        let fields = Value::Object(config_map.clone());
        let fields: Fields = serde_json::from_value(fields).map_err(parse_error)?;
        let vocab = Value::Object(config_map.clone());
        let vocab: VocabSettings = serde_json::from_value(vocab).map_err(parse_error)?;
        let added_is_complete = fields.added_tokens_decoder.is_some();
        let added = match fields.added_tokens_decoder {
            Some(decoder) => Some(decoder_tokens(decoder)?),
            None => {
                if let Some(text) = special_tokens_map {
                    config_map.extend(object("special_tokens_map.json", text)?);
                }
                None
            }
        };
        let special = SPECIAL_NAMES.iter().filter_map(|name| {
            let value = config_map.get(*name).filter(|value| !value.is_null())?;
            Some((name.to_string(), value.clone()))
        });
        let mut settings = Self {
            class: fields
                .tokenizer_class
                .map(|class| without_fast(&class).into()),
            vocab,
            word_tokenizer: fields.word_tokenizer_type,
            encoding: EncodingSettings {
                truncation_side: fields.truncation_side.unwrap_or_default(),
                padding_side: fields.padding_side.unwrap_or_default(),
                split_special_tokens: fields.split_special_tokens.unwrap_or(false),
            },
            special: special.collect(),
            add_prefix_space: fields.add_prefix_space.unwrap_or(true),
            extra_special: extra_special(&config_map)?,
            added,
            added_is_complete,
        };
        if let (false, Some(text)) = (added_is_complete, added_tokens) {
            settings.added = Some(settings.legacy_added(object("added_tokens.json", text)?)?);
        }
        Ok(settings)
    }

    /// Returns the special token of this name, if a file states it.
    pub(super) fn special_token(&self, name: &str) -> Option<AddedToken> {
        match self.special.get(name)? {
            Value::String(content) => Some(AddedToken::new(content.clone(), true)),
            other => {
                let mut fields = other.clone();
                fields["special"] = true.into();
                AddedToken::from_value(fields).ok()
            }
        }
    }

    /// Reads the table of `added_tokens.json`, from tokens to ids.
    fn legacy_added(&self, table: Map<String, Value>) -> Result<Vec<(u64, AddedToken)>> {
        let is_special = |token: &str| {
            self.special
                .values()
                .any(|value| content(value) == Some(token))
                || self
                    .extra_special
                    .iter()
                    .any(|extra| extra.content == token)
        };
        let entry = |(token, id): (String, Value)| {
            let id = id.as_u64().ok_or_else(|| Error::Tokenizer {
                file: "added_tokens.json".into(),
                problem: format!("the id of {token:?} is {id}, not a whole number"),
            })?;
            let special = is_special(&token);
            Ok((id, AddedToken::new(token, special)))
        };
        table.into_iter().map(entry).collect()
    }
}

/// Returns a class name without `Fast`, which transformers 5 no longer tells apart.
pub(super) fn without_fast(class: &str) -> &str {
    class.strip_suffix("Fast").unwrap_or(class)
}

/// Returns the text of a token that is a string or an object.
fn content(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token["content"].as_str())
}

/// Reads `added_tokens_decoder`, from ids to tokens.
fn decoder_tokens(decoder: Map<String, Value>) -> Result<Vec<(u64, AddedToken)>> {
    let entry = |(id, token): (String, Value)| {
        let id = id.parse().map_err(|_| Error::Tokenizer {
            file: CONFIG_FILE.into(),
            problem: format!("added_tokens_decoder has the id {id:?}, which is not a whole number"),
        })?;
        let token = AddedToken::from_value(token).map_err(|error| refuse(CONFIG_FILE, &error))?;
        Ok((id, token))
    };
    decoder.into_iter().map(entry).collect()
}

/// Reads `extra_special_tokens`, or under its older name `additional_special_tokens`.
fn extra_special(config: &Map<String, Value>) -> Result<Vec<AddedToken>> {
    let names = ["extra_special_tokens", "additional_special_tokens"];
    let lists = names.iter().filter_map(|name| match config.get(*name)? {
        Value::Array(tokens) => Some(tokens.clone()),
        Value::Object(tokens) => Some(tokens.values().cloned().collect()),
        _ => None,
    });
    let Some(tokens) = lists.into_iter().find(|tokens| !tokens.is_empty()) else {
        return Ok(Vec::new());
    };
    let token = |token: Value| match token {
        Value::String(content) => Ok(AddedToken::new(content, true)),
        other => AddedToken::from_value(other).map(|token| AddedToken {
            special: true,
            ..token
        }),
    };
    let tokens: Result<_, serde_json::Error> = tokens.into_iter().map(token).collect();
    tokens.map_err(|error| refuse(CONFIG_FILE, &error))
}

fn object(file: &str, text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| refuse(file, &error))
}

fn refuse(file: &str, error: &serde_json::Error) -> Error {
    Error::Tokenizer {
        file: file.into(),
        problem: format!("{error}"),
    }
}
