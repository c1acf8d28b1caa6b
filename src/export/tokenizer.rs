//! The files of the tokenizer: `tokenizer.json` as it was loaded, and those for readers without `tokenizers`.

use super::entry::pretty;
use crate::bert::BertConfig;
use crate::tokens::Tokenizer;
use crate::{Error, Result};
use serde_json::{Map, Value, json};

/// Name and text of `tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json` and, for WordPiece,
/// `vocab.txt`.
///
/// # Errors
/// [`Error::Tokenizer`] for a `tokenizer.json` without a vocabulary, [`Error::Config`] for an invalid `config.json`.
pub(super) fn files(tokenizer: &Tokenizer, config: &str) -> Result<Vec<(&'static str, String)>> {
    let json = tokenizer.json();
    let value: Value = serde_json::from_str(json).map_err(|error| refuse(error.to_string()))?;
    let special = tokenizer.special_tokens().iter();
    let special: Map<String, Value> = special
        .map(|(name, token)| (name.to_string(), json!(token)))
        .collect();
    let mut settings = special.clone();
    let max_length = BertConfig::from_json(config)?.max_position_embeddings;
    settings.insert("model_max_length".into(), json!(max_length));
    if tokenizer.truncates_left() {
        settings.insert("truncation_side".into(), json!("left"));
    }
    let mut files = vec![("tokenizer.json", json.to_string())];
    if tokenizer.is_bert() {
        for (name, field) in [
            ("do_lower_case", "lowercase"),
            ("strip_accents", "strip_accents"),
            ("tokenize_chinese_chars", "handle_chinese_chars"),
        ] {
            settings.insert(name.into(), value["normalizer"][field].clone());
        }
        settings.insert("tokenizer_class".into(), json!("BertTokenizer"));
        let mut vocab = tokens(&value)?.join("\n");
        vocab.push('\n');
        files.push(("vocab.txt", vocab));
    } else {
        settings.insert("tokenizer_class".into(), json!("PreTrainedTokenizerFast"));
    }
    files.extend([
        ("tokenizer_config.json", pretty(&Value::Object(settings))),
        ("special_tokens_map.json", pretty(&Value::Object(special))),
    ]);
    Ok(files)
}

/// Every token at the index of its id; empty for an id without a token.
fn tokens(value: &Value) -> Result<Vec<&str>> {
    let Some(vocab) = value["model"]["vocab"].as_object() else {
        return Err(refuse("it has no vocabulary".into()));
    };
    let base = vocab.iter().map(|(token, id)| (token.as_str(), id));
    let added = value["added_tokens"].as_array().into_iter().flatten();
    let added = added.filter_map(|token| Some((token["content"].as_str()?, &token["id"])));
    let mut tokens = Vec::new();
    for (token, id) in base.chain(added) {
        let id = id.as_u64().and_then(|id| usize::try_from(id).ok());
        let Some(id) = id.filter(|&id| id < 10 * vocab.len()) else {
            return Err(refuse(format!("the id of {token:?} cannot be")));
        };
        if tokens.len() <= id {
            tokens.resize(id + 1, "");
        }
        tokens[id] = token;
    }
    Ok(tokens)
}

fn refuse(problem: String) -> Error {
    Error::Tokenizer {
        file: "tokenizer.json".into(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::VocabSettings;

    const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n";

    #[test]
    fn the_vocabulary_is_exported_unchanged() {
        for do_lower_case in [true, false] {
            let settings = VocabSettings {
                do_lower_case,
                ..VocabSettings::default()
            };
            let tokenizer = Tokenizer::from_vocab(VOCAB, &settings).unwrap();
            let files = files(
                &tokenizer,
                r#"{"model_type": "bert", "max_position_embeddings": 64}"#,
            )
            .unwrap();
            let text = |name| &files.iter().find(|file| file.0 == name).unwrap().1;
            assert_eq!(text("vocab.txt"), VOCAB);
            assert_eq!(text("tokenizer.json"), tokenizer.json());
            let config: Value = serde_json::from_str(text("tokenizer_config.json")).unwrap();
            assert_eq!(config["do_lower_case"], do_lower_case);
            assert_eq!(config["model_max_length"], 64);
            assert_eq!(config["mask_token"], "[MASK]");
            let special: Value = serde_json::from_str(text("special_tokens_map.json")).unwrap();
            assert_eq!(special.as_object().unwrap().len(), 5);
        }
    }

    #[test]
    fn added_tokens_are_at_the_index_of_their_id() {
        let value = json!({
            "model": {"vocab": {"a": 0, "b": 1}},
            "added_tokens": [{"content": "[X]", "id": 3}],
        });
        assert_eq!(tokens(&value).unwrap(), ["a", "b", "", "[X]"]);
        let value = json!({"model": {"vocab": {"a": 4_000_000_000u32}}});
        assert!(tokens(&value).is_err());
    }
}
