//! The log of the run for TensorBoard (transformers' `logging_dir`), and as tables.
//!
//! The scalars of an event file have the names that transformers' `TensorBoardCallback` writes: `train/loss`,
//! `eval/accuracy`. Its wall times are the seconds since the start of the run, not dates: an exported folder has no
//! time stamps, so that the same run gives the same bytes. The log of a run has no times of its own; the seconds of the
//! whole run are spread evenly over its updates.

mod events;
mod table;

use super::entry::Entry;
use crate::Result;
use crate::train::History;
use events::EventFile;
use serde_json::{Map, Value};
use std::io::{self, Write};
use table::Table;

/// TensorBoard finds it by `tfevents`. The usual number is the time of the start.
const EVENTS: &str = "logs/events.out.tfevents.0.webtune";

/// The files of this part.
///
/// # Errors
/// [`Error::Export`](crate::Error::Export) for a log that cannot be written.
pub(super) fn files(history: &History) -> Result<Vec<Entry<'_>>> {
    let write = |writer: &mut dyn Write| EventFile::new(writer)?.write(history);
    let events = Entry::stream(EVENTS, Box::new(write))?;
    let write = |writer: &mut dyn Write| {
        let mut separator = "[\n";
        for entry in history.log_history() {
            writer.write_all(separator.as_bytes())?;
            serde_json::to_writer(&mut *writer, &entry)?;
            separator = ",\n";
        }
        writer.write_all(if separator == "[\n" {
            b"[]\n"
        } else {
            b"\n]\n"
        })
    };
    let json = Entry::stream("log_history.json", Box::new(write))?;
    let table = Table::of(history)?;
    let write = move |writer: &mut dyn Write| table.write(history, writer);
    let csv = Entry::stream("log_history.csv", Box::new(write))?;
    Ok(vec![events, json, csv])
}

/// The names and values of each entry, one entry at a time: a run may have a million.
fn fields(history: &History) -> impl Iterator<Item = io::Result<Map<String, Value>>> {
    history
        .log_history()
        .map(|entry| match serde_json::to_value(entry)? {
            Value::Object(fields) => Ok(fields),
            other => Err(io::Error::other(format!("{other} is no entry of a log"))),
        })
}
