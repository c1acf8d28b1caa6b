//! Layouts of a JSON document that is one object: an array of rows under a key, or tables by column or by row as pandas
//! and `datasets` write them.

use super::SkipReason;
use super::json::{Json, cells};

/// A row of cells by name, or why it is none.
pub type JsonRow = Result<Vec<(String, String)>, SkipReason>;

type Entries = Vec<(String, Json)>;

/// Keys under which the rows are expected, if an object holds several arrays of objects.
const ROW_KEYS: [&str; 6] = ["rows", "data", "records", "items", "examples", "results"];

/// Returns the rows of a document that is one object.
///
/// # Errors
/// What the document holds instead of rows.
pub fn document_rows(value: Json) -> Result<Vec<JsonRow>, String> {
    let Json::Object(mut entries) = value else {
        return Err("one value that is no object".into());
    };
    if let Some(position) = wrapped_rows(&entries)? {
        return match entries.swap_remove(position).1 {
            Json::List(rows) => Ok(rows.into_iter().map(cells).collect()),
            _ => Ok(Vec::new()),
        };
    }
    if let Some(rows) = split_orient(&entries) {
        return Ok(rows);
    }
    let all =
        |kind: fn(&Json) -> bool| entries.len() > 1 && entries.iter().all(|(_, value)| kind(value));
    if all(|value| matches!(value, Json::List(_))) {
        return columns_of_lists(entries);
    }
    if all(|value| matches!(value, Json::Object(_))) {
        return Ok(table_of_objects(entries));
    }
    let names: Vec<&str> = entries
        .iter()
        .map(|(key, _)| key.as_str())
        .take(5)
        .collect();
    Err(format!(
        "one object with the keys \"{}\"",
        names.join("\", \"")
    ))
}

/// Returns the position of the entry that is an array of objects.
fn wrapped_rows(entries: &Entries) -> Result<Option<usize>, String> {
    let is_rows = |value: &Json| match value {
        Json::List(items) => items.iter().any(|item| matches!(item, Json::Object(_))),
        _ => false,
    };
    let found: Vec<usize> = (0..entries.len())
        .filter(|&at| is_rows(&entries[at].1))
        .collect();
    if let [] | [_] = found[..] {
        return Ok(found.first().copied());
    }
    let named = |key: &&str| found.iter().copied().find(|&at| entries[at].0 == **key);
    if let Some(position) = ROW_KEYS.iter().find_map(named) {
        return Ok(Some(position));
    }
    let names: Vec<&str> = found
        .iter()
        .map(|&at| entries[at].0.as_str())
        .take(5)
        .collect();
    Err(format!(
        "an object with several arrays of rows, \"{}\"",
        names.join("\", \"")
    ))
}

/// Reads pandas' `orient="split"`: `{"columns": […], "index": […], "data": [[…], …]}`.
fn split_orient(entries: &Entries) -> Option<Vec<JsonRow>> {
    let list = |name: &str| match entries.iter().find(|(key, _)| key == name) {
        Some((_, Json::List(items))) => Some(items),
        _ => None,
    };
    let (columns, data) = (list("columns")?, list("data")?);
    let names: Vec<&String> = columns
        .iter()
        .map(|name| match name {
            Json::Scalar(name) => Some(name),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let row = |row: &Json| match row {
        Json::List(values) if values.len() == names.len() => {
            let entries = names
                .iter()
                .zip(values)
                .map(|(name, value)| ((*name).clone(), value.clone()));
            cells(Json::Object(entries.collect()))
        }
        Json::List(values) => Err(SkipReason::Ragged {
            found: values.len(),
            expected: names.len(),
        }),
        _ => Err(SkipReason::NotJson),
    };
    Some(data.iter().map(row).collect())
}

/// Reads `{"text": […], "label": […]}` (pandas' `orient="list"`, `Dataset.to_dict`).
fn columns_of_lists(entries: Entries) -> Result<Vec<JsonRow>, String> {
    let mut columns = Vec::new();
    for (name, value) in entries {
        if let Json::List(values) = value {
            columns.push((name, values));
        }
    }
    let length = columns[0].1.len();
    if let Some((name, values)) = columns.iter().find(|(_, values)| values.len() != length) {
        return Err(format!(
            "columns of different lengths: \"{}\" has {length} values and \"{name}\" has {}",
            columns[0].0,
            values.len()
        ));
    }
    let mut rows: Vec<Entries> = vec![Vec::new(); length];
    for (name, values) in columns {
        for (row, value) in rows.iter_mut().zip(values) {
            row.push((name.clone(), value));
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| cells(Json::Object(row)))
        .collect())
}

/// Reads `{"text": {"0": …, "1": …}, "label": {…}}` (pandas' `orient="columns"`, its default) or
/// `{"0": {"text": …, "label": …}, …}` (`orient="index"`). The outer keys of the latter are numbers; those of the
/// former are not, or the inner keys are numbers as well.
fn table_of_objects(entries: Entries) -> Vec<JsonRow> {
    let is_number = |key: &str| key.parse::<u64>().is_ok();
    let inner_numbers = match &entries[0].1 {
        Json::Object(inner) => inner.iter().all(|(key, _)| is_number(key)),
        _ => false,
    };
    if !inner_numbers && entries.iter().all(|(key, _)| is_number(key)) {
        return entries.into_iter().map(|(_, row)| cells(row)).collect();
    }
    let mut rows: Vec<Entries> = Vec::new();
    let mut positions = std::collections::HashMap::new();
    for (name, column) in entries {
        let Json::Object(column) = column else {
            continue;
        };
        for (index, value) in column {
            let position = *positions.entry(index).or_insert(rows.len());
            if position == rows.len() {
                rows.push(Vec::new());
            }
            rows[position].push((name.clone(), value));
        }
    }
    rows.into_iter()
        .map(|row| cells(Json::Object(row)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    fn rows(text: &str) -> Result<Vec<String>, String> {
        let join = |row: JsonRow| match row {
            Ok(cells) => cells
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(" "),
            Err(reason) => format!("{reason:?}"),
        };
        Ok(document_rows(parse(text).unwrap())?
            .into_iter()
            .map(join)
            .collect())
    }

    #[test]
    fn reads_the_layouts_of_pandas_and_of_web_services() {
        let expected = Ok(vec![
            "text=a label=1".to_owned(),
            "text=b label=0".to_owned(),
        ]);
        for text in [
            r#"{"text": {"0": "a", "1": "b"}, "label": {"0": 1, "1": 0}}"#,
            r#"{"0": {"text": "a", "label": 1}, "1": {"text": "b", "label": 0}}"#,
            r#"{"text": ["a", "b"], "label": [1, 0]}"#,
            r#"{"columns": ["text", "label"], "index": [0, 1], "data": [["a", 1], ["b", 0]]}"#,
            r#"{"version": 1, "data": [{"text": "a", "label": 1}, {"text": "b", "label": 0}]}"#,
            r#"{"fields": [{"name": "x"}], "rows": [{"text": "a", "label": 1}, {"text": "b", "label": 0}]}"#,
        ] {
            assert_eq!(rows(text), expected, "{text}");
        }
    }

    #[test]
    fn says_what_a_document_without_rows_holds() {
        assert!(
            rows(r#"{"model_type": "bert", "hidden_size": 16}"#)
                .unwrap_err()
                .contains("model_type")
        );
        assert!(
            rows(r#"{"train": [{"a": 1}], "test": [{"a": 1}]}"#)
                .unwrap_err()
                .contains("several")
        );
        assert!(
            rows(r#"{"text": ["a", "b"], "label": [1]}"#)
                .unwrap_err()
                .contains("different lengths")
        );
    }
}
