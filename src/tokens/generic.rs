//! Tokenizers that `tokenizer.json` describes.

use super::json::{last_id, names_of, parse, read_added, refuse, special_tokens, stated_tokens};
use super::settings::TokenizerSettings;
use super::template::Template;
use super::tokenizer::{Parts, Tokenizer};
use super::vocab::{Method, Vocabulary, special_token};
use crate::Result;
use serde_json::{Value, json};

/// The file that is read.
const FILE: &str = "tokenizer.json";

/// Methods of a `tokenizer.json` that is used as it is.
const METHODS: [Method; 2] = [Method::WordPiece, Method::Unigram];

/// The id of `<unk>` in transformers' `XLMRobertaTokenizer`.
const XLM_ROBERTA_UNK: usize = 3;

/// `PreTrainedTokenizerFast`: `tokenizer.json` as it is, with the special tokens that another file states.
///
/// # Errors
/// [`Error::Tokenizer`](crate::Error::Tokenizer) if the file is broken or of another method, or `[PAD]` is missing.
pub(super) fn generic(text: &str, settings: &TokenizerSettings) -> Result<Tokenizer> {
    let mut value = parse(text)?;
    let vocabulary = Vocabulary::from_json(&value, &METHODS)?;
    let template = Template::from_json(&value["post_processor"]).ok_or_else(|| {
        let problem = "its post_processor is of a form that this page does not read: it reads special tokens before \
                       and after one text";
        refuse(FILE, problem.into())
    })?;
    let mut added = read_added(&value, &vocabulary)?;
    let before = added.to_json();
    added.extend(stated_tokens(settings), &vocabulary.ids);
    let special = special_tokens(settings, |_| None);
    added.extend(
        special.iter().map(|(_, token)| token.clone()),
        &vocabulary.ids,
    );
    let is_same = added.to_json() == before;
    if !is_same {
        value["added_tokens"] = added.to_json();
    }
    let id = |token: &str| added.id(token).or_else(|| vocabulary.id(token));
    let stated = |name: &str| special.iter().find(|(found, _)| *found == name);
    let pad = match stated("pad_token") {
        Some((_, token)) => id(&token.content),
        None => ["[PAD]", "<pad>"].into_iter().find_map(id),
    };
    let pad = pad.or_else(|| value["padding"]["pad_id"].as_u64());
    let model = &value["model"];
    let unknown = match stated("unk_token") {
        Some((_, token)) => id(&token.content),
        None => model["unk_token"]
            .as_str()
            .and_then(id)
            .or_else(|| model["unk_id"].as_u64()),
    };
    Tokenizer::new(Parts {
        template,
        pad: special_token(FILE, "[PAD]", pad)?,
        unknown: unknown.and_then(|id| u32::try_from(id).ok()),
        last_id: last_id(&vocabulary, &added),
        json: match is_same {
            true => text.into(),
            false => value.to_string(),
        },
        special: names_of(&special, &added),
        is_bert: false,
        encoding: settings.encoding,
        file: FILE,
    })
}

/// `XLMRobertaTokenizer`, which multilingual BERTs such as multilingual-e5-small have: Unigram over words that are
/// divided at white space, between `<s>` and `</s>`. Of `tokenizer.json` the vocabulary, the added tokens and
/// SentencePiece's own normalizer count.
///
/// Mirrors transformers' [`XLMRobertaTokenizer`][hf] 5.24.
///
/// [hf]: https://huggingface.co/docs/transformers/model_doc/xlm-roberta#transformers.XLMRobertaTokenizer
///
/// # Errors
/// [`Error::Tokenizer`](crate::Error::Tokenizer) if the file is broken or of another method, or a special token is
/// missing.
pub(super) fn xlm_roberta(text: &str, settings: &TokenizerSettings) -> Result<Tokenizer> {
    let mut value = parse(text)?;
    let vocabulary = Vocabulary::from_json(&value, &[Method::Unigram])?;
    let mut added = read_added(&value, &vocabulary)?;
    added.extend(stated_tokens(settings), &vocabulary.ids);
    let special = special_tokens(settings, default_special);
    added.extend(
        special.iter().map(|(_, token)| token.clone()),
        &vocabulary.ids,
    );
    let named = |name: &str| {
        let token = special.iter().find(|(found, _)| *found == name);
        let token = token.map_or("", |(_, token)| token.content.as_str());
        special_token(FILE, token, added.id(token)).map(|id| (token, id))
    };
    let ((bos, bos_id), (eos, eos_id)) = (named("bos_token")?, named("eos_token")?);
    let (_, pad) = named("pad_token")?;
    let scheme = match settings.add_prefix_space {
        true => "always",
        false => "never",
    };
    let metaspace = json!({"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": scheme, "split": true});
    let token = |token: &str| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let sequence = |name: &str| json!({"Sequence": {"id": name, "type_id": 0}});
    value["normalizer"] = precompiled(&value["normalizer"]);
    value["pre_tokenizer"] =
        json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]});
    value["decoder"] = metaspace;
    value["post_processor"] = json!({"type": "TemplateProcessing",
        "single": [token(bos), sequence("A"), token(eos)],
        "pair": [token(bos), sequence("A"), token(eos), token(eos), sequence("B"), token(eos)],
        "special_tokens": {bos: {"id": bos, "ids": [bos_id], "tokens": [bos]},
            eos: {"id": eos, "ids": [eos_id], "tokens": [eos]}}});
    value["added_tokens"] = added.to_json();
    value["model"]["unk_id"] = XLM_ROBERTA_UNK.into();
    value["model"]["byte_fallback"] = false.into();
    (value["truncation"], value["padding"]) = (Value::Null, Value::Null);
    let template = Template {
        prefix: vec![bos_id],
        suffix: vec![eos_id],
    };
    Tokenizer::new(Parts {
        template,
        pad,
        unknown: Some(XLM_ROBERTA_UNK as u32),
        last_id: last_id(&vocabulary, &added),
        json: value.to_string(),
        special: names_of(&special, &added),
        is_bert: false,
        encoding: settings.encoding,
        file: FILE,
    })
}

/// The normalizer of SentencePiece's model among those of a `tokenizer.json`; null if there is none.
fn precompiled(normalizer: &Value) -> Value {
    let is_precompiled = |one: &&Value| one["type"] == "Precompiled";
    let single = Some(normalizer).filter(is_precompiled);
    let among = normalizer["normalizers"].as_array().into_iter().flatten();
    single
        .or_else(|| among.into_iter().find(is_precompiled))
        .cloned()
        .unwrap_or(Value::Null)
}

/// The special tokens of XLM-RoBERTa, where no file states others.
fn default_special(name: &str) -> Option<&'static str> {
    match name {
        "bos_token" | "cls_token" => Some("<s>"),
        "eos_token" | "sep_token" => Some("</s>"),
        "unk_token" => Some("<unk>"),
        "pad_token" => Some("<pad>"),
        "mask_token" => Some("<mask>"),
        _ => None,
    }
}
