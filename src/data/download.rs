//! The dataset as a file: CSV for spreadsheets, and JSON Lines.

use super::Dataset;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// Bytes that are collected before they are handed over.
const PIECE: usize = 64 * 1024;

/// The byte order mark, by which spreadsheets recognize UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// The format of a downloaded dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum DownloadFormat {
    /// Comma-separated values in UTF-8 with a byte order mark, columns `text` and `label`.
    Csv,
    /// One JSON object a line, `{"text": …, "label": …}`.
    Jsonl,
}

/// Writes the rows and the names of their labels, in pieces of about 64 KiB.
///
/// A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula, so such a
/// cell of a CSV file gets a leading `'`. JSON Lines has the texts unchanged.
///
/// # Errors
/// [`Error::Dataset`] for a row whose label has no name, and the errors of `piece`.
pub fn write_dataset(
    dataset: &Dataset,
    format: DownloadFormat,
    piece: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let mut pieces = Pieces {
        buffer: Vec::with_capacity(PIECE + 4096),
        piece,
        error: None,
    };
    let written = match format {
        DownloadFormat::Csv => write_csv(dataset, &mut pieces),
        DownloadFormat::Jsonl => write_json_lines(dataset, &mut pieces),
    };
    let written = written.and_then(|()| pieces.hand_over());
    match (pieces.error, written) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(Error::Dataset(error.to_string())),
        (None, Ok(())) => Ok(()),
    }
}

fn write_csv(dataset: &Dataset, pieces: &mut Pieces) -> io::Result<()> {
    pieces.write_all(BOM)?;
    // Spreadsheets and RFC 4180 end a line with both characters.
    let mut table = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(pieces);
    table.write_record(["text", "label"])?;
    for row in &dataset.rows {
        let cells = [row.text.as_str(), label_of(dataset, row.label)?];
        table.write_record(cells.map(defused))?;
    }
    table.flush()
}

/// Characters that a cell must not begin with, because a spreadsheet takes it for a formula
/// ([OWASP](https://owasp.org/www-community/attacks/CSV_Injection)): some programs read the full-width ones alike.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The cell, which no spreadsheet takes for a formula.
fn defused(cell: &str) -> String {
    let quote = if cell.starts_with(FORMULA) { "'" } else { "" };
    format!("{quote}{cell}")
}

fn write_json_lines(dataset: &Dataset, pieces: &mut Pieces) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        text: &'a str,
        label: &'a str,
    }
    for row in &dataset.rows {
        let line = Line {
            text: &row.text,
            label: label_of(dataset, row.label)?,
        };
        serde_json::to_writer(&mut *pieces, &line)?;
        pieces.write_all(b"\n")?;
    }
    Ok(())
}

fn label_of(dataset: &Dataset, label: usize) -> io::Result<&str> {
    let name = dataset.labels.get(label).map(String::as_str);
    name.ok_or_else(|| {
        io::Error::other(format!(
            "a row has label {label}, but there are names for {} labels only.",
            dataset.labels.len()
        ))
    })
}

/// Collects what is written and hands it over in pieces. Keeps the error of the receiver, which [`io::Error`] would
/// turn into a text.
struct Pieces<'a> {
    buffer: Vec<u8>,
    piece: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    error: Option<Error>,
}

impl Pieces<'_> {
    fn hand_over(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let result = (self.piece)(&self.buffer);
        self.buffer.clear();
        result.map_err(|error| {
            self.error = Some(error);
            io::Error::other("the receiver refused a piece")
        })
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.hand_over()?;
        }
        Ok(bytes.len())
    }

    /// The last piece is handed over at the end only: the writers flush more often.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;

    fn dataset(texts: &[&str]) -> Dataset {
        let rows = texts.iter().enumerate().map(|(at, text)| Row {
            text: (*text).into(),
            label: at % 2,
        });
        Dataset {
            rows: rows.collect(),
            labels: vec!["good".into(), "-1".into()],
        }
    }

    fn written(dataset: &Dataset, format: DownloadFormat) -> String {
        let mut bytes = Vec::new();
        let mut piece = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        write_dataset(dataset, format, &mut piece).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn writes_csv_with_quotes_and_a_byte_order_mark() {
        let dataset = dataset(&["a, \"b\"\nc", "좋아요", "plain"]);
        assert_eq!(
            written(&dataset, DownloadFormat::Csv),
            "\u{feff}text,label\r\n\"a, \"\"b\"\"\nc\",good\r\n좋아요,'-1\r\nplain,good\r\n"
        );
    }

    #[test]
    fn defuses_formulas_in_csv_only() {
        let texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "a=b"];
        let csv = written(&dataset(&texts), DownloadFormat::Csv);
        let cells: Vec<String> =
            csv::Reader::from_reader(csv.trim_start_matches('\u{feff}').as_bytes())
                .records()
                .map(|record| record.unwrap()[0].to_string())
                .collect();
        assert_eq!(
            cells,
            ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'＝1", "a=b"]
        );
        let lines = written(&dataset(&texts), DownloadFormat::Jsonl);
        assert!(lines.starts_with("{\"text\":\"=1+1\",\"label\":\"good\"}\n"));
        assert_eq!(lines.lines().count(), texts.len());
    }

    #[test]
    fn hands_over_pieces_and_the_error_of_the_receiver() {
        let text = "x".repeat(1000);
        let dataset = dataset(&vec![text.as_str(); 1000]);
        for format in [DownloadFormat::Csv, DownloadFormat::Jsonl] {
            let mut sizes = Vec::new();
            let mut piece = |piece: &[u8]| {
                sizes.push(piece.len());
                Ok(())
            };
            write_dataset(&dataset, format, &mut piece).unwrap();
            assert!(sizes.len() > 10 && sizes.iter().all(|&size| size < 2 * PIECE));
            let stop = |_: &[u8]| Err(Error::Stopped("Stopped.".into()));
            let error = write_dataset(&dataset, format, &mut { stop }).unwrap_err();
            assert_eq!(error, Error::Stopped("Stopped.".into()));
        }
    }

    #[test]
    fn refuses_a_row_without_a_label_name() {
        let mut dataset = dataset(&["a"]);
        dataset.rows[0].label = 7;
        for format in [DownloadFormat::Csv, DownloadFormat::Jsonl] {
            let error = write_dataset(&dataset, format, &mut |_| Ok(())).unwrap_err();
            assert!(error.to_string().contains("label 7"), "{error}");
        }
    }
}
