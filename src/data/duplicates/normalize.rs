//! The form of a text in which duplicates are compared.

/// Returns `text` in lower case with one blank for each run of blanks and punctuation, without apostrophes, with
/// full-width characters as ASCII, and with decomposed Hangul composed.
///
/// Signs that carry a meaning of their own stay: `# % & @ $ + < = > ^ | ~`, emoji and all other symbols, so that "C++"
/// and "C#" differ. A text of nothing but punctuation keeps it.
pub(super) fn normalized(text: &str) -> String {
    let without = folded(text, is_punctuation);
    if without.is_empty() {
        return folded(text, |_| false);
    }
    without
}

/// Folds case, width and blanks; characters for which `blank` holds become blanks.
fn folded(text: &str, blank: fn(char) -> bool) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for char in text.chars().map(narrow) {
        if blank(char) && matches!(char, '\'' | '’' | '‘') {
            continue;
        }
        if char.is_whitespace() || char.is_control() || blank(char) {
            gap = !folded.is_empty();
            continue;
        }
        if gap {
            folded.push(' ');
            gap = false;
        }
        if char.is_ascii() {
            folded.push(char.to_ascii_lowercase());
        } else if !compose_hangul(&mut folded, char) {
            folded.extend(char.to_lowercase());
        }
    }
    folded
}

/// Full-width ASCII (Japanese and Korean keyboards) as ASCII.
fn narrow(char: char) -> char {
    match char {
        '！'..='～' => char::from_u32(char as u32 - 0xfee0).unwrap_or(char),
        _ => char,
    }
}

fn is_punctuation(char: char) -> bool {
    match char {
        '!' | '"' | '\'' | '(' | ')' | '*' | ',' | '-' | '.' | '/' | ':' | ';' | '?' | '['
        | '\\' | ']' | '_' | '`' | '{' | '}' => true,
        '¡' | '¿' | '«' | '»' | '·' | '،' | '؟' | '।' => true,
        // General punctuation, CJK punctuation and half-width Japanese punctuation.
        '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}' | '\u{ff61}'..='\u{ff65}' => true,
        _ => false,
    }
}

/// Appends a vowel or a final consonant to the last syllable of `text`, as NFC does; macOS writes Hangul decomposed.
/// Returns whether it did.
fn compose_hangul(text: &mut String, char: char) -> bool {
    const FINALS: u32 = 28;
    const VOWELS: u32 = 21;
    let (code, last) = (char as u32, text.chars().next_back());
    let composed = match (last.map(|last| last as u32), code) {
        (Some(lead @ 0x1100..=0x1112), 0x1161..=0x1175) => {
            0xac00 + ((lead - 0x1100) * VOWELS + code - 0x1161) * FINALS
        }
        (Some(syllable @ 0xac00..=0xd7a3), 0x11a8..=0x11c2)
            if (syllable - 0xac00) % FINALS == 0 =>
        {
            syllable + code - 0x11a7
        }
        _ => return false,
    };
    let Some(composed) = char::from_u32(composed) else {
        return false;
    };
    text.pop();
    text.push(composed);
    true
}

/// Whether at least half of the characters are Hangul, Han or Kana, of which one is about a syllable or a word.
pub(super) fn is_syllabic(text: &str) -> bool {
    let mut balance = 0_isize;
    for char in text.chars().filter(|&char| char != ' ') {
        let syllabic = matches!(char,
            '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}' | '\u{3130}'..='\u{318f}' | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}'
            | '\u{20000}'..='\u{3ffff}');
        balance += if syllabic { 1 } else { -1 };
    }
    !text.is_empty() && balance >= 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_case_blanks_punctuation_and_width() {
        assert_eq!(normalized("  It's   GREAT,really!!\n"), "its great really");
        assert_eq!(normalized("well-made"), normalized("Well made."));
        assert_eq!(normalized("Ｇｏｏｄ！　ok"), "good ok");
        assert_eq!(normalized("最高です。とても"), "最高です とても");
        assert_eq!(normalized("C++ & C#"), "c++ & c#");
        assert_ne!(normalized("nice 😀"), normalized("nice 😡"));
        assert_eq!(normalized(" \t\u{3000}"), "");
    }

    #[test]
    fn keeps_the_signs_of_a_text_without_letters() {
        assert_eq!(normalized(" :-)  :) "), ":-) :)");
        assert_ne!(normalized("!!!"), normalized("???"));
    }

    #[test]
    fn composes_hangul() {
        let decomposed = "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af} \u{110c}\u{1169}";
        assert_eq!(normalized(decomposed), "한글 조");
        assert_eq!(normalized("한글 조"), "한글 조");
    }

    #[test]
    fn recognizes_texts_of_syllables() {
        assert!(is_syllabic("정말 좋은 제품") && is_syllabic("とても良い") && is_syllabic("很好"));
        assert!(!is_syllabic("very good") && !is_syllabic("") && !is_syllabic("galaxy 폰"));
    }
}
