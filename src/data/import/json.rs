//! JSON values, and the elements of a JSON document as they arrive.

use super::SkipReason;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A JSON value whose numbers and booleans are text.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// A string, a boolean, or a number. A whole number is its digits, also if it is written as `1.0`.
    Scalar(String),
    /// An array.
    List(Vec<Json>),
    /// An object with its keys in the order of the text.
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        // Adding 0 turns -0 into 0.
        Ok(Json::Scalar((value + 0.0).to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Scalar(value))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut entries: Vec<(String, Json)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<String, Json>()? {
            // Of a key that stands twice the last value counts, as in Python. Long objects are documents of columns,
            // whose keys are not compared one by one.
            match entries.iter_mut().take(64).find(|(name, _)| *name == key) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
            if entries.len() > 10_000_000 {
                return Err(A::Error::custom("too many keys"));
            }
        }
        Ok(Json::Object(entries))
    }
}

/// Parses a value. `NaN` and `Infinity`, which Python writes for missing numbers, are null.
pub fn parse(text: &str) -> Option<Json> {
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(_) if text.contains("NaN") || text.contains("Infinity") => {
            serde_json::from_str(&without_nan(text)).ok()
        }
        Err(_) => None,
    }
}

fn without_nan(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let (mut in_string, mut escaped) = (false, false);
    while let Some(letter) = rest.chars().next() {
        let constant = ["NaN", "-Infinity", "Infinity"]
            .into_iter()
            .find(|constant| !in_string && rest.starts_with(constant));
        if let Some(constant) = constant {
            result.push_str("null");
            rest = &rest[constant.len()..];
            continue;
        }
        if letter == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = letter == '\\' && !escaped;
        result.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    result
}

/// Returns the cells of an object: the scalars, those of inner objects under names such as `review.text`. A null and a
/// list are an empty cell.
///
/// # Errors
/// [`SkipReason::NotJson`] if the value is no object.
pub fn cells(value: Json) -> Result<Vec<(String, String)>, SkipReason> {
    let Json::Object(entries) = value else {
        return Err(SkipReason::NotJson);
    };
    let mut cells = Vec::with_capacity(entries.len());
    flatten(None, entries, &mut cells);
    Ok(cells)
}

fn flatten(prefix: Option<&str>, entries: Vec<(String, Json)>, cells: &mut Vec<(String, String)>) {
    for (key, value) in entries {
        let name = match prefix {
            Some(prefix) => format!("{prefix}.{key}"),
            None => key,
        };
        match value {
            Json::Scalar(text) => cells.push((name, text)),
            Json::Null | Json::List(_) => cells.push((name, String::new())),
            Json::Object(inner) => flatten(Some(&name), inner, cells),
        }
    }
}

/// What follows in a JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// An element, with its start and end.
    Element(usize, usize),
    /// The end of the array. The position behind it.
    ArrayEnd(usize),
    /// Nothing but blanks and commas up to this position.
    Nothing(usize),
    /// An element that begins at this position, whose end is not there.
    Incomplete(usize),
}

/// Finds the next element at or behind `start`: of an array, or of a sequence of values. `last`: the document ends with
/// the buffer.
pub fn next_element(buffer: &[u8], start: usize, last: bool) -> Next {
    let mut at = start;
    while let Some(&byte) = buffer.get(at) {
        match byte {
            // A CR at the end may be half of a CRLF.
            b'\r' if at + 1 == buffer.len() && !last => return Next::Nothing(at),
            b' ' | b'\t' | b'\n' | b'\r' | b',' => at += 1,
            b']' => return Next::ArrayEnd(at + 1),
            _ => break,
        }
    }
    if at == buffer.len() {
        return Next::Nothing(at);
    }
    match element_end(&buffer[at..]) {
        Some(length) => Next::Element(at, at + length),
        None if last && !matches!(buffer[at], b'{' | b'[' | b'"') => {
            Next::Element(at, buffer.len())
        }
        None => Next::Incomplete(at),
    }
}

/// Returns the length of the element at the beginning of `text`, if its end is there.
fn element_end(text: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at += string_length(&text[at..])?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' | b']' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns the length of the string literal at the beginning of `text`, quotes included.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Result<Vec<(String, String)>, SkipReason> {
        parse(text).ok_or(SkipReason::NotJson).and_then(cells)
    }

    fn pairs(cells: &[(&str, &str)]) -> Result<Vec<(String, String)>, SkipReason> {
        Ok(cells
            .iter()
            .map(|&(key, value)| (key.into(), value.into()))
            .collect())
    }

    #[test]
    fn numbers_and_booleans_are_text() {
        assert_eq!(
            row(
                r#"{"a": 1, "b": 1.0, "c": 2.5, "d": true, "e": null, "f": [1], "g": "1.0", "h": -0.0}"#
            ),
            pairs(&[
                ("a", "1"),
                ("b", "1"),
                ("c", "2.5"),
                ("d", "true"),
                ("e", ""),
                ("f", ""),
                ("g", "1.0"),
                ("h", "0")
            ])
        );
        assert_eq!(
            row(r#"{"x": {"y": {"z": "in"}}}"#),
            pairs(&[("x.y.z", "in")])
        );
        assert_eq!(row(r#"{"a": 1, "a": 2}"#), pairs(&[("a", "2")]));
        assert_eq!(row("[1]"), Err(SkipReason::NotJson));
        assert_eq!(row("{\"a\": "), Err(SkipReason::NotJson));
    }

    #[test]
    fn nan_of_python_is_null_but_not_in_a_string() {
        assert_eq!(
            row(r#"{"a": NaN, "b": "NaN \" NaN", "c": -Infinity}"#),
            pairs(&[("a", ""), ("b", "NaN \" NaN"), ("c", "")])
        );
    }

    #[test]
    fn elements_are_found_and_brackets_in_strings_are_not_counted() {
        let text = br#" {"a": "}]\""} , [1, [2]] ,3 ]"#;
        assert_eq!(next_element(text, 0, false), Next::Element(1, 14));
        assert_eq!(next_element(text, 14, false), Next::Element(17, 25));
        assert_eq!(next_element(text, 25, false), Next::Element(27, 28));
        assert_eq!(next_element(text, 28, false), Next::ArrayEnd(30));
        assert_eq!(next_element(b"  {\"a\": 1", 0, true), Next::Incomplete(2));
        assert_eq!(next_element(b" \r", 0, false), Next::Nothing(1));
        assert_eq!(next_element(b" \r", 0, true), Next::Nothing(2));
    }
}
