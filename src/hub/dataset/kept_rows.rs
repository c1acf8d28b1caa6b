//! The rows that have arrived: in memory, and in a file of the store that grows with each page.
//!
//! The first line of the file is its head; each further line is a row. A line that the end of the tab has cut off is
//! dropped. A disk that fails is no reason to refuse the dataset: then its rows are only in memory.

use super::RowsRequest;
use super::answers::RowsAnswer;
use crate::hub::ContentHash;
use crate::hub::environment::{Blob, Disk, Folder, OpenFile};
use serde::{Deserialize, Serialize};

/// The version of the file's format.
const FORMAT: u32 = 1;

/// The first line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    webtune_rows: u32,
    /// Address, dataset, configuration and split.
    key: [String; 4],
    num_rows_total: usize,
}

/// The longest first line.
const MOST_HEAD: u64 = 4096;

/// The configuration and the split of kept rows of the dataset that `request` names; none where there are none.
pub(super) async fn kept_split<D: Disk>(
    disk: Option<&D>,
    endpoint: &str,
    request: &RowsRequest,
) -> Option<(String, String)> {
    let disk = disk?;
    let mut names = disk.names(Folder::Datasets).await.ok()?;
    names.sort();
    let dataset = super::dataset_name(&request.dataset).ok()?;
    let is_wanted = |wanted: &Option<String>, found: &String| {
        wanted.as_ref().is_none_or(|wanted| wanted == found)
    };
    for name in names {
        let Ok(blob) = disk.blob(Folder::Datasets, &name).await else {
            continue;
        };
        let head = blob.read(0..blob.size().min(MOST_HEAD)).unwrap_or_default();
        let head: Option<Head> = head
            .split(|&byte| byte == b'\n')
            .next()
            .and_then(|line| serde_json::from_slice(line).ok());
        let Some([of, name, config, split]) = head.map(|head| head.key) else {
            continue;
        };
        let is_same = of == endpoint && name == dataset;
        if is_same && is_wanted(&request.config, &config) && is_wanted(&request.split, &split) {
            return Some((config, split));
        }
    }
    None
}

/// The rows of one split of a dataset.
pub(super) struct KeptRows<D: Disk> {
    key: [String; 4],
    head: Option<Head>,
    /// None where nothing is stored.
    file: Option<D::File>,
    /// Bytes of the file that are complete lines.
    stored: u64,
    /// The rows, one a line.
    lines: Vec<u8>,
    num_rows: usize,
    truncated_cells: usize,
}

impl<D: Disk> KeptRows<D> {
    /// Reads what is stored of a split.
    pub(super) async fn open(disk: Option<&D>, key: [&str; 4]) -> Self {
        let key = key.map(str::to_string);
        let mut kept = Self {
            head: None,
            file: None,
            stored: 0,
            lines: Vec::new(),
            num_rows: 0,
            truncated_cells: 0,
            key,
        };
        if let Some(disk) = disk {
            let name = kept.file_name();
            if let Ok(blob) = disk.blob(Folder::Datasets, &name).await
                && let Ok(bytes) = blob.read(0..blob.size())
            {
                kept.take(&bytes);
            }
            kept.file = disk.open(Folder::Datasets, &name).await.ok();
        }
        kept
    }

    fn file_name(&self) -> String {
        let mut hash = ContentHash::default();
        for part in &self.key {
            hash.update(part.as_bytes());
            hash.update(&[0]);
        }
        format!("{}.jsonl", &hash.hex()[..32])
    }

    /// Takes the complete lines of a file that has the head of this split.
    fn take(&mut self, bytes: &[u8]) {
        let complete = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        let bytes = &bytes[..complete];
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            return;
        };
        let head: Option<Head> = serde_json::from_slice(&bytes[..end]).ok();
        let is_ours = |head: &Head| head.webtune_rows == FORMAT && head.key == self.key;
        self.head = head.filter(is_ours);
        if self.head.is_some() {
            self.lines = bytes[end + 1..].to_vec();
            self.num_rows = self.lines.iter().filter(|&&byte| byte == b'\n').count();
            self.stored = complete as u64;
        }
    }

    /// Rows that are there.
    pub(super) fn num_rows(&self) -> usize {
        self.num_rows
    }

    /// Rows of the whole split; none before the first page.
    pub(super) fn num_rows_total(&self) -> Option<usize> {
        self.head.as_ref().map(|head| head.num_rows_total)
    }

    /// Cells that the Hub has cut off, of the rows that arrived since the file was opened.
    pub(super) fn truncated_cells(&self) -> usize {
        self.truncated_cells
    }

    /// Adds a page.
    pub(super) fn append(&mut self, page: &RowsAnswer) {
        let text: String = page.rows.iter().map(|row| page.line(row)).collect();
        let cut_off = page.rows.iter().map(|row| row.truncated_cells.len());
        self.truncated_cells += cut_off.sum::<usize>();
        self.num_rows += page.rows.len();
        self.lines.extend_from_slice(text.as_bytes());
        let mut written = Vec::new();
        if self.head.is_none() {
            let head = Head {
                webtune_rows: FORMAT,
                key: self.key.clone(),
                num_rows_total: page.num_rows_total,
            };
            if serde_json::to_writer(&mut written, &head).is_ok() {
                written.push(b'\n');
            }
            self.head = Some(head);
        }
        written.extend(text.into_bytes());
        self.write(&written);
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some(file) = &self.file else { return };
        let cut = file.truncate(self.stored);
        if cut.and_then(|()| file.write(bytes, self.stored)).is_err() {
            // Whole lines only, for the next visit.
            let _ = file.truncate(self.stored);
            self.file = None;
            return;
        }
        self.stored += bytes.len() as u64;
    }

    /// The first `most` rows.
    pub(super) fn into_lines(mut self, most: usize) -> Vec<u8> {
        let mut ends = self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n');
        if let Some((end, _)) = ends.nth(most.saturating_sub(1)) {
            self.lines.truncate(if most == 0 { 0 } else { end + 1 });
        }
        self.lines
    }
}
