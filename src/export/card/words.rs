//! Text of a visitor in Markdown, and lists in a sentence.

/// Escapes text of a visitor for one line or one cell of a table.
pub(super) fn inline(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        if "\\`*_{}[]<>#|".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// "a and b", "a, b and c".
pub(super) fn join(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        items => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_visitor_is_escaped() {
        assert_eq!(inline("a|b\nc <i>"), "a\\|b c \\<i\\>");
        let items = |items: &[&str]| join(items.iter().map(|item| item.to_string()));
        assert_eq!(items(&["a"]), "a");
        assert_eq!(items(&["a", "b", "c"]), "a, b and c");
    }
}
