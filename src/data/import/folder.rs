//! Reads a folder of text files: each file is a text, and the name of the folder it lies in is its label.

use super::encoding::{byte_order_mark, utf16_without_mark};
use super::labels::{LabelIndex, same_labels};
use super::{
    Detected, EXCERPT_CHARS, ImportedTable, MAX_RECORD_BYTES, MAX_SKIPPED, PREVIEW_CELL_CHARS,
    PREVIEW_RECORDS, SkipReason, SkippedRow, TableFormat, TextEncoding, decoder_for,
};
use crate::data::Row;
use crate::{Error, Result};

/// Reads the files of a folder, one by one.
#[derive(Default)]
pub struct TextFolder {
    rows: Vec<Row>,
    labels: LabelIndex,
    preview: Vec<Vec<String>>,
    skipped: Vec<SkippedRow>,
    num_skipped: usize,
    /// The encoding of the first file that is not ASCII.
    encoding: Option<TextEncoding>,
    bytes: u64,
    num_malformed: usize,
}

impl TextFolder {
    /// Creates a reader of a folder.
    pub fn new() -> Self {
        TextFolder::default()
    }

    /// Reads a file. `path` is relative to the chosen folder, with `/` between its parts; `bytes` is all of the file.
    /// Hidden files (`.DS_Store`) are passed over.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a file that lies in no folder, is too long, or is no text.
    pub fn push(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let mut parts = path.rsplit('/');
        let file = parts.next().unwrap_or_default();
        if file.starts_with('.') || path.starts_with("__MACOSX/") {
            return Ok(());
        }
        let Some(class) = parts.next().filter(|class| !class.trim().is_empty()) else {
            return Err(Error::Dataset(format!(
                "{path} lies in no folder. The name of a text's folder is its label: put the texts of each class \
                 into a folder of its own and choose the folder around them."
            )));
        };
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(Error::Dataset(format!(
                "{path} is longer than {} MB, which is no text to classify as one.",
                MAX_RECORD_BYTES >> 20
            )));
        }
        self.bytes += bytes.len() as u64;
        let mut decoder = decoder_for(path, bytes, None)?;
        let mut text = String::new();
        decoder.decode(bytes, true, &mut text)?;
        self.num_malformed += decoder.num_malformed;
        let marked = byte_order_mark(bytes).is_some() || utf16_without_mark(bytes).is_some();
        if self.encoding.is_none() && (marked || !bytes.is_ascii()) {
            self.encoding = Some(decoder.encoding());
        }
        let text = text.trim_start_matches('\u{FEFF}');
        if text.trim().is_empty() {
            self.num_skipped += 1;
            if self.skipped.len() < MAX_SKIPPED {
                self.skipped.push(SkippedRow {
                    line: 1,
                    reason: SkipReason::EmptyText,
                    excerpt: path.chars().take(EXCERPT_CHARS).collect(),
                });
            }
            return Ok(());
        }
        if self.preview.len() < PREVIEW_RECORDS {
            let start = text.chars().take(PREVIEW_CELL_CHARS).collect();
            self.preview.push(vec![start, class.to_owned()]);
        }
        let label = self.labels.id(class);
        self.rows.push(Row {
            text: text.to_owned(),
            label,
        });
        Ok(())
    }

    /// Returns the table: the columns `text` and `label`.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a folder without texts, and for too many classes.
    pub fn finish(self) -> Result<ImportedTable> {
        let mut rows = self.rows;
        if rows.is_empty() {
            return Err(Error::Dataset(format!(
                "the folder has no text: {} files are empty. Choose a folder with one of .txt files for each class.",
                self.num_skipped
            )));
        }
        let (labels, ids) = self.labels.into_names("the folder")?;
        rows.iter_mut().for_each(|row| row.label = ids[row.label]);
        Ok(ImportedTable {
            detected: Detected {
                encoding: self.encoding.unwrap_or(TextEncoding::Utf8),
                format: TableFormat::Csv,
                delimiter: None,
                header: false,
                columns: vec!["text".into(), "label".into()],
                text: vec![0],
                label: Some(1),
            },
            preview: self.preview,
            rows,
            same_labels: same_labels(&labels),
            labels,
            skipped: self.skipped,
            num_skipped: self.num_skipped,
            bytes: self.bytes,
            num_malformed: self.num_malformed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_file_is_its_class() {
        let mut folder = TextFolder::new();
        let korean = encoding_rs::EUC_KR.encode("별로예요, 환불했습니다").0;
        folder
            .push("reviews/pos/1.txt", "\u{FEFF}good\nreally".as_bytes())
            .unwrap();
        folder.push("reviews/neg/1.txt", &korean).unwrap();
        folder.push("reviews/neg/2.txt", b" \n").unwrap();
        folder.push("reviews/.DS_Store", &[0; 99]).unwrap();
        let table = folder.finish().unwrap();
        assert_eq!(table.labels, ["neg", "pos"]);
        let rows: Vec<(&str, usize)> = table
            .rows
            .iter()
            .map(|row| (row.text.as_str(), row.label))
            .collect();
        assert_eq!(rows, [("good\nreally", 1), ("별로예요, 환불했습니다", 0)]);
        assert_eq!(
            (table.num_skipped, table.skipped[0].excerpt.as_str()),
            (1, "reviews/neg/2.txt")
        );
    }

    #[test]
    fn a_folder_without_classes_is_refused() {
        let mut folder = TextFolder::new();
        assert!(
            folder
                .push("1.txt", b"text")
                .unwrap_err()
                .to_string()
                .contains("no folder")
        );
        assert!(
            folder
                .push("a/1.txt", b"%PDF-1.4")
                .unwrap_err()
                .to_string()
                .contains("PDF")
        );
        folder.push("all/1.txt", b"text").unwrap();
        let refused = folder.finish().unwrap().check().unwrap_err().to_string();
        assert!(refused.contains("\"all\""), "{refused}");
        assert!(
            TextFolder::new()
                .finish()
                .unwrap_err()
                .to_string()
                .contains("no text")
        );
    }
}
