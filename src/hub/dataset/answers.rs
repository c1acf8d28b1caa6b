//! The answers of the rows API, as far as they are read.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The answer of `/is-valid`.
#[derive(Debug, Deserialize)]
pub(super) struct ValidAnswer {
    /// Whether the first rows of each split can be read.
    #[serde(default)]
    pub preview: bool,
    /// Whether every row can be read.
    #[serde(default)]
    pub viewer: bool,
}

/// The answer of `/splits`.
#[derive(Debug, Deserialize)]
pub(super) struct SplitsAnswer {
    pub splits: Vec<SplitAnswer>,
}

/// A split of a configuration.
#[derive(Debug, Deserialize)]
pub(super) struct SplitAnswer {
    pub config: String,
    pub split: String,
}

/// The answer of `/rows`: a page of rows.
#[derive(Debug, Deserialize)]
pub(super) struct RowsAnswer {
    pub features: Vec<Feature>,
    pub rows: Vec<RowAnswer>,
    pub num_rows_total: usize,
}

/// A column.
#[derive(Debug, Deserialize)]
pub(super) struct Feature {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: Value,
}

/// A row.
#[derive(Debug, Deserialize)]
pub(super) struct RowAnswer {
    pub row: Map<String, Value>,
    /// Columns of which the Hub sends only the beginning.
    #[serde(default)]
    pub truncated_cells: Vec<String>,
}

/// An answer that is none.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorAnswer {
    pub error: String,
}

impl RowsAnswer {
    /// The cells of a row in the order of the columns. A class is the name of its `ClassLabel`; datasets writes -1 for
    /// a row without a class.
    fn cells(&self, row: &RowAnswer) -> Vec<(String, Value)> {
        let cell = |feature: &Feature| {
            let value = row.row.get(&feature.name).cloned().unwrap_or(Value::Null);
            let names = feature.kind["names"].as_array();
            let is_class = feature.kind["_type"] == "ClassLabel";
            let value = match (names, value.as_i64()) {
                (Some(names), Some(id)) if is_class => usize::try_from(id)
                    .ok()
                    .and_then(|id| names.get(id).cloned())
                    .unwrap_or(json!(null)),
                _ => value,
            };
            (feature.name.clone(), value)
        };
        self.features.iter().map(cell).collect()
    }

    /// A row as an object on one line, with its columns in their order.
    pub(super) fn line(&self, row: &RowAnswer) -> String {
        let cells = self.cells(row).into_iter();
        let cells = cells.map(|(name, value)| format!("{}:{value}", Value::String(name)));
        format!("{{{}}}\n", cells.collect::<Vec<_>>().join(","))
    }
}
