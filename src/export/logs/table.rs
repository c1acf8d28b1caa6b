//! The log as a table: a row for each entry, a column for each name that occurs.

use super::fields;
use crate::train::History;
use crate::{Error, Result};
use serde_json::Value;
use std::io::{self, Write};

/// The names of the columns.
pub(super) struct Table {
    columns: Vec<String>,
}

impl Table {
    /// The columns in the order in which they occur, after the step and the epoch.
    ///
    /// # Errors
    /// [`Error::Export`] for an entry that is no object.
    pub(super) fn of(history: &History) -> Result<Self> {
        let mut columns: Vec<String> = vec!["step".into(), "epoch".into()];
        for entry in fields(history) {
            let entry = entry.map_err(|error| Error::Export(format!("{error}.")))?;
            for name in entry.keys() {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
        }
        Ok(Self { columns })
    }

    /// Writes the table as CSV. A value that an entry lacks is empty.
    ///
    /// # Errors
    /// Those of `writer`.
    pub(super) fn write(&self, history: &History, writer: &mut dyn Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(writer);
        csv.write_record(&self.columns)?;
        for entry in fields(history) {
            let entry = entry?;
            let cells = self.columns.iter().map(|name| match entry.get(name) {
                None | Some(Value::Null) => String::new(),
                Some(value) => value.to_string(),
            });
            csv.write_record(cells)?;
        }
        csv.flush()
    }
}
