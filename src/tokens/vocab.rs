//! The vocabulary of a tokenizer: tokens and their ids.

use crate::{Error, Result};
use serde_json::{Map, Value};

/// The mark at the beginning of a word in SentencePiece's vocabularies.
const WORD_START: char = '\u{2581}';

/// WordPiece's mark of a token inside of a word.
const CONTINUATION: &str = "##";

/// The longest token, in bytes. WordPiece splits no word of more than 100 characters, so a longer one is of another
/// file; it would also take a recursion of its length to find it.
const LONGEST_TOKEN: usize = 1000;

/// Ids may have gaps. The table of tokens by id has an entry for each id up to the largest one.
const LARGEST_GAP: u64 = 100_000;

/// How a tokenizer divides a word into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// The longest token first; BERT's.
    WordPiece,
    /// The most likely sequence of tokens; SentencePiece's.
    Unigram,
}

/// Tokens and their ids.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub ids: Map<String, Value>,
}

impl Vocabulary {
    /// Reads the vocabulary of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if its model is none of `methods`.
    pub(super) fn from_json(value: &Value, methods: &[Method]) -> Result<Self> {
        let model = &value["model"];
        let kind = model["type"].as_str().unwrap_or("unknown");
        // Files of older versions do not name the type.
        let method = match kind {
            "WordPiece" => Some(Method::WordPiece),
            "Unigram" => Some(Method::Unigram),
            "unknown" if !model["continuing_subword_prefix"].is_null() => Some(Method::WordPiece),
            _ => None,
        };
        let ids = match (&model["vocab"], method) {
            (Value::Object(vocab), Some(Method::WordPiece)) => Some(vocab.clone()),
            // Pairs of a token and its score.
            (Value::Array(vocab), Some(Method::Unigram)) => {
                let tokens = vocab.iter().enumerate();
                let id = |(id, pair): (usize, &Value)| Some((pair[0].as_str()?.into(), id.into()));
                tokens.map(id).collect::<Option<_>>()
            }
            _ => None,
        };
        match ids {
            Some(ids) if method.is_some_and(|method| methods.contains(&method)) => {
                Self { ids }.checked("tokenizer.json")
            }
            _ => {
                let is_byte_level = value["pre_tokenizer"].to_string().contains("\"ByteLevel\"");
                let detail = match is_byte_level {
                    true => " of bytes (byte-level BPE)",
                    false => "",
                };
                let problem = format!(
                    "its model is {kind}{detail}, but BERT's is WordPiece. Use a checkpoint of a BERT model"
                );
                Err(refuse("tokenizer.json", problem))
            }
        }
    }

    /// Reads a `vocab.txt` of one token per line as transformers' `load_vocab` does: the id of a token is the number of
    /// its line, and of equal lines the last one counts. A byte order mark is no part of the first token.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for a vocabulary of SentencePiece, of which WordPiece would make `[UNK]` of nearly every
    /// word.
    pub(super) fn from_lines(text: &str) -> Result<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let ids: Map<_, _> = lines(text)
            .enumerate()
            .map(|(id, token)| (token, Value::from(id)))
            .collect();
        let count = |is: &dyn Fn(&str) -> bool| ids.keys().filter(|token| is(token)).count();
        let starts = count(&|token| token.starts_with(WORD_START));
        if starts > ids.len() / 10 && starts > count(&|token| token.starts_with(CONTINUATION)) {
            return Err(refuse(
                "vocab.txt",
                format!(
                    "{starts} of its {} tokens begin with \u{2581}, so it is a vocabulary of SentencePiece. This page \
                     cuts texts by WordPiece only, which would know hardly any word of it. Take a checkpoint with \
                     BERT's own tokenizer",
                    ids.len()
                ),
            ));
        }
        Self { ids }.checked("vocab.txt")
    }

    /// Returns this vocabulary.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for a token that is too long, and for an id that is no number or far beyond the others.
    fn checked(self, file: &str) -> Result<Self> {
        let most = self.ids.len() as u64 + LARGEST_GAP;
        for (token, id) in &self.ids {
            if token.len() > LONGEST_TOKEN {
                let start: String = token.chars().take(20).collect();
                let problem = format!(
                    "its token \"{start}…\" has {} bytes, and the longest that is read has {LONGEST_TOKEN}. Take the \
                     file of the checkpoint",
                    token.len()
                );
                return Err(refuse(file, problem));
            }
            if id.as_u64().is_none_or(|id| id > most) {
                let problem = format!(
                    "the id of its token \"{token}\" is {id}, but it has {} tokens",
                    self.ids.len()
                );
                return Err(refuse(file, problem));
            }
        }
        Ok(self)
    }

    /// Returns the id of a token.
    pub(super) fn id(&self, token: &str) -> Option<u64> {
        self.ids.get(token)?.as_u64()
    }

    /// Returns the largest id.
    pub(super) fn last_id(&self) -> u32 {
        let ids = self.ids.values().filter_map(Value::as_u64);
        let ids = ids.filter_map(|id| u32::try_from(id).ok());
        ids.max().unwrap_or(0)
    }
}

/// Returns the id of a special token.
///
/// # Errors
/// [`Error::Tokenizer`] if there is none.
pub(super) fn special_token(file: &str, token: &str, id: Option<u64>) -> Result<u32> {
    id.and_then(|id| u32::try_from(id).ok()).ok_or_else(|| {
        refuse(
            file,
            format!("it has no {token} token, which BERT needs around every text"),
        )
    })
}

/// The lines of a text as Python reads a file: `\n`, `\r` and `\r\n` end a line, and no other white space is removed.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let lines: Vec<_> = text.split('\n').map(str::to_string).collect();
    lines.into_iter()
}

fn refuse(file: &str, problem: String) -> Error {
    Error::Tokenizer {
        file: file.into(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_line_ends_are_removed_from_a_vocabulary() {
        let found: Vec<_> = lines("a\r\nb \rc\u{3000}\n\n\u{2028}\n\u{a0}\n").collect();
        assert_eq!(found, ["a", "b ", "c\u{3000}", "", "\u{2028}", "\u{a0}"]);
        assert_eq!(lines("a\n\n").collect::<Vec<_>>(), ["a", ""]);
        assert_eq!(lines("a").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_token() {
        let vocabulary = Vocabulary::from_lines("\u{feff}[PAD]\nx\n").unwrap();
        assert_eq!(vocabulary.id("[PAD]"), Some(0));
        assert_eq!(vocabulary.last_id(), 1);
    }

    #[test]
    fn other_vocabularies_are_refused() {
        let pieces = "[UNK]\n\u{2581}the\n\u{2581}a\ns\n";
        let error = Vocabulary::from_lines(pieces).unwrap_err().to_string();
        assert!(error.contains("SentencePiece"), "{error}");
        let bytes = serde_json::json!({"model": {"type": "BPE", "vocab": {}, "merges": []},
            "pre_tokenizer": {"type": "ByteLevel"}});
        let error = Vocabulary::from_json(&bytes, &[Method::WordPiece])
            .unwrap_err()
            .to_string();
        assert!(error.contains("byte-level BPE"), "{error}");
    }

    #[test]
    fn a_token_of_no_word_and_an_id_far_away_are_refused() {
        let long = format!("[PAD]\n{}\n", "{".repeat(LONGEST_TOKEN + 1));
        let message = Vocabulary::from_lines(&long).unwrap_err().to_string();
        assert!(
            message.contains("vocab.txt") && message.contains("1001 bytes"),
            "{message}"
        );
        let file =
            |id: Value| json!({"model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "a": id}}});
        let message = |id| {
            let read = Vocabulary::from_json(&file(id), &[Method::WordPiece]);
            read.unwrap_err().to_string()
        };
        for id in [json!(4_294_967_295_u32), json!(-1), json!("7")] {
            let message = message(id.clone());
            assert!(
                message.contains(&format!("the id of its token \"a\" is {id}")),
                "{message}"
            );
        }
        assert!(Vocabulary::from_json(&file(json!(90_000)), &[Method::WordPiece]).is_ok());
    }
}
