//! Detection of the format and of the delimiter from the beginning of a file's text.

use super::delimited::{CellSplitter, Quotes, next_extent};
use super::json::{Next, next_element};
use super::{ImportOptions, MAX_COLUMNS, TableFormat};
use crate::{Error, Result};

/// The delimiters that are tried. Of equally good ones the first is used: commas are also in texts.
const DELIMITERS: [u8; 4] = [b'\t', b';', b'|', b','];

/// The number of records that each delimiter is tried on.
const TRIED_RECORDS: usize = 200;

/// The number of lines from which JSON Lines are told from a JSON document.
const TRIED_LINES: usize = 20;

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Records of cells. `declared`: the first line is Excel's `sep=;`.
    Delimited { delimiter: u8, declared: bool },
    /// One JSON object a line.
    Lines,
    /// A JSON document.
    Document,
}

impl Layout {
    /// Returns the format's name and delimiter for the visitor.
    pub fn format(self) -> (TableFormat, Option<char>) {
        match self {
            Layout::Delimited {
                delimiter: b'\t', ..
            } => (TableFormat::Tsv, Some('\t')),
            Layout::Delimited { delimiter, .. } => (TableFormat::Csv, Some(char::from(delimiter))),
            Layout::Lines => (TableFormat::Jsonl, None),
            Layout::Document => (TableFormat::Json, None),
        }
    }
}

/// Returns how a text is read that begins with `head`. `whole`: the text ends with it. `name` is the file's name.
///
/// # Errors
/// [`Error::Dataset`] for an unusable delimiter, and for a JSON file that does not begin as JSON.
pub fn detect_layout(
    name: &str,
    head: &str,
    whole: bool,
    options: &ImportOptions,
) -> Result<Layout> {
    let format = match options.format {
        Some(format) => Some(format),
        None if options.delimiter.is_some() => None,
        None => json_format(name, head, whole)?,
    };
    match format {
        Some(TableFormat::Jsonl) => return Ok(Layout::Lines),
        Some(TableFormat::Json) => return Ok(Layout::Document),
        _ => {}
    }
    let declared = declared_delimiter(head);
    let delimiter = match (options.delimiter, options.format) {
        (Some(delimiter), _) => checked_delimiter(delimiter)?,
        (None, Some(TableFormat::Tsv)) => b'\t',
        (None, _) => match declared {
            Some(delimiter) => delimiter,
            None => best_delimiter(name, head, whole, options.format),
        },
    };
    refuse_many_columns(name, head, delimiter)?;
    Ok(Layout::Delimited {
        delimiter,
        declared: declared.is_some(),
    })
}

fn checked_delimiter(delimiter: char) -> Result<u8> {
    match u8::try_from(delimiter) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(byte),
        _ => Err(Error::Dataset(format!(
            "{delimiter:?} cannot be the delimiter. Choose a comma, a semicolon, a tab, a vertical bar or another \
             ASCII character that is no quote and no line break."
        ))),
    }
}

/// Returns the delimiter that a first line such as `sep=;` declares for Excel.
fn declared_delimiter(head: &str) -> Option<u8> {
    let line = head.split(['\n', '\r']).next()?;
    let line = line.trim_matches(' ').trim_matches('"');
    let (key, value) = line.split_at_checked(4)?;
    match value.as_bytes() {
        [delimiter] if key.eq_ignore_ascii_case("sep=") => {
            checked_delimiter(char::from(*delimiter)).ok()
        }
        _ => None,
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default()
}

/// Returns the JSON format of a text, or `None` if it is not JSON.
fn json_format(name: &str, head: &str, whole: bool) -> Result<Option<TableFormat>> {
    let extension = extension(name);
    let lines_expected = matches!(extension.as_str(), "jsonl" | "ndjson");
    let text = head.trim_start();
    if text.starts_with('[') && begins_array(text, whole, lines_expected || extension == "json") {
        return Ok(Some(TableFormat::Json));
    }
    let mut lines = head
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let tried: Vec<&str> = lines.by_ref().take(TRIED_LINES).collect();
    let begun = tried.iter().filter(|line| line.starts_with('{')).count();
    let complete = tried
        .iter()
        .filter(|line| line.starts_with('{') && line.ends_with('}'))
        .count();
    if lines_expected && begun > 0 {
        return Ok(Some(TableFormat::Jsonl));
    }
    if complete >= 2 && complete * 2 >= tried.len() {
        return Ok(Some(TableFormat::Jsonl));
    }
    if text.starts_with('{') && (extension == "json" || begins_objects(text, whole)) {
        return Ok(Some(TableFormat::Json));
    }
    if lines_expected || extension == "json" {
        let start: String = text.chars().take(40).collect();
        return Err(Error::Dataset(format!(
            "{name} is not JSON: it begins with \"{start}\", but a JSON file begins with [ or {{. Rename it if it is a \
             CSV file, or choose its format."
        )));
    }
    Ok(None)
}

/// Returns whether a text that begins with `[` is a JSON array, and no delimited text whose first cell begins so.
fn begins_array(text: &str, whole: bool, expected: bool) -> bool {
    let inside = text[1..].trim_start();
    expected || inside.starts_with('{') || (whole && is_json(text))
}

/// Returns whether a text that begins with `{` is a JSON object, alone or before others, and no delimited text whose
/// first cell begins so.
fn begins_objects(text: &str, whole: bool) -> bool {
    if !text[1..].trim_start().starts_with(['"', '}']) {
        return false;
    }
    match next_element(text.as_bytes(), 0, whole) {
        Next::Element(start, end) => {
            let rest = text[end..].trim_start();
            is_json(&text[start..end]) && (rest.is_empty() || rest.starts_with('{'))
        }
        _ => !whole,
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Returns the delimiter that splits the most records into as many cells as the first one, which has at least two.
fn best_delimiter(name: &str, head: &str, whole: bool, format: Option<TableFormat>) -> u8 {
    let mut best = (
        0.0,
        if extension(name) == "tsv" {
            b'\t'
        } else {
            b','
        },
    );
    for delimiter in DELIMITERS {
        if delimiter == b'\t' && format == Some(TableFormat::Csv) {
            continue;
        }
        let share = consistent_share(head, delimiter, whole);
        if share > best.0 {
            best = (share, delimiter);
        }
    }
    best.1
}

/// Returns the share of the first records that have as many cells as the first one, or 0 if that has only one.
fn consistent_share(head: &str, delimiter: u8, whole: bool) -> f64 {
    let mut splitter = CellSplitter::new(delimiter);
    let mut counts = Vec::new();
    let mut at = 0;
    while at < head.len() && counts.len() < TRIED_RECORDS {
        let found = next_extent(head.as_bytes(), at, delimiter, whole);
        // A first record that is longer than the head is tried as far as it is there.
        let found = match found {
            None if counts.is_empty() => next_extent(head.as_bytes(), at, delimiter, true),
            found => found,
        };
        let Some(extent) = found else { break };
        let record = &head[at..extent.end];
        if extent.quotes != Quotes::Unclosed && !record.trim().is_empty() {
            counts.push(
                splitter
                    .cells(record, extent.quotes)
                    .map_or(0, |cells| cells.len()),
            );
        }
        at = extent.next;
    }
    match counts.first() {
        Some(&first) if first >= 2 => {
            let equal = counts.iter().filter(|&&count| count == first).count();
            equal as f64 / counts.len() as f64
        }
        _ => 0.0,
    }
}

/// Refuses a first line with too many cells before all of it has been read.
fn refuse_many_columns(name: &str, head: &str, delimiter: u8) -> Result<()> {
    let line = head
        .split(['\n', '\r'])
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    let columns = line.bytes().filter(|&byte| byte == delimiter).count() + 1;
    if columns > MAX_COLUMNS && !line.contains('"') {
        return Err(too_many_columns(name, columns));
    }
    Ok(())
}

/// Returns the error for a record of too many columns.
pub fn too_many_columns(name: &str, columns: usize) -> Error {
    Error::Dataset(format!(
        "{name} has {columns} columns or more in its first row; at most {MAX_COLUMNS} can be read. Keep the columns \
         with the text and the label, or choose another delimiter."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(name: &str, text: &str) -> Layout {
        detect_layout(name, text, true, &ImportOptions::default()).unwrap()
    }

    fn delimiter(text: &str) -> char {
        layout("table.txt", text).format().1.unwrap()
    }

    #[test]
    fn finds_the_delimiter() {
        assert_eq!(delimiter("text,label\na;b,x\nc,y\n"), ',');
        assert_eq!(delimiter("text;label\na, b;x\nc;y\n"), ';');
        assert_eq!(delimiter("a, b\tx\nc, d\ty\n"), '\t');
        assert_eq!(delimiter("text|label\na, b|x\nc|y\n"), '|');
        assert_eq!(delimiter("gut;4,5\nschlecht;1,5\n"), ';');
        assert_eq!(delimiter("\"a\tb\",x\n\"c\td\",y\n"), ',');
        assert_eq!(delimiter("one column\nonly\n"), ',');
        assert_eq!(delimiter("sep=|\na,b|c\n"), '|');
        assert_eq!(delimiter("SEP=;\r\na,b,c\n"), ';');
    }

    #[test]
    fn tells_json_from_cells() {
        let object = "{\"text\": \"a\", \"label\": 1}";
        assert_eq!(
            layout("a.json", &format!("{object}\n{object}\n")),
            Layout::Lines
        );
        assert_eq!(
            layout("a.txt", &format!("[\n {object}\n]")),
            Layout::Document
        );
        assert_eq!(layout("a.txt", &format!("[{object}]")), Layout::Document);
        assert_eq!(layout("a.json", "{\n \"text\": {}\n}"), Layout::Document);
        assert_eq!(layout("a.jsonl", object), Layout::Lines);
        assert_eq!(layout("a.json", object), Layout::Document);
        assert_eq!(
            layout("a.txt", "{\"a\": 1},x\n{\"a\": 2},y\n").format().1,
            Some(',')
        );
        assert_eq!(
            layout("a.csv", "[deleted],x\nfine,y\n").format().1,
            Some(',')
        );
        let refused = detect_layout("a.json", "text,label\n", true, &ImportOptions::default());
        assert!(refused.unwrap_err().to_string().contains("not JSON"));
    }

    #[test]
    fn many_columns_are_refused_from_the_head() {
        let head = "a,".repeat(MAX_COLUMNS);
        let refused = detect_layout("a.csv", &head, false, &ImportOptions::default());
        assert!(refused.unwrap_err().to_string().contains("1001 columns"));
    }
}
