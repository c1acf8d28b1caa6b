//! Which rows the page's search and its choice of a class show.

use crate::data::Row;

/// The rows that contain a text and have a label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// In lower case, without blanks around it.
    query: String,
    label: Option<usize>,
}

impl RowFilter {
    /// A filter of a part of the text, whatever its case, and of a label id. Blanks around `query` do not count, an
    /// empty one is in every row, and no label is every label.
    pub fn new(query: &str, label: Option<usize>) -> Self {
        Self {
            query: query.trim().to_lowercase(),
            label,
        }
    }

    /// Whether the filter shows `row`.
    pub fn matches(&self, row: &Row) -> bool {
        if self.label.is_some_and(|label| label != row.label) {
            return false;
        }
        self.query.is_empty() || row.text.to_lowercase().contains(&self.query)
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
        let matches = |query: &str, label| RowFilter::new(query, label).matches(&row);
        assert!(matches("", None) && matches("  ", Some(1)));
        assert!(matches(" bon ", None) && matches("TRÈS", None) && matches("좋아", Some(1)));
        assert!(!matches("bon", Some(0)) && !matches("mal", None));
    }
}
