//! Korean reviews: particles by the final consonant, and the word lists.

mod facts;
mod products;
mod skeletons;
mod verdicts;

use super::grammar::{Grammar, Review};

/// The grammar of the Korean reviews.
pub const GRAMMAR: Grammar = Grammar {
    products: &[products::PRODUCTS],
    rules: &[
        skeletons::RULES,
        verdicts::RULES,
        facts::GENERAL,
        facts::BY_KIND,
    ],
    inflect,
    finish: std::convert::identity,
};

/// The names of 2 or 5 classes, from bad to good.
pub fn label_names(num_classes: usize) -> &'static [&'static str] {
    match num_classes {
        2 => &["부정", "긍정"],
        5 => &["1점", "2점", "3점", "4점", "5점"],
        _ => panic!("reviews have 2 or 5 classes, not {num_classes}"),
    }
}

/// A particle, or the copula, in the form that follows what is written: `{product}{은}` is 선풍기는 or 이불은.
fn inflect(slot: &str, review: &Review) -> Option<String> {
    let last = final_consonant(&review.text);
    let (after_consonant, after_vowel) = match slot {
        "은" => ("은", "는"),
        "이" => ("이", "가"),
        "을" => ("을", "를"),
        "과" => ("과", "와"),
        "이에요" => ("이에요", "예요"),
        "이라" => ("이라", "라"),
        "으로" if last == Some(RIEUL) => ("로", "로"),
        "으로" => ("으로", "로"),
        _ => return None,
    };
    Some(last.map_or(after_vowel, |_| after_consonant).into())
}

/// The position of ㄹ among the final consonants.
const RIEUL: u32 = 8;

/// The position of the final consonant of the text's last syllable; `None` if it ends in a vowel or is not Hangul.
fn final_consonant(text: &str) -> Option<u32> {
    let syllable = u32::from(text.chars().next_back()?).checked_sub(u32::from('가'))?;
    let is_syllable = syllable <= u32::from('힣') - u32::from('가');
    // A block of 28 syllables has the same initial consonant and vowel.
    Some(syllable % 28).filter(|&consonant| is_syllable && consonant != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles_follow_the_final_consonant() {
        let write = |text: &str, slot: &str| {
            let mut review = Review::of(&products::PRODUCTS[0]);
            review.text = text.into();
            format!("{text}{}", inflect(slot, &review).unwrap())
        };
        let cases = [
            (
                "선풍기",
                [
                    "선풍기는",
                    "선풍기가",
                    "선풍기를",
                    "선풍기와",
                    "선풍기예요",
                    "선풍기라",
                    "선풍기로",
                ],
            ),
            (
                "이불",
                [
                    "이불은",
                    "이불이",
                    "이불을",
                    "이불과",
                    "이불이에요",
                    "이불이라",
                    "이불로",
                ],
            ),
            (
                "가방",
                [
                    "가방은",
                    "가방이",
                    "가방을",
                    "가방과",
                    "가방이에요",
                    "가방이라",
                    "가방으로",
                ],
            ),
        ];
        for (word, forms) in cases {
            let slots = ["은", "이", "을", "과", "이에요", "이라", "으로"];
            assert_eq!(slots.map(|slot| write(word, slot)), forms);
        }
        assert_eq!(final_consonant(""), None);
        assert_eq!(final_consonant("TV"), None);
    }
}
