//! The finding on texts that say nothing.

use super::{Finding, Remedy, Severity};
use crate::data::Dataset;
use serde_json::json;

/// `empty_text`: rows whose text is blank. A model can learn nothing but the frequency of the classes from them.
pub(super) fn empty_text(dataset: &Dataset) -> Option<Finding> {
    let blank = |&row: &usize| {
        let mut chars = dataset.rows[row].text.chars();
        chars.all(|char| char.is_whitespace() || char.is_control() || is_invisible(char))
    };
    let rows: Vec<usize> = (0..dataset.rows.len()).filter(blank).collect();
    if rows.is_empty() {
        return None;
    }
    let counts = [rows.len(), dataset.rows.len()];
    let finding = Finding::new("empty_text", Severity::Error, counts, json!({}));
    let shown = rows.iter().map(|&row| (row, None));
    Some(
        finding
            .with_rows(dataset, shown)
            .with_remedy(Remedy::DeleteRows { rows }),
    )
}

/// A byte order mark, a zero-width blank or a joiner.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::super::finding::testing::{dataset, pairs};
    use super::*;

    #[test]
    fn finds_blank_texts() {
        let data = dataset(&[
            ("a", 0),
            ("", 1),
            (" \t\u{3000}", 0),
            ("\u{feff}\u{200b}", 1),
            ("!", 1),
        ]);
        let finding = empty_text(&data).unwrap();
        assert_eq!(pairs(&finding), [(1, None), (2, None), (3, None)]);
        assert_eq!([finding.count, finding.of], [3, 5]);
        let rows = vec![1, 2, 3];
        assert_eq!(finding.remedy, Some(Remedy::DeleteRows { rows }));
        assert_eq!(empty_text(&dataset(&[("a", 0)])), None);
    }
}
