//! The length of a text in tokens, before there is a tokenizer.

/// Tokens of a word on average, in the texts of product reviews.
const TOKENS_PER_WORD: f64 = 1.3;

/// Estimates the tokens of a text, `[CLS]` and `[SEP]` included: from its words, or from its characters in a script
/// that BERT's vocabularies divide into single characters or syllables.
pub fn estimated_tokens(text: &str) -> usize {
    let is_wide = |letter: &char| matches!(*letter as u32, 0x1100..=0x11ff | 0x3040..=0x9fff | 0xac00..=0xd7ff);
    let wide = text.chars().filter(is_wide).count();
    let words = text
        .split(|letter: char| !letter.is_alphanumeric() || is_wide(&letter))
        .filter(|word| !word.is_empty())
        .count();
    let marks = text.chars().filter(char::is_ascii_punctuation).count();
    wide + (words as f64 * TOKENS_PER_WORD).round() as usize + marks + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_words_marks_and_characters() {
        assert_eq!(estimated_tokens(""), 2);
        assert_eq!(estimated_tokens("so good"), 2 + 3);
        assert_eq!(estimated_tokens("It isn't good."), 2 + 5 + 2);
        assert_eq!(estimated_tokens("\u{c88b}\u{c544}\u{c694}"), 2 + 3);
    }
}
