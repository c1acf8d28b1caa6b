//! Collects records: the first ones until the columns are known, then the rows.

use super::columns::{choose_columns, detect_header};
use super::format::too_many_columns;
use super::labels::{LabelIndex, same_labels};
use super::{
    Detected, EXCERPT_CHARS, HEAD_RECORD_BYTES, HEAD_RECORDS, ImportOptions, ImportedTable,
    MAX_COLUMNS, MAX_SKIPPED, PREVIEW_CELL_CHARS, PREVIEW_RECORDS, SkipReason, SkippedRow,
    TableFormat, TextEncoding,
};
use crate::data::Row;
use crate::{Error, Result};
use std::collections::HashMap;

/// A record with its cells by column, or one that is no row.
enum Item {
    Record(usize, Vec<String>),
    Fault(SkippedRow),
}

/// The columns, once they are known.
struct Columns {
    header: bool,
    names: Vec<String>,
    text: Vec<usize>,
    label: Option<usize>,
}

/// Collects the records of one file.
pub struct TableBuilder {
    name: String,
    options: ImportOptions,
    /// Records until the columns are known, and their size.
    head: Vec<Item>,
    head_bytes: usize,
    columns: Option<Columns>,
    /// The number of cells of the first record.
    width: Option<usize>,
    /// Names of JSON's columns in the order of their first appearance, and their positions.
    keys: Vec<String>,
    positions: HashMap<String, usize>,
    preview: Vec<Vec<String>>,
    rows: Vec<Row>,
    labels: LabelIndex,
    skipped: Vec<SkippedRow>,
    num_skipped: usize,
}

impl TableBuilder {
    /// Creates a builder. `name` is the file's name.
    pub fn new(name: &str, options: ImportOptions) -> Self {
        TableBuilder {
            name: name.into(),
            options,
            head: Vec::new(),
            head_bytes: 0,
            columns: None,
            width: None,
            keys: Vec::new(),
            positions: HashMap::new(),
            preview: Vec::new(),
            rows: Vec::new(),
            labels: LabelIndex::default(),
            skipped: Vec::new(),
            num_skipped: 0,
        }
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a record of delimited text. `raw` is the record as written.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a table that is too wide or has no columns that can be used.
    pub fn push_cells(&mut self, line: usize, cells: Vec<String>, raw: &str) -> Result<()> {
        let found = cells.len();
        let expected = *self.width.get_or_insert(found);
        if found > MAX_COLUMNS && found == expected {
            return Err(too_many_columns(&self.name, found));
        }
        if found != expected {
            return self.push_fault(line, SkipReason::Ragged { found, expected }, raw);
        }
        self.push(Item::Record(line, cells), raw.len())
    }

    /// Adds a JSON object. `size` is its length in bytes.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a table that is too wide or has no columns that can be used.
    pub fn push_object(
        &mut self,
        line: usize,
        entries: Vec<(String, String)>,
        size: usize,
    ) -> Result<()> {
        let mut cells = vec![String::new(); self.keys.len()];
        for (key, value) in entries {
            let position = match self.positions.get(&key) {
                Some(&position) => position,
                None => {
                    let position = self.keys.len();
                    if position == MAX_COLUMNS {
                        return Err(too_many_columns(&self.name, position + 1));
                    }
                    self.keys.push(key.clone());
                    self.positions.insert(key, position);
                    cells.push(String::new());
                    position
                }
            };
            cells[position] = value;
        }
        self.push(Item::Record(line, cells), size)
    }

    /// Adds a record that is no row. `raw` is the record as written.
    ///
    /// # Errors
    /// [`Error::Dataset`] if the records so far have no columns that can be used.
    pub fn push_fault(&mut self, line: usize, reason: SkipReason, raw: &str) -> Result<()> {
        let fault = SkippedRow {
            line,
            reason,
            excerpt: excerpt(raw),
        };
        self.push(Item::Fault(fault), EXCERPT_CHARS)
    }

    fn push(&mut self, item: Item, size: usize) -> Result<()> {
        if self.columns.is_some() {
            self.take(item);
            return Ok(());
        }
        self.head.push(item);
        self.head_bytes += size;
        if self.head.len() == HEAD_RECORDS || self.head_bytes >= HEAD_RECORD_BYTES {
            self.detect_columns()?;
        }
        Ok(())
    }

    /// Detects the header and the columns from the records so far, and takes these.
    fn detect_columns(&mut self) -> Result<()> {
        let records: Vec<&[String]> = self
            .head
            .iter()
            .filter_map(|item| match item {
                Item::Record(_, cells) => Some(cells.as_slice()),
                Item::Fault(_) => None,
            })
            .collect();
        let json = self.width.is_none();
        let header = !json
            && self
                .options
                .header
                .unwrap_or_else(|| detect_header(&records));
        let names = match (json, header, records.first()) {
            (true, ..) => self.keys.clone(),
            (_, true, Some(first)) => first.to_vec(),
            _ => (1..=self.width.unwrap_or(0))
                .map(|column| format!("column {column}"))
                .collect(),
        };
        if let [name] = &names[..] {
            return Err(Error::Dataset(format!(
                "{} has one column only (\"{}\"). A table needs at least two, one with the text and one with the \
                 label, between commas, semicolons or tabs. If it has more, choose its delimiter.",
                self.name,
                excerpt(name)
            )));
        }
        let rows = &records[usize::from(header && !records.is_empty())..];
        let (text, label) = match names.is_empty() {
            true => (Vec::new(), None),
            false => choose_columns(&self.name, &names, rows, &self.options)?,
        };
        self.columns = Some(Columns {
            header: header || json,
            names,
            text,
            label,
        });
        let mut names_taken = !header;
        for item in std::mem::take(&mut self.head) {
            match item {
                Item::Record(..) if !names_taken => names_taken = true,
                item => self.take(item),
            }
        }
        Ok(())
    }

    /// Takes a record as a row, or lists it as skipped.
    fn take(&mut self, item: Item) {
        let (line, mut cells) = match item {
            Item::Record(line, cells) => (line, cells),
            Item::Fault(fault) => return self.skip(fault),
        };
        let Some(columns) = &self.columns else { return };
        if cells.len() < columns.names.len() {
            cells.resize(columns.names.len(), String::new());
        }
        if self.preview.len() < PREVIEW_RECORDS {
            let cut = |cell: &String| cell.chars().take(PREVIEW_CELL_CHARS).collect();
            self.preview.push(cells.iter().map(cut).collect());
        }
        let Some(label) = columns.label else { return };
        let is_blank = |column: &usize| cells[*column].trim().is_empty();
        let reason = if columns.text.iter().all(is_blank) {
            SkipReason::EmptyText
        } else if is_blank(&label) {
            SkipReason::EmptyLabel
        } else {
            let label = self.labels.id(&cells[label]);
            let text = match columns.text[..] {
                [column] => std::mem::take(&mut cells[column]),
                _ => {
                    let filled = columns.text.iter().filter(|column| !is_blank(column));
                    filled
                        .map(|&column| cells[column].as_str())
                        .collect::<Vec<_>>()
                        .join(" ")
                }
            };
            if self.labels.too_many() {
                // The table will be refused; its labels are still counted.
                self.rows = Vec::new();
            } else {
                self.rows.push(Row { text, label });
            }
            return;
        };
        self.skip(SkippedRow {
            line,
            reason,
            excerpt: excerpt(&cells.join(", ")),
        });
    }

    fn skip(&mut self, row: SkippedRow) {
        self.num_skipped += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(row);
        }
    }

    /// Returns the table.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a file without usable rows, and for too many labels.
    pub fn finish(
        mut self,
        encoding: TextEncoding,
        format: TableFormat,
        delimiter: Option<char>,
    ) -> Result<ImportedTable> {
        if self.columns.is_none() {
            self.detect_columns()?;
        }
        let Some(columns) = self.columns.take() else {
            return Err(Error::Dataset(format!("{} has no rows.", self.name)));
        };
        if self.preview.is_empty()
            || (self.rows.is_empty() && columns.label.is_some() && !self.labels.too_many())
        {
            return Err(self.no_rows(&columns));
        }
        let mut rows = self.rows;
        let mut labels = Vec::new();
        if let Some(label) = columns.label {
            let place = format!(
                "column {} (\"{}\") of {}",
                label + 1,
                columns.names[label],
                self.name
            );
            let (names, ids) = self.labels.into_names(&place)?;
            rows.iter_mut().for_each(|row| row.label = ids[row.label]);
            labels = names;
        }
        Ok(ImportedTable {
            detected: Detected {
                encoding,
                format,
                delimiter,
                header: columns.header,
                columns: columns.names,
                text: columns.text,
                label: columns.label,
            },
            preview: self.preview,
            rows,
            same_labels: same_labels(&labels),
            labels,
            skipped: self.skipped,
            num_skipped: self.num_skipped,
            bytes: 0,
            num_malformed: 0,
        })
    }

    fn no_rows(&self, columns: &Columns) -> Error {
        let name = &self.name;
        let problem = match self.skipped.first() {
            Some(first) => format!(
                "no row of {name} can be used. {} were skipped, the first on line {} because {}. A row has a text and \
                 a label: check the delimiter, the header and the columns.",
                self.num_skipped,
                first.line,
                in_words(first.reason)
            ),
            None if columns.header && !columns.names.is_empty() => format!(
                "{name} has the names of its columns ({}) and no row below them. Add rows with a text and a label.",
                excerpt(&columns.names.join(", "))
            ),
            None => format!("{name} is empty: it has no rows."),
        };
        Error::Dataset(problem)
    }
}

fn in_words(reason: SkipReason) -> String {
    match reason {
        SkipReason::EmptyText => "its text is empty".into(),
        SkipReason::EmptyLabel => "its label is empty".into(),
        SkipReason::Ragged { found, expected } => {
            format!("it has {found} cells and the first line has {expected} columns")
        }
        SkipReason::UnclosedQuote => "a quote is opened and never closed".into(),
        SkipReason::NotJson => "it is not a JSON object".into(),
    }
}

/// Returns the beginning of a text that is longer than an excerpt.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT_CHARS) {
        Some(_) => text.chars().take(EXCERPT_CHARS - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}
