//! The dataset: its rows by label and part.

use super::Content;
use super::words::inline;
use crate::data::{Row, count_labels};

/// Rows of each label in each part.
pub(super) fn section(content: &Content<'_>) -> String {
    let dataset = inline(content.card.dataset.trim_end_matches('.'));
    let mut text = format!("## Data\n\n{dataset}.\n\n");
    let rows = content.rows;
    let parts = [
        ("training", rows.train),
        ("validation", rows.validation),
        ("test", rows.test),
    ];
    let parts: Vec<(&str, &[&Row])> = parts
        .into_iter()
        .filter(|(name, rows)| *name != "validation" || !rows.is_empty())
        .collect();
    let names: Vec<String> = parts
        .iter()
        .map(|(name, _)| format!(" {name} rows |"))
        .collect();
    text += &format!("| label |{}\n", names.concat());
    text += &format!("| --- |{}\n", " ---: |".repeat(parts.len()));
    let counts = parts
        .iter()
        .map(|(_, rows)| count_labels(rows.iter().copied(), content.labels.len()));
    let counts: Vec<Vec<usize>> = counts.collect();
    for (id, label) in content.labels.iter().enumerate() {
        let cells: Vec<String> = counts
            .iter()
            .map(|part| format!(" {} |", part[id]))
            .collect();
        text += &format!("| {} |{}\n", inline(label), cells.concat());
    }
    let all = counts.iter().map(|part| part.iter().sum::<usize>());
    let all: Vec<String> = all.map(|rows| format!(" {rows} |")).collect();
    text += &format!("| all |{}\n", all.concat());
    text += match rows.validation {
        [] => "\nThe epochs were evaluated on the test rows.\n",
        _ => "\nThe epochs were evaluated on the validation rows, the test rows once at the end.\n",
    };
    text
}
