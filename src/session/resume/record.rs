//! What does not change during a run: its rows, its settings and its model, as two lines of JSON.
//!
//! The first line is a summary, so that a list of runs does not read their rows. It has the checksum of the second one.

use super::fingerprint::Fingerprint;
use super::store::RunStore;
use crate::data::Split;
use crate::hub::{Blob, Disk};
use crate::session::protocol::{DatasetSource, ModelLocator};
use crate::settings::Values;
use crate::{Error, Result, data::Dataset};
use serde::{Deserialize, Serialize};

/// The version of the format, see `docs/formats.md`.
pub(super) const FORMAT: u32 = 1;

/// Bytes of the longest summary that is read.
const LONGEST_SUMMARY: u64 = 1 << 16;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunSummary {
    pub format: u32,
    /// Version of webtune.
    pub webtune: String,
    /// CRC-32C of the second line.
    pub crc32c: u32,
    pub model: String,
    pub locator: ModelLocator,
    pub dataset: String,
    pub source: DatasetSource,
    pub num_rows: usize,
    pub max_steps: usize,
    /// What computes.
    pub device: String,
}

/// The second line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunRecord {
    pub rows: Dataset,
    pub edited: bool,
    pub train: Vec<usize>,
    pub test: Vec<usize>,
    pub values: Values,
    pub fingerprint: Fingerprint,
}

impl RunRecord {
    pub(super) fn split(&self) -> Split {
        Split {
            train: self.train.clone(),
            test: self.test.clone(),
        }
    }
}

/// The text of both lines.
///
/// # Errors
/// [`Error::Resume`] for what cannot be JSON.
pub(super) fn write(mut summary: RunSummary, record: &RunRecord) -> Result<Vec<u8>> {
    let broken =
        |error: serde_json::Error| Error::Resume(format!("it cannot be written ({error})"));
    let body = serde_json::to_vec(record).map_err(broken)?;
    summary.crc32c = crc32c::crc32c(&body);
    let mut text = serde_json::to_vec(&summary).map_err(broken)?;
    text.push(b'\n');
    text.extend(body);
    Ok(text)
}

/// The summary of a stored run, and the offset of its record.
///
/// # Errors
/// [`Error::Resume`] for another format or a damaged file.
pub(super) async fn read_summary<D: Disk>(
    store: &RunStore<D>,
    id: usize,
) -> Result<(RunSummary, u64, D::Blob)> {
    let blob = store.blob(&RunStore::<D>::run_file(id)).await;
    let blob = blob.ok_or_else(|| Error::Resume("it is not stored any more".into()))?;
    let head = blob.read(0..blob.size().min(LONGEST_SUMMARY));
    let head = head.map_err(|error| Error::Resume(format!("it cannot be read ({})", error.0)))?;
    let end = head.iter().position(|&byte| byte == b'\n');
    let end = end.ok_or_else(damaged)?;
    let summary = parse_summary(&head[..end])?;
    Ok((summary, end as u64 + 1, blob))
}

/// Reads the first line.
///
/// # Errors
/// As [`read_summary`].
pub(super) fn parse_summary(line: &[u8]) -> Result<RunSummary> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
        webtune: String,
    }
    let version: Version = serde_json::from_slice(line).map_err(|_| damaged())?;
    if version.format != FORMAT {
        return Err(Error::Resume(format!(
            "webtune {} has stored it in format {}, and this version reads format {FORMAT}",
            version.webtune, version.format
        )));
    }
    serde_json::from_slice(line).map_err(|_| damaged())
}

/// Reads the record of a stored run.
///
/// # Errors
/// As [`read_summary`].
pub(super) async fn read<D: Disk>(
    store: &RunStore<D>,
    id: usize,
) -> Result<(RunSummary, RunRecord)> {
    let (summary, start, blob) = read_summary(store, id).await?;
    let body = blob.read(start..blob.size()).map_err(|_| damaged())?;
    let record = parse_record(&summary, &body)?;
    Ok((summary, record))
}

/// Reads the second line.
///
/// # Errors
/// As [`read_summary`].
pub(super) fn parse_record(summary: &RunSummary, body: &[u8]) -> Result<RunRecord> {
    if crc32c::crc32c(body) != summary.crc32c {
        return Err(damaged());
    }
    let record: RunRecord = serde_json::from_slice(body).map_err(|_| damaged())?;
    let rows = record.rows.rows.len();
    let is_inside = |part: &[usize]| part.iter().all(|&row| row < rows);
    match is_inside(&record.train) && is_inside(&record.test) {
        true => Ok(record),
        false => Err(damaged()),
    }
}

fn damaged() -> Error {
    Error::Resume("its file is damaged".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Row;

    #[test]
    fn hostile_records_are_refused() {
        let summary = RunSummary {
            format: FORMAT,
            webtune: "0.1.0".into(),
            crc32c: 0,
            model: "tiny".into(),
            locator: ModelLocator::Disk,
            dataset: "a.csv".into(),
            source: DatasetSource::Import,
            num_rows: 1,
            max_steps: 3,
            device: "CPU".into(),
        };
        let record = RunRecord {
            rows: Dataset {
                rows: vec![Row {
                    text: "a".into(),
                    label: 0,
                }],
                labels: vec!["x".into()],
            },
            edited: false,
            train: vec![0],
            test: vec![0],
            values: Values::default(),
            fingerprint: Fingerprint {
                config: 1,
                weights: 2,
                tokens: 3,
            },
        };
        let whole = write(summary, &record).unwrap();
        let read = |bytes: &[u8]| {
            let end = bytes
                .iter()
                .position(|&byte| byte == b'\n')
                .ok_or_else(damaged)?;
            let mut summary = parse_summary(&bytes[..end])?;
            // A hostile file has the right checksum.
            summary.crc32c = crc32c::crc32c(&bytes[end + 1..]);
            parse_record(&summary, &bytes[end + 1..])
        };
        assert_eq!(read(&whole).unwrap(), record);
        crate::hostile::attack("run", &[whole], 64, |bytes| {
            if let Ok(record) = read(bytes) {
                assert!(record.train.iter().all(|&row| row < record.rows.rows.len()));
            }
        });
    }
}
