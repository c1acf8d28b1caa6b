//! Which rows the page's search and its choice of a class show.

use crate::data::Row;

/// The rows that contain a text and have a label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// A part of the text, whatever its case; blanks around it do not count, and an empty one is in every row.
    pub query: String,
    /// The label id; `None` is every label.
    pub label: Option<usize>,
}

impl RowFilter {
    /// Whether the filter shows `row`.
    pub fn matches(&self, row: &Row) -> bool {
        if self.label.is_some_and(|label| label != row.label) {
            return false;
        }
        let query = self.query.trim();
        query.is_empty() || row.text.to_lowercase().contains(&query.to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_part_of_the_text_in_any_case() {
        let row = Row {
            text: "Très BON, 정말 좋아요".into(),
            label: 1,
        };
        let matches = |query: &str, label| {
            let query = query.into();
            RowFilter { query, label }.matches(&row)
        };
        assert!(matches("", None) && matches("  ", Some(1)));
        assert!(matches(" bon ", None) && matches("TRÈS", None) && matches("좋아", Some(1)));
        assert!(!matches("bon", Some(0)) && !matches("mal", None));
    }
}
