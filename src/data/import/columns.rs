//! Detection of the header and of the columns with the text and the label, from the first records.

use super::names::judge;
use super::profile::{Profile, is_numeric};
use super::{ImportOptions, MAX_LABELS};
use crate::{Error, Result};

/// Returns whether the first of `records` names the columns. `records` have equally many cells.
pub fn detect_header(records: &[&[String]]) -> bool {
    let Some((first, rows)) = records.split_first() else {
        return false;
    };
    if rows.is_empty() {
        return first.iter().any(|cell| judge(cell).is_known());
    }
    if counts_up(first) && !counts_up(rows[0]) {
        return true;
    }
    let (mut votes, mut known) = (0.0, 0);
    // Tables that were put together have their header in between.
    let repeated = rows.iter().filter(|row| row == &first).count();
    for (column, name) in first.iter().enumerate() {
        let name = name.trim();
        let profile = Profile::of(rows.iter().map(|row| row[column].as_str()));
        if name.is_empty() || profile.filled == 0 {
            continue;
        }
        let equal = rows.iter().filter(|row| row[column].trim() == name).count();
        let fit = judge(name);
        let common = equal > repeated && equal * 20 >= rows.len();
        if fit.is_known() && (equal == 0 || (fit.text.max(fit.label) > 0.5 && !common)) {
            known += 1;
            continue;
        }
        votes += vote(name, equal, &profile);
    }
    if known > 0 {
        return votes > -1.5 * f64::from(known);
    }
    if votes == 0.0 {
        let chars = first
            .iter()
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0);
        let longest = rows
            .iter()
            .flat_map(|row| row.iter().map(|cell| cell.chars().count()));
        let mean = longest.sum::<usize>() as f64 / (rows.len() * first.len()) as f64;
        return chars <= 40 && (chars as f64) < mean.max(4.0);
    }
    votes > 0.0
}

/// Judges whether `name` is a name of its column (positive) or a cell like the others (negative).
fn vote(name: &str, equal: usize, profile: &Profile) -> f64 {
    let average = profile.filled as f64 / profile.distinct as f64;
    if equal > 0 {
        return -2.0;
    }
    if profile.numeric > 0.9 {
        return if is_numeric(name) { -1.0 } else { 2.0 };
    }
    if is_numeric(name) {
        return -1.0;
    }
    // A column of few values that all stand twice or more: a further value is a name.
    if average >= 2.0 && profile.distinct <= MAX_LABELS {
        return (average - 1.0).min(2.0);
    }
    0.0
}

/// Returns whether the cells are 0, 1, 2, …, the column names of pandas for a table without names. The first may be
/// blank, for the index.
fn counts_up(cells: &[String]) -> bool {
    let names = match cells {
        [first, rest @ ..] if first.trim().is_empty() => rest,
        all => all,
    };
    names.len() > 1
        && names
            .iter()
            .enumerate()
            .all(|(at, name)| name.trim() == at.to_string())
}

/// Returns the columns of the text and of the label: those that the visitor has chosen, and the best ones of `rows`,
/// which lack cells for columns that they do not have.
///
/// # Errors
/// [`Error::Dataset`] for a chosen column that is not there.
pub fn choose_columns(
    file: &str,
    names: &[String],
    rows: &[&[String]],
    options: &ImportOptions,
) -> Result<(Vec<usize>, Option<usize>)> {
    check_chosen(file, names, options)?;
    let mut texts = Vec::new();
    let mut labels = Vec::new();
    for (column, name) in names.iter().enumerate() {
        let cells = rows
            .iter()
            .map(|row| row.get(column).map_or("", String::as_str));
        let profile = Profile::of(cells);
        texts.push(text_score(name, &profile));
        labels.push(label_score(name, &profile));
    }
    let chosen_text = options.text.as_deref();
    let is_text = |column: usize| chosen_text.is_none_or(|chosen| chosen.contains(&column));
    let mut best: Option<(f64, usize, Option<usize>)> = None;
    for text in (0..names.len()).filter(|&column| is_text(column)) {
        let taken = |label: usize| {
            label == text || chosen_text.is_some_and(|chosen| chosen.contains(&label))
        };
        let candidates = (0..names.len()).filter(|&label| !taken(label));
        let label = match options.label {
            Some(label) if label == text => continue,
            Some(label) => Some((0.0, label)),
            None => candidates
                .filter_map(|label| labels[label].map(|score| (score, label)))
                .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))),
        };
        // A label makes up for a text that is not the very best.
        let score = texts[text] + label.map_or(-5.0, |(score, _)| score);
        if best.is_none_or(|(best, ..)| score > best) {
            best = Some((score, text, label.map(|(_, label)| label)));
        }
    }
    let (_, text, label) = best.unwrap_or((0.0, 0, options.label));
    Ok((options.text.clone().unwrap_or_else(|| vec![text]), label))
}

fn check_chosen(file: &str, names: &[String], options: &ImportOptions) -> Result<()> {
    let text = options.text.as_deref().unwrap_or_default();
    let chosen = text.iter().chain(&options.label);
    if let Some(column) = chosen.copied().find(|&column| column >= names.len()) {
        return Err(Error::Dataset(format!(
            "column {} is chosen, but {file} has {} columns. Choose one of them.",
            column + 1,
            names.len()
        )));
    }
    if options.text.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::Dataset(format!(
            "no column of {file} is chosen for the text. Choose one or more."
        )));
    }
    match options.label {
        Some(label) if text.contains(&label) => Err(Error::Dataset(format!(
            "column {} (\"{}\") of {file} is chosen for the text and for the label. Choose different columns.",
            label + 1,
            names[label]
        ))),
        _ => Ok(()),
    }
}

/// Scores a column as the text: by its name, and by how much its cells are like sentences.
fn text_score(name: &str, profile: &Profile) -> f64 {
    let fit = judge(name);
    let length = (1.0 + profile.mean_chars).log2();
    let distinct = profile.distinct as f64 / profile.filled.max(1) as f64;
    6.0 * fit.text - 2.0 * fit.label - if fit.other { 4.0 } else { 0.0 }
        + length
        + 2.0 * profile.worded
        + 2.0 * distinct
        - 6.0 * profile.numeric
        - 6.0 * profile.addresses
        - 4.0 * (1.0 - profile.filled_share())
}

/// Scores a column as the label: by its name, and by how much its cells repeat. `None`: it can be none.
fn label_score(name: &str, profile: &Profile) -> Option<f64> {
    let fit = judge(name);
    let named = fit.label > 0.5;
    let few = profile.distinct <= MAX_LABELS && profile.repeats();
    if profile.filled == 0 || !(named || few) {
        return None;
    }
    if profile.distinct < 2 && !named {
        return None;
    }
    let repeats = 1.0 - profile.distinct as f64 / profile.filled as f64;
    let constant = if profile.distinct < 2 { 4.0 } else { 0.0 };
    let other = if fit.other { 4.0 } else { 0.0 };
    Some(
        8.0 * fit.label - 2.0 * fit.text - other + 4.0 * repeats
            - 0.3 * (profile.distinct as f64).log2()
            - 0.5 * (1.0 + profile.mean_chars / 8.0).log2()
            - profile.worded
            - 2.0 * profile.fractions
            - 4.0 * (1.0 - profile.filled_share())
            - constant,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&str]) -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.split('|').map(String::from).collect())
            .collect()
    }

    fn header(rows: &[&str]) -> bool {
        let table = table(rows);
        detect_header(&table.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn columns(names: &str, rows: &[&str]) -> (usize, Option<usize>) {
        let names: Vec<String> = names.split('|').map(String::from).collect();
        let table = table(rows);
        let rows: Vec<&[String]> = table.iter().map(Vec::as_slice).collect();
        let (text, label) =
            choose_columns("x.csv", &names, &rows, &ImportOptions::default()).unwrap();
        (text[0], label)
    }

    #[test]
    fn tells_a_header_from_a_row() {
        assert!(header(&["text|label", "good|1", "bad|0"]));
        assert!(header(&["text|label"]));
        assert!(!header(&[
            "good one|yes",
            "bad one|no",
            "another|yes",
            "this|no"
        ]));
        assert!(!header(&["0|fine", "1|poor", "0|bad"]));
        assert!(header(&[
            "Meinung|Note",
            "gut so|1",
            "nicht gut|5",
            "geht|3"
        ]));
        assert!(header(&["|0|1", "0|Nice film|pos", "1|Poor film|neg"]));
        assert!(header(&["0|1", "Nice film|pos", "Poor film|neg"]));
        assert!(header(&[
            "Frage eins|Urteil",
            "ja klar|gut",
            "nein|schlecht",
            "so|gut",
            "la|schlecht"
        ]));
        assert!(header(&["text|label", "a|x", "b|y", "text|label", "c|x"]));
    }

    #[test]
    fn finds_the_text_and_the_label() {
        assert_eq!(
            columns(
                "id|document|label",
                &["1|참 좋다|1", "2|별로다|0", "3|또 볼래|1"]
            ),
            (1, Some(2))
        );
        assert_eq!(
            columns(
                "v1|v2||",
                &["ham|see you||", "spam|win cash now||", "ham|ok then||"]
            ),
            (1, Some(0))
        );
        assert_eq!(
            columns(
                "review|sentiment",
                &["a long one|positive", "bad|negative", "b c|positive"]
            ),
            (0, Some(1))
        );
        assert_eq!(
            columns(
                "tweet_id|airline_sentiment|confidence|airline|name|text",
                &[
                    "570306133677760513|neutral|1.0|Virgin|cairdin|@Virgin what was said",
                    "570301130888122368|positive|0.3486|Virgin|jnardino|@Virgin plus you added commercials",
                    "570301083672813571|neutral|0.6837|Virgin|yvonnalynn|@Virgin I did not today",
                ]
            ),
            (5, Some(1))
        );
        assert_eq!(
            columns(
                "column 1|column 2|column 3",
                &[
                    "2|Great CD|My lovely Pat has a voice",
                    "1|Poor|Do not buy it",
                    "2|Good|Buy this one"
                ]
            ),
            (2, Some(0))
        );
        assert_eq!(
            columns("a|b", &["one thing|x1", "other thing|x2"]),
            (0, None)
        );
    }

    #[test]
    fn a_chosen_column_is_kept_and_checked() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).into();
        let table = table(&["x y|1|p q", "z|1|r", "w|2|s"]);
        let rows: Vec<&[String]> = table.iter().map(Vec::as_slice).collect();
        let choose = |text, label| {
            let options = ImportOptions {
                text,
                label,
                ..ImportOptions::default()
            };
            choose_columns("x.csv", &names, &rows, &options)
        };
        assert_eq!(choose(Some(vec![2, 0]), None), Ok((vec![2, 0], Some(1))));
        assert_eq!(choose(None, Some(0)).map(|found| found.0 != [0]), Ok(true));
        for (text, label, word) in [
            (Some(vec![3]), None, "3 columns"),
            (Some(vec![0]), Some(0), "different"),
            (Some(vec![]), None, "no column"),
        ] {
            assert!(choose(text, label).unwrap_err().to_string().contains(word));
        }
    }
}
