//! The files of a tokenizer, read as transformers' [`AutoTokenizer`][hf] reads them: `docs/loading.md` states the rule.
//!
//! [hf]: https://huggingface.co/docs/transformers/v4.57.0/model_doc/auto#transformers.AutoTokenizer

use super::added::AddedTokens;
use super::class::TokenizerClass;
use super::generic::{generic, xlm_roberta};
use super::json::{last_id, names_of, parse, read_added, refuse, special_tokens, stated_tokens};
use super::settings::{TokenizerSettings, VocabSettings, without_fast};
use super::template::Template;
use super::tokenizer::{Parts, Tokenizer};
use super::vocab::{Method, Vocabulary, special_token};
use crate::{Error, Result};
use serde_json::{Value, json};

/// The files beside a model's weights that its tokenizer is read from. At least `tokenizer_json` or `vocab` is needed.
#[derive(Debug, Clone, Default)]
pub struct TokenizerFiles {
    /// `tokenizer.json`.
    pub tokenizer_json: Option<String>,
    /// `vocab.txt`; unused beside `tokenizer_json`.
    pub vocab: Option<String>,
    /// `tokenizer_config.json`.
    pub tokenizer_config: Option<String>,
    /// `special_tokens_map.json`.
    pub special_tokens_map: Option<String>,
    /// `added_tokens.json`.
    pub added_tokens: Option<String>,
    /// `tokenizer_class` of `config.json`, for a model without a class in `tokenizer_config`.
    pub model_class: Option<String>,
}

impl TokenizerFiles {
    /// Returns `tokenizer_class` of a `config.json`.
    pub fn class_of_model(config_json: &str) -> Option<String> {
        let config: Value = serde_json::from_str(config_json).ok()?;
        config["tokenizer_class"].as_str().map(str::to_string)
    }

    /// Returns whether `special_tokens_map.json` and `added_tokens.json` count beside a `tokenizer_config.json`: it has
    /// no `added_tokens_decoder`, as in files of older versions.
    pub fn needs_older_files(tokenizer_config: Option<&str>) -> bool {
        let config: Option<Value> =
            tokenizer_config.and_then(|text| serde_json::from_str(text).ok());
        config.is_none_or(|config| config["added_tokens_decoder"].is_null())
    }

    /// Builds the tokenizer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if a file is broken, the class cuts texts by other rules than WordPiece's, or a special
    /// token is missing.
    pub fn load(&self) -> Result<Tokenizer> {
        let settings = TokenizerSettings::read(
            self.tokenizer_config.as_deref(),
            self.special_tokens_map.as_deref(),
            self.added_tokens.as_deref(),
        )?;
        let model_class = self.model_class.as_deref().map(without_fast);
        let class = settings.class.as_deref().or(model_class);
        match TokenizerClass::of(class, settings.word_tokenizer.as_deref())? {
            TokenizerClass::Bert => self.bert(&settings),
            TokenizerClass::Generic => match &self.tokenizer_json {
                Some(text) => generic(text, &settings),
                None => Err(self.no_tokenizer_json(class.unwrap_or_default())?),
            },
            TokenizerClass::XlmRoberta => match &self.tokenizer_json {
                Some(text) => xlm_roberta(text, &settings),
                None => Err(self.no_tokenizer_json(class.unwrap_or_default())?),
            },
        }
    }

    /// The error for a class that only `tokenizer.json` can describe.
    fn no_tokenizer_json(&self, class: &str) -> Result<Error> {
        if let Some(vocab) = &self.vocab {
            Vocabulary::from_lines(vocab)?;
        }
        Ok(refuse(
            "tokenizer_config.json",
            format!(
                "tokenizer_class is {class}, which needs a tokenizer.json, and there is none. Take a checkpoint with \
                 that file, or one whose tokenizer is BertTokenizer."
            ),
        ))
    }

    /// `BertTokenizer`, whatever else than the vocabulary `tokenizer.json` says.
    fn bert(&self, settings: &TokenizerSettings) -> Result<Tokenizer> {
        let (file, found) = match (&self.tokenizer_json, &self.vocab) {
            (Some(text), _) => ("tokenizer.json", Some(parse(text)?)),
            (None, Some(_)) => ("vocab.txt", None),
            (None, None) => {
                return Err(refuse(
                    "tokenizer.json",
                    "there is neither a tokenizer.json nor a vocab.txt".into(),
                ));
            }
        };
        let vocabulary = match (&found, &self.vocab) {
            (Some(value), _) => Vocabulary::from_json(value, &[Method::WordPiece])?,
            (None, vocab) => Vocabulary::from_lines(vocab.as_deref().unwrap_or_default())?,
        };
        let mut added = match &found {
            Some(value) if !settings.added_is_complete => read_added(value, &vocabulary)?,
            _ => AddedTokens::default(),
        };
        added.extend(stated_tokens(settings), &vocabulary.ids);
        let special = special_tokens(settings, default_special);
        for (_, token) in &special {
            // A classifier does not need [MASK]; the other ones are checked below.
            if vocabulary.id(&token.content).is_some() {
                added.add(token.clone(), &vocabulary.ids);
            }
        }
        let named = |name: &str| {
            let token = special.iter().find(|(found, _)| *found == name);
            let token = token.map_or("", |(_, token)| token.content.as_str());
            let id = added.id(token).or_else(|| vocabulary.id(token));
            Ok::<_, Error>((token, special_token(file, token, id)?))
        };
        let (cls, sep) = (named("cls_token")?, named("sep_token")?);
        let ((_, pad), unk) = (named("pad_token")?, named("unk_token")?);
        let template = Template {
            prefix: vec![cls.1],
            suffix: vec![sep.1],
        };
        let built = bert_json(settings, &vocabulary, &added, [cls, sep], unk.0);
        // The file itself, where it says the same.
        let json = match (found, &self.tokenizer_json) {
            (Some(value), Some(text)) if says_the_same(&value, &built, &vocabulary, &template) => {
                text.clone()
            }
            _ => built.to_string(),
        };
        Tokenizer::new(Parts {
            template,
            pad,
            unknown: Some(unk.1),
            last_id: last_id(&vocabulary, &added),
            json,
            special: names_of(&special, &added),
            is_bert: true,
            encoding: settings.encoding,
            file,
        })
    }
}

impl Tokenizer {
    /// Reads a `tokenizer.json` that is alone, see [`TokenizerFiles`]. [`encode`](Self::encode) ignores its truncation
    /// and padding.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the file is not a WordPiece tokenizer or lacks `[CLS]`, `[SEP]`, `[PAD]` or `[UNK]`.
    pub fn from_json(text: &str) -> Result<Self> {
        let files = TokenizerFiles {
            tokenizer_json: Some(text.into()),
            ..TokenizerFiles::default()
        };
        files.load()
    }

    /// Reads a `vocab.txt` of one token per line with the settings of a `tokenizer_config.json`.
    ///
    /// # Errors
    /// Those of [`Tokenizer::from_json`].
    pub fn from_vocab(vocab: &str, settings: &VocabSettings) -> Result<Self> {
        let config = json!({
            "do_lower_case": settings.do_lower_case,
            "strip_accents": settings.strip_accents,
            "tokenize_chinese_chars": settings.tokenize_chinese_chars,
        });
        let files = TokenizerFiles {
            vocab: Some(vocab.into()),
            tokenizer_config: Some(config.to_string()),
            ..TokenizerFiles::default()
        };
        files.load()
    }
}

/// The special tokens of BERT, where no file states others.
fn default_special(name: &str) -> Option<&'static str> {
    match name {
        "unk_token" => Some("[UNK]"),
        "sep_token" => Some("[SEP]"),
        "pad_token" => Some("[PAD]"),
        "cls_token" => Some("[CLS]"),
        "mask_token" => Some("[MASK]"),
        _ => None,
    }
}

/// The `tokenizer.json` of transformers' [`BertTokenizer`][hf].
///
/// [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/convert_slow_tokenizer.py
fn bert_json(
    settings: &TokenizerSettings,
    vocabulary: &Vocabulary,
    added: &AddedTokens,
    [(cls, cls_id), (sep, sep_id)]: [(&str, u32); 2],
    unk: &str,
) -> Value {
    let normalizer = &settings.vocab;
    let special =
        |token: &str, type_id: u32| json!({"SpecialToken": {"id": token, "type_id": type_id}});
    let text = |name: &str, type_id: u32| json!({"Sequence": {"id": name, "type_id": type_id}});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added.to_json(),
        "normalizer": {"type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": normalizer.tokenize_chinese_chars,
            "strip_accents": normalizer.strip_accents, "lowercase": normalizer.do_lower_case},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "TemplateProcessing",
            "single": [special(cls, 0), text("A", 0), special(sep, 0)],
            "pair": [special(cls, 0), text("A", 0), special(sep, 0), text("B", 1), special(sep, 1)],
            "special_tokens": {cls: {"id": cls, "ids": [cls_id], "tokens": [cls]},
                sep: {"id": sep, "ids": [sep_id], "tokens": [sep]}}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": unk, "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary.ids},
    })
}

/// Whether a file describes the tokenizer that was built from its vocabulary and the settings.
fn says_the_same(
    file: &Value,
    built: &Value,
    vocabulary: &Vocabulary,
    template: &Template,
) -> bool {
    let model = |value: &Value, field: &str| value["model"][field].clone();
    let sorted = |value: &Value| {
        let added = read_added(value, vocabulary).ok()?;
        Some(added.to_json())
    };
    file["normalizer"] == built["normalizer"]
        && file["pre_tokenizer"] == built["pre_tokenizer"]
        && Template::from_json(&file["post_processor"]).as_ref() == Some(template)
        && sorted(file) == sorted(built)
        && [
            "unk_token",
            "continuing_subword_prefix",
            "max_input_chars_per_word",
            "vocab",
        ]
        .iter()
        .all(|field| model(file, field) == model(built, field))
}
