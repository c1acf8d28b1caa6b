//! Tokens that are matched in a text before WordPiece, and their ids.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `AddedToken` of [`tokenizers`](https://docs.rs/tokenizers), without its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AddedToken {
    pub content: String,
    #[serde(default)]
    pub single_word: bool,
    #[serde(default)]
    pub lstrip: bool,
    #[serde(default)]
    pub rstrip: bool,
    /// Whether it is matched in the normalized text.
    pub normalized: bool,
    #[serde(default)]
    pub special: bool,
}

impl AddedToken {
    /// A token that takes no white space beside it along.
    pub(super) fn new(content: impl Into<String>, special: bool) -> Self {
        Self {
            content: content.into(),
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: !special,
            special,
        }
    }

    /// Reads a token from an object of a file. `normalized` defaults to what is not special.
    ///
    /// # Errors
    /// A value of another type.
    pub(super) fn from_value(mut value: Value) -> Result<Self, serde_json::Error> {
        if let Value::Object(fields) = &mut value {
            let is_special = fields.get("special") == Some(&Value::Bool(true));
            fields
                .entry("normalized")
                .or_insert(Value::Bool(!is_special));
        }
        serde_json::from_value(value)
    }
}

/// A table of added tokens.
#[derive(Debug, Default)]
pub(super) struct AddedTokens(Vec<(u64, AddedToken)>);

impl AddedTokens {
    /// Adds a token unless it is there. It gets the id that it has in the vocabulary; else the next id after all
    /// others, whatever a file says, as `tokenizers` does.
    pub(super) fn add(&mut self, token: AddedToken, vocab: &Map<String, Value>) {
        if self
            .0
            .iter()
            .any(|(_, found)| found.content == token.content)
        {
            return;
        }
        let id = vocab.get(&token.content).and_then(Value::as_u64);
        let id = id.unwrap_or_else(|| {
            let after = self.0.iter().map(|(id, _)| id + 1).max();
            after.unwrap_or(0).max(vocab.len() as u64)
        });
        self.0.push((id, token));
    }

    /// Adds tokens one after the other.
    pub(super) fn extend(
        &mut self,
        tokens: impl IntoIterator<Item = AddedToken>,
        vocab: &Map<String, Value>,
    ) {
        for token in tokens {
            self.add(token, vocab);
        }
    }

    /// Returns the id of a token.
    pub(super) fn id(&self, content: &str) -> Option<u64> {
        let mut tokens = self.0.iter();
        let found = tokens.find(|(_, token)| token.content == content);
        found.map(|(id, _)| *id)
    }

    /// Returns the largest id.
    pub(super) fn last_id(&self) -> Option<u64> {
        self.0.iter().map(|(id, _)| *id).max()
    }

    /// Returns the tokens as `added_tokens` of a `tokenizer.json`, in the order of their ids.
    pub(super) fn to_json(&self) -> Value {
        let mut tokens: Vec<_> = self.0.iter().collect();
        tokens.sort_by_key(|(id, _)| *id);
        let token = |(id, token): &(u64, AddedToken)| {
            let mut fields = Map::new();
            fields.insert("id".into(), (*id).into());
            if let Ok(Value::Object(rest)) = serde_json::to_value(token) {
                fields.extend(rest);
            }
            Value::Object(fields)
        };
        tokens.into_iter().map(token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_follow_the_vocabulary_and_then_each_other() {
        let Value::Object(vocab) = json!({"a": 0, "b": 1, "c": 2}) else {
            unreachable!()
        };
        let mut added = AddedTokens::default();
        for content in ["x", "b", "y", "x"] {
            added.add(AddedToken::new(content, false), &vocab);
        }
        let ids = ["x", "b", "y", "z"].map(|content| added.id(content));
        assert_eq!(ids, [Some(3), Some(1), Some(4), None]);
        assert_eq!(added.to_json()[0]["content"], "b");
    }

    #[test]
    fn a_token_is_matched_in_the_normalized_text_unless_it_is_special() {
        let token = |value| AddedToken::from_value(value).unwrap();
        assert!(token(json!({"content": "x"})).normalized);
        assert!(!token(json!({"content": "x", "special": true})).normalized);
        let stated =
            json!({"__type": "AddedToken", "content": "x", "special": true, "normalized": true});
        assert!(token(stated).normalized);
        assert!(AddedToken::from_value(json!({"content": 1})).is_err());
    }
}
