//! BERT's WordPiece tokenizer from the `tokenizer.json` or `vocab.txt` of a model, with Hugging Face's
//! [`tokenizers`](https://docs.rs/tokenizers).

use crate::{Error, Result};
use serde::Deserialize;
use serde_json::json;
use tokenizers::pipeline::{EncodeOptions, Override, PipelineTokenizer};

/// The unpadded input of the model for one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoding {
    /// Token ids, `[CLS]` first and `[SEP]` last.
    pub input_ids: Vec<u32>,
    /// Whether tokens were removed to respect `max_length`.
    pub truncated: bool,
}

/// Tokens of a text without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCount {
    /// All tokens, `[CLS]` and `[SEP]` included.
    pub length: usize,
    /// Those that are `[UNK]`.
    pub unknown: usize,
}

/// The settings for a `vocab.txt` in `tokenizer_config.json`, with the defaults of transformers' [`BertTokenizer`][hf].
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
        serde_json::from_str(text).map_err(|error| Error::Tokenizer {
            file: "tokenizer_config.json".into(),
            problem: format!("{error}"),
        })
    }
}

/// A WordPiece tokenizer with BERT's special tokens.
pub struct Tokenizer {
    pipeline: PipelineTokenizer,
    cls: u32,
    sep: u32,
    pad: u32,
    /// `[UNK]`, where there is one.
    unk: Option<u32>,
    /// The largest token id.
    last_id: u32,
    json: String,
}

impl Tokenizer {
    /// Parses a `tokenizer.json`. [`encode`](Self::encode) ignores its truncation and padding.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the file is not a WordPiece tokenizer or lacks `[CLS]`, `[SEP]` or `[PAD]`.
    pub fn from_json(text: &str) -> Result<Self> {
        let file = "tokenizer.json";
        let problem = |problem: String| Error::Tokenizer {
            file: file.into(),
            problem,
        };
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| problem(format!("it is not JSON ({error})")))?;
        let kind = value["model"]["type"].as_str().unwrap_or("unknown");
        if kind != "WordPiece" && value["model"]["continuing_subword_prefix"].is_null() {
            return Err(problem(format!(
                "its model is {kind}, but BERT's is WordPiece. Use a checkpoint of a BERT model."
            )));
        }
        let canonical = tokenizers::canonicalize_str(text)
            .map_err(|error| problem(format!("`tokenizers` cannot convert it ({error})")))?;
        let pipeline = tokenizers::from_json(&canonical)
            .map_err(|error| problem(format!("`tokenizers` cannot read it ({error})")))?;
        let special = |token: &str| {
            pipeline
                .get_added_vocabulary()
                .token_to_id(token)
                .or_else(|| {
                    value["model"]["vocab"][token]
                        .as_u64()
                        .and_then(|id| u32::try_from(id).ok())
                })
                .ok_or_else(|| {
                    problem(format!(
                        "it has no {token} token, which BERT needs around every text"
                    ))
                })
        };
        let id = |id: &serde_json::Value| id.as_u64().and_then(|id| u32::try_from(id).ok());
        let words = value["model"]["vocab"].as_object();
        let words = words.into_iter().flat_map(|vocab| vocab.values());
        let added = value["added_tokens"].as_array();
        let added = added.into_iter().flatten().map(|token| &token["id"]);
        let last_id = words.chain(added).filter_map(id).max();
        Ok(Self {
            last_id: last_id.unwrap_or(0),
            cls: special("[CLS]")?,
            sep: special("[SEP]")?,
            pad: special("[PAD]")?,
            unk: special("[UNK]").ok(),
            pipeline,
            json: text.to_string(),
        })
    }

    /// Checks that a model has a word embedding for every token. It may have more of them: tables are often filled up
    /// to a multiple of 8.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if a token id is not below `vocab_size`.
    pub fn check_vocab_size(&self, vocab_size: usize) -> Result<()> {
        let len = self.last_id as usize + 1;
        if len <= vocab_size {
            return Ok(());
        }
        Err(Error::Tokenizer {
            file: "tokenizer.json or vocab.txt".into(),
            problem: format!(
                "its token ids go up to {}, but the model has {vocab_size} word embeddings (vocab_size of \
                 config.json), so there is none for {} of its ids. Take the tokenizer of this model, or a model whose \
                 word embeddings were resized for it (resize_token_embeddings).",
                self.last_id,
                len - vocab_size
            ),
        })
    }

    /// Builds BERT's pipeline for a `vocab.txt` of one token per line, which is read as transformers' `load_vocab`
    /// reads it: the id of a token is the number of its line, and of equal lines the last one counts.
    ///
    /// # Errors
    /// Those of [`Tokenizer::from_json`].
    pub fn from_vocab(vocab: &str, settings: &VocabSettings) -> Result<Self> {
        let table: serde_json::Map<String, serde_json::Value> = lines(vocab)
            .enumerate()
            .map(|(id, token)| (token.to_string(), json!(id)))
            .collect();
        let id = |token: &str| {
            table.get(token).cloned().ok_or_else(|| Error::Tokenizer {
                file: "vocab.txt".into(),
                problem: format!("it has no {token} token"),
            })
        };
        // A classifier needs no [MASK].
        let mask = ["[MASK]"]
            .into_iter()
            .filter(|mask| table.contains_key(*mask));
        let added = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
            .into_iter()
            .chain(mask)
            .map(|token| {
                Ok(json!({"id": id(token)?, "content": token, "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true}))
            })
            .collect::<Result<Vec<_>>>()?;
        let (cls, sep) = (id("[CLS]")?, id("[SEP]")?);
        let text = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
            "normalizer": {"type": "BertNormalizer", "clean_text": true,
                "handle_chinese_chars": settings.tokenize_chinese_chars,
                "strip_accents": settings.strip_accents, "lowercase": settings.do_lower_case},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                    {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [cls], "tokens": ["[CLS]"]},
                    "[SEP]": {"id": "[SEP]", "ids": [sep], "tokens": ["[SEP]"]}}},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": table},
        });
        Self::from_json(&text.to_string()).map_err(|error| match error {
            Error::Tokenizer { problem, .. } => Error::Tokenizer {
                file: "vocab.txt".into(),
                problem,
            },
            other => other,
        })
    }

    /// Encodes a text as `[CLS]`, its tokens and `[SEP]`, at most `max_length` ids in total. It truncates the end of a
    /// longer text, as transformers does with `truncation=True`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if `tokenizers` cannot encode the text.
    pub fn encode(&self, text: &str, max_length: usize) -> Result<Encoding> {
        self.encode_and_count(text, max_length)
            .map(|(encoding, _)| encoding)
    }

    /// Encodes a text as [`encode`](Self::encode) does, and counts the tokens that it has without a limit.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_and_count(
        &self,
        text: &str,
        max_length: usize,
    ) -> Result<(Encoding, TokenCount)> {
        let options = EncodeOptions {
            add_special_tokens: false,
            encode_special_tokens: false,
            padding: Override::Off,
            truncation: Override::Off,
        };
        let failed = |error: String| Error::Tokenizer {
            file: "tokenizer.json".into(),
            problem: format!("`tokenizers` cannot encode {text:?} ({error})"),
        };
        let encodings = self
            .pipeline
            .encode(text, &options)
            .wait()
            .map_err(|error| failed(error.to_string()))?;
        let [encoding] = encodings.as_slice() else {
            return Err(failed("it gave no encoding".into()));
        };
        let max_tokens = max_length.saturating_sub(2);
        let truncated = encoding.len() > max_tokens;
        let mut input_ids = Vec::with_capacity(encoding.len().min(max_tokens) + 2);
        input_ids.push(self.cls);
        input_ids.extend(
            encoding
                .ids()
                .iter()
                .take(max_tokens)
                .map(|token| token.id()),
        );
        input_ids.push(self.sep);
        let unknown = encoding.ids().iter().map(|token| token.id());
        let count = TokenCount {
            length: encoding.len() + 2,
            unknown: unknown.filter(|&id| Some(id) == self.unk).count(),
        };
        Ok((
            Encoding {
                input_ids,
                truncated,
            },
            count,
        ))
    }

    /// Returns the text of each token id, with its `##`, or `[UNK]` for an id that is not in the vocabulary.
    pub fn tokens(&self, input_ids: &[u32]) -> Vec<String> {
        input_ids
            .iter()
            .map(|&id| {
                let token = self.pipeline.decode_tokens(&[id], false).pop();
                token.unwrap_or_else(|| "[UNK]".into())
            })
            .collect()
    }

    /// Returns the id of `[PAD]`.
    pub fn pad_token_id(&self) -> u32 {
        self.pad
    }

    /// Returns the `tokenizer.json` that the tokenizer was parsed from or built as for `vocab.txt`.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// The lines of a text as Python reads a file: `\n`, `\r` and `\r\n` end a line, and no other white space is removed.
fn lines(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let lines: Vec<_> = text.split('\n').map(str::to_string).collect();
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIAL: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";

    fn ids(vocab: &str, text: &str) -> Vec<u32> {
        let tokenizer = Tokenizer::from_vocab(vocab, &VocabSettings::default()).unwrap();
        tokenizer.encode(text, 16).unwrap().input_ids
    }

    #[test]
    fn only_line_ends_are_removed_from_a_vocabulary() {
        let found: Vec<_> = lines("a\r\nb \rc\u{3000}\n\n\u{2028}\n\u{a0}\n").collect();
        assert_eq!(found, ["a", "b ", "c\u{3000}", "", "\u{2028}", "\u{a0}"]);
        assert_eq!(lines("a\n\n").collect::<Vec<_>>(), ["a", ""]);
        assert_eq!(lines("a").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_token_id_is_the_number_of_its_line() {
        let vocab = format!("{SPECIAL}\u{2028}\n\nx\n\u{3000}\nx\nword\n");
        // The lines 5, 6 and 8 are white space, and of the lines 7 and 9 the later one counts.
        assert_eq!(ids(&vocab, "word x"), [2, 10, 9, 3]);
        assert_eq!(ids(&vocab.replace('\n', "\r\n"), "word x"), [2, 10, 9, 3]);
    }

    #[test]
    fn a_vocabulary_needs_no_mask() {
        let vocab = SPECIAL.replace("[MASK]\n", "x\n");
        assert_eq!(ids(&vocab, "x"), [2, 4, 3]);
        let no_sep = SPECIAL.replace("[SEP]\n", "x\n");
        let error = Tokenizer::from_vocab(&no_sep, &VocabSettings::default())
            .err()
            .unwrap();
        assert!(error.to_string().contains("no [SEP] token"));
    }

    #[test]
    fn a_token_that_ends_in_white_space_stays_apart() {
        let vocab = format!("{SPECIAL}x\u{3000}\nx\n");
        assert_eq!(ids(&vocab, "x"), [2, 6, 3]);
        let reversed = format!("{SPECIAL}x\nx\u{3000}\n");
        assert_eq!(ids(&reversed, "x"), [2, 5, 3]);
    }

    #[test]
    fn every_token_id_must_have_a_word_embedding() {
        let vocab = format!("{SPECIAL}x\n");
        let tokenizer = Tokenizer::from_vocab(&vocab, &VocabSettings::default()).unwrap();
        assert!(tokenizer.check_vocab_size(6).is_ok() && tokenizer.check_vocab_size(8).is_ok());
        let error = tokenizer.check_vocab_size(5).unwrap_err().to_string();
        assert!(
            error.contains("up to 5") && error.contains("has 5 word"),
            "{error}"
        );
        let mut json: serde_json::Value = serde_json::from_str(tokenizer.json()).unwrap();
        let added = json["added_tokens"].as_array_mut().unwrap();
        let mut token = added[0].clone();
        (token["id"], token["content"]) = (json!(9), json!("[E1]"));
        added.push(token);
        let tokenizer = Tokenizer::from_json(&json.to_string()).unwrap();
        assert!(tokenizer.check_vocab_size(9).is_err() && tokenizer.check_vocab_size(10).is_ok());
    }
}
