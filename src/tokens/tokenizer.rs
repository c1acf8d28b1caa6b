//! Texts → token ids, with Hugging Face's [`tokenizers`](https://docs.rs/tokenizers).

use super::settings::{EncodingSettings, Side};
use super::template::Template;
use crate::{Error, Result};
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

/// What a [`Tokenizer`] is built from.
pub(super) struct Parts {
    pub template: Template,
    /// `[PAD]`.
    pub pad: u32,
    /// `[UNK]`, where there is one.
    pub unknown: Option<u32>,
    /// The largest token id.
    pub last_id: u32,
    /// The `tokenizer.json`.
    pub json: String,
    /// The special tokens by their names in `tokenizer_config.json`.
    pub special: Vec<(&'static str, String)>,
    pub is_bert: bool,
    pub encoding: EncodingSettings,
    /// The file to name in messages.
    pub file: &'static str,
}

/// The tokenizer of a model, with special tokens before and after a text.
pub struct Tokenizer {
    pipeline: PipelineTokenizer,
    parts: Parts,
}

impl Tokenizer {
    /// Builds the pipeline of a `tokenizer.json`.
    pub(super) fn new(parts: Parts) -> Result<Self> {
        let problem = |problem: String| Error::Tokenizer {
            file: parts.file.into(),
            problem,
        };
        let canonical = tokenizers::canonicalize_str(&parts.json)
            .map_err(|error| problem(format!("`tokenizers` cannot convert it ({error})")))?;
        let pipeline = tokenizers::from_json(&canonical)
            .map_err(|error| match error.to_string() {
                text if text.contains("regex") => problem(
                    "it divides or changes texts by a regular expression, which this page does not have. Take a \
                     checkpoint whose tokenizer is BertTokenizer or XLMRobertaTokenizer"
                        .into(),
                ),
                text => problem(format!("`tokenizers` cannot read it ({text})")),
            })?;
        Ok(Self { pipeline, parts })
    }

    /// Checks that a model has a word embedding for every token. It may have more of them: tables are often filled up
    /// to a multiple of 8.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if a token id is not below `vocab_size`.
    pub fn check_vocab_size(&self, vocab_size: usize) -> Result<()> {
        let len = self.parts.last_id as usize + 1;
        if len <= vocab_size {
            return Ok(());
        }
        Err(Error::Tokenizer {
            file: "tokenizer.json or vocab.txt".into(),
            problem: format!(
                "its token ids go up to {}, but the model has {vocab_size} word embeddings (vocab_size of \
                 config.json), so there is none for {} of its ids. Take the tokenizer of this model, or a model whose \
                 word embeddings were resized for it (resize_token_embeddings).",
                self.parts.last_id,
                len - vocab_size
            ),
        })
    }

    /// Encodes a text as `[CLS]`, its tokens and `[SEP]`, at most `max_length` ids in total. A longer text is truncated
    /// at its end, or at its beginning where `truncation_side` is `left`, as transformers does with `truncation=True`.
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
            encode_special_tokens: self.parts.encoding.split_special_tokens,
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
        let template = &self.parts.template;
        let max_tokens = max_length.saturating_sub(template.len());
        let truncated = encoding.len() > max_tokens;
        let start = match self.parts.encoding.truncation_side {
            Side::Left => encoding.len().saturating_sub(max_tokens),
            Side::Right => 0,
        };
        let kept = encoding.ids().iter().skip(start).take(max_tokens);
        let mut input_ids = template.prefix.clone();
        input_ids.extend(kept.map(|token| token.id()));
        input_ids.extend(&template.suffix);
        let unknown = encoding.ids().iter().map(|token| token.id());
        let count = TokenCount {
            length: encoding.len() + template.len(),
            unknown: unknown.filter(|&id| Some(id) == self.parts.unknown).count(),
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

    /// Returns the number of tokens that stand before and after those of a text.
    pub fn num_special_tokens(&self) -> usize {
        self.parts.template.len()
    }

    /// Returns the id of `[PAD]`.
    pub fn pad_token_id(&self) -> u32 {
        self.parts.pad
    }

    /// Returns the special tokens by their names in `tokenizer_config.json`, such as `cls_token`.
    pub fn special_tokens(&self) -> &[(&'static str, String)] {
        &self.parts.special
    }

    /// Whether a text that is too long loses its beginning.
    pub fn truncates_left(&self) -> bool {
        self.parts.encoding.truncation_side == Side::Left
    }

    /// Whether the vocabulary and the settings of a `BertTokenizer` describe it; else only [`json`](Self::json) does.
    pub fn is_bert(&self) -> bool {
        self.parts.is_bert
    }

    /// Whether its files ask for padding before the text, which this crate does not do: BERT counts positions from the
    /// first column.
    pub fn asks_for_left_padding(&self) -> bool {
        self.parts.encoding.padding_side == Side::Left
    }

    /// Returns the `tokenizer.json`: the one that was read, where it says what the tokenizer does, else one that does.
    pub fn json(&self) -> &str {
        &self.parts.json
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::VocabSettings;
    use serde_json::json;

    const SPECIAL: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";

    fn ids(vocab: &str, text: &str) -> Vec<u32> {
        let tokenizer = Tokenizer::from_vocab(vocab, &VocabSettings::default()).unwrap();
        tokenizer.encode(text, 16).unwrap().input_ids
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
        // The next id after the vocabulary's, whatever the file says, as in `tokenizers`.
        let tokenizer = Tokenizer::from_json(&json.to_string()).unwrap();
        assert!(tokenizer.check_vocab_size(6).is_err() && tokenizer.check_vocab_size(7).is_ok());
    }
}
