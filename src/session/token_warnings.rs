//! The warning on a vocabulary that does not suit the texts.

use crate::Result;
use crate::Warning;
use crate::data::audit::{MANY_UNKNOWN, most_used_script};
use crate::tokens::{TokenCount, Tokenizer};
use serde_json::json;

/// Texts that are tokenized once more, to find the reason.
const SAMPLE: usize = 200;

/// Share of the unknown tokens that must be known in lower case, so that case is the reason.
const EXPLAINED: f64 = 0.5;

/// `unknown_tokens`: more than 5 % of the tokens are `[UNK]`, with the likely reason.
///
/// # Errors
/// As [`Tokenizer::encode`].
pub(super) fn unknown_tokens<'a, T: Iterator<Item = &'a str>>(
    tokenizer: &Tokenizer,
    texts: impl Fn() -> T,
    counts: &[TokenCount],
) -> Result<Option<Warning>> {
    let special = tokenizer.num_special_tokens();
    let tokens: usize = counts.iter().map(|count| count.length - special).sum();
    let unknown: usize = counts.iter().map(|count| count.unknown).sum();
    let share = unknown as f64 / tokens.max(1) as f64;
    if share <= MANY_UNKNOWN {
        return Ok(None);
    }
    let script = most_used_script(texts());
    let (reason, sentence) = if is_case(tokenizer, texts().take(SAMPLE))? {
        let sentence = "It knows most of these words in lower case only. Take the tokenizer of an uncased model, or a \
                        cased model.";
        ("case", sentence.to_string())
    } else if script == "latin" {
        let sentence = "It was probably made for another language. Take a model of the language of your texts, or a \
                        multilingual one.";
        ("language", sentence.to_string())
    } else {
        let sentence = format!(
            "Most letters of your texts are {script}, and it has few tokens for them. Take a model of that language, \
             or a multilingual one."
        );
        ("script", sentence)
    };
    let percent = 100.0 * share;
    Ok(Some(Warning::new(
        "unknown_tokens",
        format!(
            "{percent:.0} % of the tokens are [UNK], words that the vocabulary of this model does not have: the model \
             cannot tell them apart. {sentence}"
        ),
        json!({"share": share, "reason": reason, "script": script}),
    )))
}

/// Whether most of the unknown tokens are known in lower case.
fn is_case<'a>(tokenizer: &Tokenizer, texts: impl Iterator<Item = &'a str>) -> Result<bool> {
    let (mut unknown, mut in_lower_case) = (0, 0);
    for text in texts {
        let count = |text: &str| {
            let (_, count) = tokenizer.encode_and_count(text, usize::MAX)?;
            Ok::<_, crate::Error>(count.unknown)
        };
        unknown += count(text)?;
        in_lower_case += count(&text.to_lowercase())?;
    }
    Ok((in_lower_case as f64) < (1.0 - EXPLAINED) * unknown as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::VocabSettings;

    const VOCAB: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nfilm\ngood\nis\n";

    fn reason(texts: &[&str], do_lower_case: bool) -> Option<(String, String)> {
        let settings = VocabSettings {
            do_lower_case,
            ..VocabSettings::default()
        };
        let tokenizer = Tokenizer::from_vocab(VOCAB, &settings).unwrap();
        let count = |text: &&str| tokenizer.encode_and_count(text, 64).unwrap().1;
        let counts: Vec<_> = texts.iter().map(count).collect();
        let warning = unknown_tokens(&tokenizer, || texts.iter().copied(), &counts).unwrap()?;
        let reason = warning.values["reason"].as_str().unwrap();
        Some((reason.to_string(), warning.message))
    }

    #[test]
    fn the_reason_follows_from_the_texts() {
        assert_eq!(reason(&["the film is good"; 6], true), None);
        let (code, message) = reason(&["The Film is GOOD", "the film"], false).unwrap();
        assert_eq!(code, "case");
        assert!(
            message.contains("50 %") && message.contains("[UNK]"),
            "{message}"
        );
        let (code, message) = reason(&["정말 좋은 영화였어요", "the film"], true).unwrap();
        assert_eq!(code, "script");
        assert!(message.contains("hangul"), "{message}");
        let (code, _) = reason(&["le film est bon", "the film"], true).unwrap();
        assert_eq!(code, "language");
    }
}
