//! Reading of a `tokenizer.json`.

use super::added::{AddedToken, AddedTokens};
use super::settings::{SPECIAL_NAMES, TokenizerSettings};
use super::vocab::Vocabulary;
use crate::{Error, Result};
use serde_json::Value;

/// Parses a `tokenizer.json`.
///
/// # Errors
/// [`Error::Tokenizer`] if it is not JSON.
pub(super) fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| refuse("tokenizer.json", format!("it is not JSON ({error})")))
}

/// Reads `added_tokens` of a `tokenizer.json`, in the order of their ids.
///
/// # Errors
/// [`Error::Tokenizer`] if a token has a field of another type.
pub(super) fn read_added(value: &Value, vocabulary: &Vocabulary) -> Result<AddedTokens> {
    let tokens = value["added_tokens"].as_array().into_iter().flatten();
    let token = |token: &Value| {
        let id = token["id"].as_u64().unwrap_or(u64::MAX);
        let token = AddedToken::from_value(token.clone());
        token.map(|token| (id, token))
    };
    let tokens: Result<Vec<_>, _> = tokens.map(token).collect();
    let mut tokens = tokens.map_err(|error| refuse("tokenizer.json", format!("{error}")))?;
    tokens.sort_by_key(|(id, _)| *id);
    let mut added = AddedTokens::default();
    added.extend(tokens.into_iter().map(|(_, token)| token), &vocabulary.ids);
    Ok(added)
}

/// The tokens that `tokenizer_config.json` or an older file states, in the order in which transformers adds them.
pub(super) fn stated_tokens(settings: &TokenizerSettings) -> Vec<AddedToken> {
    let mut added = settings.added.clone().unwrap_or_default();
    added.sort_by_key(|(id, _)| *id);
    let mut tokens: Vec<_> = added.into_iter().map(|(_, token)| token).collect();
    tokens.extend(settings.extra_special.iter().cloned());
    tokens
}

/// The tokens of the names of special tokens, in the order in which transformers adds them: as a file states them, or
/// else by `default`.
pub(super) fn special_tokens(
    settings: &TokenizerSettings,
    default: impl Fn(&str) -> Option<&'static str>,
) -> Vec<(&'static str, AddedToken)> {
    let token = |name: &'static str| {
        let token = settings.special_token(name);
        let token = token.or_else(|| Some(AddedToken::new(default(name)?, true)))?;
        Some((name, token))
    };
    SPECIAL_NAMES.into_iter().filter_map(token).collect()
}

/// The names and texts of those special tokens that have an id.
pub(super) fn names_of(
    special: &[(&'static str, AddedToken)],
    added: &AddedTokens,
) -> Vec<(&'static str, String)> {
    let known = special
        .iter()
        .filter(|(_, token)| added.id(&token.content).is_some());
    known
        .map(|(name, token)| (*name, token.content.clone()))
        .collect()
}

/// The largest id of a vocabulary and its added tokens.
pub(super) fn last_id(vocabulary: &Vocabulary, added: &AddedTokens) -> u32 {
    let added = added.last_id().and_then(|id| u32::try_from(id).ok());
    vocabulary.last_id().max(added.unwrap_or(0))
}

pub(super) fn refuse(file: &str, problem: String) -> Error {
    Error::Tokenizer {
        file: file.into(),
        problem,
    }
}
