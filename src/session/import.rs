//! Tables that a visitor brings: read, shown, and used when the visitor agrees.
//!
//! A table that has been read is pending: the dataset stays as it is until [`Request::UseImport`](super::Request).

use super::dataset::HeldDataset;
use super::protocol::{
    DatasetSource, DatasetView, HubImportView, ImportView, LabelCount, SessionEvent, WorkEvent,
};
use super::{Listener, Session, VisitorFile, check_stop};
use crate::data::count_labels;
use crate::data::import::{ImportOptions, ImportedTable, TableFormat, TableImporter, TextFolder};
use crate::hub::{Blob, Clock, Environment, RowsRequest, Services, fetch_rows};
use crate::train::MemoryProbe;
use crate::{Error, Result};
use std::rc::Rc;

/// Bytes that are read at a time. Between two pieces the worker answers a stop.
const PIECE: u64 = 1 << 18;

/// A table that has been read and is not used yet.
pub(super) struct PendingImport {
    source: DatasetSource,
    name: String,
    pub table: ImportedTable,
}

impl PendingImport {
    fn view(&self, hub: Option<HubImportView>) -> ImportView {
        let table = &self.table;
        let counts = count_labels(table.rows.iter(), table.labels.len());
        let labels = table.labels.iter().zip(counts);
        ImportView {
            name: self.name.clone(),
            detected: table.detected.clone(),
            preview: table.preview.clone(),
            num_rows: table.rows.len(),
            labels: labels
                .map(|(name, count)| LabelCount {
                    name: name.clone(),
                    count,
                })
                .collect(),
            skipped: table.skipped.clone(),
            num_skipped: table.num_skipped,
            same_labels: table.same_labels.clone(),
            bytes: table.bytes,
            num_malformed: table.num_malformed,
            problem: table.check().err().map(|error| error.to_string()),
            hub,
        }
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// Reads a table of the visitor's disk, or a folder of `.txt` files with a folder for each class.
    ///
    /// # Errors
    /// [`Error::Dataset`] when it is no table, [`Error::Download`] when a file cannot be read, [`Error::Stopped`].
    pub async fn import_files(
        &mut self,
        name: &str,
        files: Vec<VisitorFile<E>>,
        options: ImportOptions,
        fetch: E::Fetch,
        listener: &Rc<dyn Listener>,
    ) -> Result<ImportView> {
        let total = files.iter().map(|(_, blob)| blob.size()).sum();
        let progress: Progress<'_, E> = Progress {
            fetch: &fetch,
            clock: &self.clock,
            listener: listener.as_ref(),
            total,
        };
        let is_text = |path: &str| path.to_lowercase().ends_with(".txt");
        let table = match files.as_slice() {
            [] => return Err(Error::Dataset("there is no file to read.".into())),
            [(path, blob)] if !(is_text(path) && path.contains('/')) => {
                let mut importer = TableImporter::new(path, options);
                progress
                    .read(path, blob, 0, |piece| importer.push(piece))
                    .await?;
                importer.finish()?
            }
            files => {
                let mut folder = TextFolder::new();
                let mut done = 0;
                for (path, blob) in files.iter().filter(|(path, _)| is_text(path)) {
                    let mut text = Vec::new();
                    let take = |piece: &[u8]| {
                        text.extend_from_slice(piece);
                        Ok(())
                    };
                    progress.read(path, blob, done, take).await?;
                    done += blob.size();
                    folder.push(path, &text)?;
                }
                folder.finish()?
            }
        };
        Ok(self.set_pending(
            PendingImport {
                source: DatasetSource::Import,
                name: name.into(),
                table,
            },
            None,
        ))
    }

    /// Reads rows of a dataset of the Hub.
    ///
    /// # Errors
    /// As [`fetch_rows`], and [`Error::Dataset`] when its columns are no table of texts and labels.
    pub(super) async fn import_hub(
        &mut self,
        endpoint: &str,
        request: RowsRequest,
        options: ImportOptions,
        fetch: E::Fetch,
        listener: &Rc<dyn Listener>,
    ) -> Result<ImportView> {
        let services: Services<E> = Services {
            fetch,
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            on_event: Rc::new(|_| {}),
        };
        let progress = |done, total| {
            let event = WorkEvent::ImportingRows { done, total };
            listener.event(SessionEvent::Work(event));
        };
        let found = fetch_rows(endpoint, &request, &services, &progress).await?;
        let format = Some(TableFormat::Jsonl);
        let options = ImportOptions { format, ..options };
        let mut importer = TableImporter::new(&request.dataset, options);
        for piece in found.lines.chunks(PIECE as usize) {
            importer.push(piece)?;
            services.clock.next_task().await;
        }
        let table = importer.finish()?;
        let hub = HubImportView {
            configs: found.configs,
            config: found.config,
            split: found.split,
            num_rows_total: found.num_rows_total,
            truncated_cells: found.truncated_cells,
        };
        let pending = PendingImport {
            source: DatasetSource::Hub,
            name: request.dataset,
            table,
        };
        Ok(self.set_pending(pending, Some(hub)))
    }

    fn set_pending(&mut self, pending: PendingImport, hub: Option<HubImportView>) -> ImportView {
        let view = pending.view(hub);
        self.pending = Some(pending);
        view
    }

    /// Makes the table that was read last the dataset.
    ///
    /// # Errors
    /// [`Error::NotReady`] when no table was read, [`Error::Dataset`] when it has rows that cannot be used and the
    /// visitor has not agreed to leave them out, or one class only. The table is then still there.
    pub(super) fn use_import(
        &mut self,
        skip_bad_rows: bool,
        merge_labels: bool,
    ) -> Result<DatasetView> {
        let missing =
            || Error::NotReady("No table has been read. Drop, choose or paste one first.".into());
        let table = &self.pending.as_ref().ok_or_else(missing)?.table;
        table.check()?;
        if table.num_skipped > 0 && !skip_bad_rows {
            return Err(Error::Dataset(format!(
                "{} of its rows cannot be used. Agree to leave them out, or correct the table and read it again.",
                table.num_skipped
            )));
        }
        let merged: usize = table.same_labels.iter().map(|group| group.len() - 1).sum();
        if merge_labels && table.labels.len() - merged < 2 {
            return Err(Error::Dataset(
                "as one, its labels are a single class. A classifier needs rows of at least two classes."
                    .into(),
            ));
        }
        let pending = self.pending.take().ok_or_else(missing)?;
        let dataset = pending.table.into_dataset(merge_labels);
        Ok(self.replace_dataset(HeldDataset::new(dataset, pending.source, pending.name)))
    }
}

/// Reads files in pieces, reports how far it is, and hears a stop.
struct Progress<'a, E: Environment> {
    fetch: &'a E::Fetch,
    clock: &'a E::Clock,
    listener: &'a dyn Listener,
    total: u64,
}

impl<E: Environment> Progress<'_, E> {
    async fn read<B: Blob>(
        &self,
        path: &str,
        blob: &B,
        before: u64,
        mut take: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut at = 0;
        while at < blob.size() {
            let end = blob.size().min(at + PIECE);
            let piece = blob.read(at..end).map_err(|error| Error::Download {
                file: path.into(),
                problem: format!("the browser cannot read it ({}). Choose it again.", error.0),
            })?;
            take(&piece)?;
            at = end;
            let (done, total) = (before + at, self.total);
            let event = WorkEvent::Importing { done, total };
            self.listener.event(SessionEvent::Work(event));
            let stopped = "Reading the table was stopped. The dataset is as it was.";
            check_stop(self.clock, self.fetch, stopped).await?;
        }
        Ok(())
    }
}
