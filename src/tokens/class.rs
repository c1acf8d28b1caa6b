//! Which of transformers' tokenizer classes reads the files of a model, as its [`AutoTokenizer`][hf] decides.
//!
//! [hf]: https://github.com/huggingface/transformers/blob/v4.57.0/src/transformers/models/auto/tokenization_auto.py

use crate::{Error, Result};

/// How the files of a tokenizer are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenizerClass {
    /// `BertTokenizer`: the vocabulary from `tokenizer.json` or `vocab.txt`, everything else from
    /// `tokenizer_config.json`. What else `tokenizer.json` says does not count.
    Bert,
    /// `XLMRobertaTokenizer`: the Unigram vocabulary of `tokenizer.json`.
    XlmRoberta,
    /// `PreTrainedTokenizerFast`, or a class that transformers does not have: `tokenizer.json` alone.
    Generic,
}

/// Names under which transformers has `BertTokenizer`, without `Fast`.
const BERT: [&str; 9] = [
    "BertTokenizer",
    "ConvBertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "LayoutLMTokenizer",
    "LxmertTokenizer",
    "MobileBertTokenizer",
    "RetriBertTokenizer",
    "SqueezeBertTokenizer",
];

/// Classes of transformers with rules of their own, without `Fast`, and what they cut texts with.
const OTHERS: [(&str, &str); 20] = [
    ("AlbertTokenizer", "SentencePiece"),
    ("BarthezTokenizer", "SentencePiece"),
    ("BertGenerationTokenizer", "SentencePiece"),
    (
        "BertweetTokenizer",
        "byte pairs after a normalization of tweets",
    ),
    ("BigBirdTokenizer", "SentencePiece"),
    ("CamembertTokenizer", "SentencePiece"),
    ("DebertaTokenizer", "byte-level BPE"),
    ("DebertaV2Tokenizer", "SentencePiece"),
    ("FunnelTokenizer", "WordPiece with other token types"),
    ("GPT2Tokenizer", "byte-level BPE"),
    ("HerbertTokenizer", "BPE"),
    ("LlamaTokenizer", "SentencePiece"),
    ("MPNetTokenizer", "WordPiece with RoBERTa's special tokens"),
    ("PhobertTokenizer", "BPE"),
    ("Qwen2Tokenizer", "byte-level BPE"),
    ("RemBertTokenizer", "SentencePiece"),
    (
        "RoCBertTokenizer",
        "WordPiece with shapes and sounds of characters",
    ),
    ("RobertaTokenizer", "byte-level BPE"),
    ("T5Tokenizer", "SentencePiece"),
    ("XLNetTokenizer", "SentencePiece"),
];

impl TokenizerClass {
    /// Decides from the name in `tokenizer_config.json`, or else `config.json`, without `Fast`; and from
    /// `word_tokenizer_type`.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] for a class that cuts texts by other rules than BERT's.
    pub(super) fn of(name: Option<&str>, word_tokenizer: Option<&str>) -> Result<Self> {
        let refuse = |problem: String| Error::Tokenizer {
            file: "tokenizer_config.json".into(),
            problem,
        };
        if let Some(word_tokenizer) = word_tokenizer.filter(|name| *name != "basic") {
            return Err(refuse(format!(
                "word_tokenizer_type is \"{word_tokenizer}\": {} cuts the words of a text before WordPiece does, and \
                 this page does not have it. Take a multilingual BERT, such as bert-base-multilingual-cased.",
                match word_tokenizer {
                    "mecab" => "MeCab",
                    other => other,
                }
            )));
        }
        let Some(name) = name else {
            return Ok(Self::Bert);
        };
        if name == "BertJapaneseTokenizer" && word_tokenizer.is_none() {
            return Err(refuse(
                "tokenizer_class is BertJapaneseTokenizer, which cuts words by MeCab, and this page does not have it. \
                 Take a multilingual BERT, such as bert-base-multilingual-cased."
                    .into(),
            ));
        }
        if BERT.contains(&name) || name == "BertJapaneseTokenizer" {
            return Ok(Self::Bert);
        }
        if name == "XLMRobertaTokenizer" {
            return Ok(Self::XlmRoberta);
        }
        match OTHERS.iter().find(|(class, _)| *class == name) {
            None => Ok(Self::Generic),
            Some((class, method)) => Err(refuse(format!(
                "tokenizer_class is {class}, which cuts texts by {method}, but this page only has the WordPiece of \
                 BertTokenizer and the Unigram of XLMRobertaTokenizer. Take a checkpoint whose tokenizer is that of \
                 BERT."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_decided_as_by_auto_tokenizer() {
        let of = |name| TokenizerClass::of(name, None);
        for name in [None, Some("BertTokenizer"), Some("ElectraTokenizer")] {
            assert_eq!(of(name), Ok(TokenizerClass::Bert), "{name:?}");
        }
        for name in [
            "PreTrainedTokenizer",
            "TokenizersBackend",
            "KoBertTokenizer",
        ] {
            assert_eq!(of(Some(name)), Ok(TokenizerClass::Generic), "{name}");
        }
    }

    #[test]
    fn other_methods_are_refused_by_name() {
        let message = |name, word_tokenizer| {
            let error = TokenizerClass::of(name, word_tokenizer).unwrap_err();
            error.to_string()
        };
        assert!(message(Some("RobertaTokenizer"), None).contains("byte-level BPE"));
        assert!(message(Some("BertJapaneseTokenizer"), None).contains("MeCab"));
        assert!(message(None, Some("mecab")).contains("MeCab"));
        assert!(message(None, Some("sudachi")).contains("sudachi"));
        assert!(TokenizerClass::of(Some("BertJapaneseTokenizer"), Some("basic")).is_ok());
    }
}
