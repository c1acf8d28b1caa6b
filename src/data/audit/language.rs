//! The finding on texts in another script than the rest.

use super::{Finding, Remedy, Severity};
use crate::data::Dataset;
use serde_json::json;

/// Share of the rows whose script is the expected one.
const DOMINANT: f64 = 0.8;

/// Share of the letters of a row that are in another script.
const FOREIGN: f64 = 0.9;

/// Rows that are needed to expect a script.
const MIN_ROWS: usize = 10;

/// Scripts that are told apart, with the fewest letters that show the script of a text: a word of four letters may be
/// a name, four syllables or characters of Han are a phrase.
const SCRIPTS: [(&str, usize); 10] = [
    ("latin", 12),
    ("cyrillic", 12),
    ("greek", 12),
    ("hangul", 4),
    // Chinese and Japanese.
    ("han", 4),
    ("arabic", 12),
    ("hebrew", 12),
    ("devanagari", 12),
    ("thai", 12),
    ("other", 12),
];

/// The index in [`SCRIPTS`] of a letter.
fn script_of(char: char) -> Option<usize> {
    if char.is_ascii() {
        return char.is_ascii_alphabetic().then_some(0);
    }
    if !char.is_alphabetic() {
        return None;
    }
    Some(match char {
        '\u{aa}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}' => 0,
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' => 1,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => 2,
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7ff}' => 3,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' => 4,
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' => 4,
        '\u{20000}'..='\u{3ffff}' => 4,
        '\u{600}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}' | '\u{fb50}'..='\u{fdff}' => 5,
        '\u{fe70}'..='\u{fefc}' => 5,
        '\u{590}'..='\u{5ff}' | '\u{fb1d}'..='\u{fb4f}' => 6,
        '\u{900}'..='\u{97f}' | '\u{a8e0}'..='\u{a8ff}' => 7,
        '\u{e00}'..='\u{e7f}' => 8,
        _ => 9,
    })
}

/// The script with the most letters and the letters by script, if the text has enough letters to tell.
fn main_script(text: &str) -> Option<(usize, [usize; SCRIPTS.len()])> {
    let mut letters = [0; SCRIPTS.len()];
    for script in text.chars().filter_map(script_of) {
        letters[script] += 1;
    }
    let scripts = 0..SCRIPTS.len();
    let main = scripts.max_by_key(|&script| (letters[script], std::cmp::Reverse(script)))?;
    (letters[main] >= SCRIPTS[main].1).then_some((main, letters))
}

/// Returns the script of most letters of the texts, `latin` where there is no letter.
pub(crate) fn most_used_script<'a>(texts: impl Iterator<Item = &'a str>) -> &'static str {
    let mut letters = [0_usize; SCRIPTS.len()];
    for script in texts.flat_map(str::chars).filter_map(script_of) {
        letters[script] += 1;
    }
    let scripts = 0..SCRIPTS.len();
    let most = scripts.max_by_key(|&script| (letters[script], std::cmp::Reverse(script)));
    SCRIPTS[most.unwrap_or(0)].0
}

/// `wrong_language`: rows with at least 90 % of their letters in another script than that of at least 80 % of the rows.
/// Rows with fewer than 12 letters (4 of Hangul, Han or Kana) are not counted, and 10 rows must be. Languages of one
/// script (English and German) are not told apart. The remedy deletes the rows, unless a class would keep fewer than
/// two.
pub(super) fn wrong_language(dataset: &Dataset) -> Option<Finding> {
    let scripts: Vec<_> = dataset
        .rows
        .iter()
        .map(|row| main_script(&row.text))
        .collect();
    let mut rows_of = [0; SCRIPTS.len()];
    for (script, _) in scripts.iter().flatten() {
        rows_of[*script] += 1;
    }
    let counted: usize = rows_of.iter().sum();
    let expected = (0..SCRIPTS.len()).max_by_key(|&script| rows_of[script])?;
    let share = rows_of[expected] as f64 / counted.max(1) as f64;
    if counted < MIN_ROWS || share < DOMINANT {
        return None;
    }
    let mut others = [0_usize; SCRIPTS.len()];
    let mut rows = Vec::new();
    for (row, found) in scripts.into_iter().enumerate() {
        let Some((script, letters)) = found else {
            continue;
        };
        let all: usize = letters.iter().sum();
        let foreign = (all - letters[expected]) as f64;
        if script != expected && foreign >= FOREIGN * all as f64 {
            others[script] += 1;
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return None;
    }
    let other = (0..SCRIPTS.len()).max_by_key(|&script| others[script])?;
    let named = SCRIPTS.iter().zip(others).filter(|(_, rows)| *rows > 0);
    let named: serde_json::Map<_, _> = named
        .map(|((name, _), rows)| ((*name).to_string(), json!(rows)))
        .collect();
    let params = json!({
        "script": SCRIPTS[expected].0,
        "share": share,
        "other": SCRIPTS[other].0,
        "others": named,
    });
    let counts = [rows.len(), counted];
    let finding = Finding::new("wrong_language", Severity::Warning, counts, params);
    let finding = finding.with_rows(dataset, rows.iter().map(|&row| (row, None)));
    Some(finding.with_remedy(Remedy::delete_rows(dataset, &rows)))
}

#[cfg(test)]
mod tests {
    use super::super::finding::testing::{dataset, pairs};
    use super::*;

    /// Eighteen rows of `text` in two classes, and then `rows`.
    fn with(text: &str, rows: &[&str]) -> Dataset {
        let all = std::iter::repeat_n(text, 18).chain(rows.iter().copied());
        let all: Vec<(&str, usize)> = all.enumerate().map(|(at, text)| (text, at % 2)).collect();
        dataset(&all)
    }

    const ENGLISH: &str = "This works very well for me.";
    const KOREAN: &str = "배송이 빠르고 정말 좋아요";

    #[test]
    fn finds_rows_of_another_script() {
        let data = with(
            ENGLISH,
            &[
                KOREAN,
                "Это очень хорошая вещь",
                "좋다",
                "Café très déçu, naïve",
                "5/5 !!!",
            ],
        );
        let finding = wrong_language(&data).unwrap();
        assert_eq!(pairs(&finding), [(18, None), (19, None)]);
        assert_eq!([finding.count, finding.of], [2, 21]);
        assert_eq!(finding.params["script"], "latin");
        assert_eq!(
            finding.params["others"],
            json!({"cyrillic": 1, "hangul": 1})
        );
        let rows = vec![18, 19];
        assert_eq!(finding.remedy, Some(Remedy::DeleteRows { rows }));
    }

    #[test]
    fn brand_names_and_short_words_are_no_other_language() {
        let data = with(
            KOREAN,
            &["Samsung Galaxy Buds Pro 정말 좋아요", "Good", "ok 좋음"],
        );
        assert_eq!(wrong_language(&data), None);
        let finding = wrong_language(&with(KOREAN, &["Very good product, thanks"])).unwrap();
        assert_eq!(finding.params["other"], "latin");
    }

    #[test]
    fn japanese_in_kanji_and_kana_is_one_script() {
        let data = with(
            "とても使いやすいです",
            &["最高品質保証", "スバラシイ", KOREAN],
        );
        assert_eq!(pairs(&wrong_language(&data).unwrap()), [(20, None)]);
    }

    #[test]
    fn data_of_two_languages_has_no_wrong_one() {
        let data = with(ENGLISH, &[KOREAN; 6]);
        assert_eq!(wrong_language(&data), None);
        let few = dataset(&[(ENGLISH, 0), (ENGLISH, 1), (KOREAN, 0)]);
        assert_eq!(wrong_language(&few), None);
        assert_eq!(wrong_language(&dataset(&[])), None);
    }
}
