//! Saved checkpoints of a run: `results/checkpoint-N` of the exported folder, as transformers' Trainer writes them into
//! its `output_dir`.
//!
//! A checkpoint is two files on the disk of the environment: the merged weights as `model.safetensors`, and the
//! `trainer_state.json` of its step, which is written first. The other files of its folder are those of the exported
//! model. It belongs to its run: it is removed with it, and stays where the run fails or is stopped.

mod store;

pub(super) use store::CheckpointStore;

use super::Session;
use super::protocol::{NotSavedReason, RunEvent};
use super::run::{Run, no_run};
use crate::export::WeightsFile;
use crate::hub::{Blob, Disk, Environment, Folder};
use crate::train::{CheckpointRotation, History, MemoryProbe, checkpoint_folder};
use crate::{Error, Result};
use serde::Serialize;
use std::io::{BufWriter, Write};
use store::StoredFile;

/// Bytes that are read from the disk at once.
const PIECE: u64 = 1 << 20;

/// The checkpoints of one run.
pub(super) struct RunCheckpoints {
    rotation: CheckpointRotation,
    /// The oldest first, as those of the rotation.
    saved: Vec<SavedCheckpoint>,
}

/// A checkpoint on the disk.
struct SavedCheckpoint {
    step: usize,
    weights: StoredFile,
    trainer_state: StoredFile,
}

impl RunCheckpoints {
    /// None yet.
    pub(super) fn new(save_total_limit: usize) -> Self {
        Self {
            rotation: CheckpointRotation::new(save_total_limit),
            saved: Vec::new(),
        }
    }

    /// Drops what the end of a run drops: with `save_total_limit` 1, all but the best one.
    pub(super) fn finish(&mut self, history: &mut History) {
        self.rotate_to(self.rotation.finished(), history);
    }

    fn rotate_to(&mut self, rotation: CheckpointRotation, history: &mut History) {
        self.saved
            .retain(|saved| rotation.steps().contains(&saved.step));
        history.set_best_checkpoint(rotation.best());
        self.rotation = rotation;
    }
}

/// A file of a checkpoint's folder, for the exported archive.
pub(super) struct CheckpointFile<D> {
    /// Its path in the exported folder.
    pub name: String,
    /// Its exact length.
    pub bytes: u64,
    content: Content<D>,
}

enum Content<D> {
    Text(String),
    /// A file of the disk.
    Stored(D, String),
}

impl<D: Disk> CheckpointFile<D> {
    /// Writes it front to back, in pieces of at most 1 MiB.
    ///
    /// # Errors
    /// [`Error::Export`] where the browser has removed the file from its storage, and the errors of `sink`.
    pub(super) async fn write(&self, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let (disk, stored) = match &self.content {
            Content::Text(text) => return sink(text.as_bytes()),
            Content::Stored(disk, stored) => (disk, stored),
        };
        let missing = |_| {
            let name = &self.name;
            Error::Export(format!(
                "{name} is not in the browser's storage any more. Export without the saved checkpoints."
            ))
        };
        let blob = disk.blob(Folder::Checkpoints, stored).await;
        let blob = blob.map_err(missing)?;
        for start in (0..self.bytes).step_by(PIECE as usize) {
            let piece = blob.read(start..self.bytes.min(start + PIECE));
            sink(&piece.map_err(missing)?)?;
        }
        Ok(())
    }
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// The files of `results/`: the saved checkpoints of the current run. Each folder repeats the texts `shared`, by
    /// name, of the exported model.
    pub(super) fn checkpoint_files(
        &self,
        shared: &[(&'static str, String)],
    ) -> Vec<CheckpointFile<E::Disk>> {
        let (Some(store), Some(run)) = (&self.checkpoints, &self.run) else {
            return Vec::new();
        };
        let mut files = Vec::new();
        for checkpoint in &run.checkpoints.saved {
            let folder = checkpoint_folder(checkpoint.step);
            files.extend(shared.iter().map(|(name, text)| CheckpointFile {
                name: format!("{folder}/{name}"),
                bytes: text.len() as u64,
                content: Content::Text(text.clone()),
            }));
            let stored = [
                ("trainer_state.json", &checkpoint.trainer_state),
                ("model.safetensors", &checkpoint.weights),
            ];
            files.extend(stored.map(|(name, file)| CheckpointFile {
                name: format!("{folder}/{name}"),
                bytes: file.bytes,
                content: Content::Stored(store.disk().clone(), file.name.clone()),
            }));
        }
        files
    }

    /// Removes the files of checkpoints that no run has any more, and of tabs that were closed.
    pub(super) async fn remove_unused_checkpoints(&mut self) {
        if let Some(store) = &mut self.checkpoints {
            store.remove_unused().await;
        }
    }

    /// Saves the weights of the run that is in progress. A disk that fails does not end the run.
    ///
    /// # Errors
    /// [`Error::Device`] if the weights cannot be read back: the run is over, as after a step that fails.
    pub(super) async fn save_checkpoint(&mut self) -> Result<RunEvent> {
        let run = self.run.as_mut().ok_or_else(no_run)?;
        run.trainer.saved();
        // The buffers of the last step would stay allocated beside those of the read-back, which are of other sizes.
        self.compute.device.memory_cleanup();
        let saved = run.save(&mut self.checkpoints).await;
        self.compute.device.memory_cleanup();
        let checked = self.compute.errors.check().await;
        let event = match checked.and(saved) {
            Ok(Ok(saved)) => run.keep(saved),
            Ok(Err(reason)) => {
                if reason == NotSavedReason::NoStorage {
                    run.trainer.stop_saving();
                }
                let step = run.trainer.state().global_step;
                Ok(RunEvent::NotSaved { step, reason })
            }
            Err(error) => {
                self.end_run();
                Err(error)
            }
        };
        self.remove_unused_checkpoints().await;
        event
    }
}

impl Run {
    /// The rotation with a checkpoint of the current weights.
    fn next_rotation(&self) -> CheckpointRotation {
        let step = self.trainer.state().global_step;
        let best = self.trainer.best().map(|best| best.step);
        self.checkpoints.rotation.saved(step, best)
    }

    /// Writes the current weights and the log up to them.
    async fn save<D: Disk>(
        &mut self,
        store: &mut Option<CheckpointStore<D>>,
    ) -> Result<Result<SavedCheckpoint, NotSavedReason>> {
        let Some(store) = store else {
            return Ok(Err(NotSavedReason::NoStorage));
        };
        let step = self.trainer.state().global_step;
        let weights = WeightsFile::new(self.trainer.model()?.merged_parameters())?;
        if !store.has_room(weights.len()).await {
            return Ok(Err(NotSavedReason::StorageFull));
        }
        self.history.update(&self.trainer)?;
        let best_before = self.checkpoints.rotation.best();
        self.history
            .set_best_checkpoint(self.next_rotation().best());
        let state = write_json(store, step, &self.history.trainer_state()).await;
        self.history.set_best_checkpoint(best_before);
        let trainer_state = match state {
            Ok(file) => file,
            Err(reason) => return Ok(Err(reason)),
        };
        let begun = store.begin(&format!("checkpoint-{step}.safetensors")).await;
        let Some((mut draft, name)) = begun else {
            return Ok(Err(NotSavedReason::NoStorage));
        };
        let written = weights.write(&mut |piece| draft.append(piece)).await;
        let weights = match draft.settled(written).await? {
            Some(draft) => store.finish(draft, name).await,
            None => None,
        };
        let Some(weights) = weights else {
            return Ok(Err(NotSavedReason::StorageFull));
        };
        Ok(Ok(SavedCheckpoint {
            step,
            weights,
            trainer_state,
        }))
    }

    /// Keeps a checkpoint, and drops those that are too many.
    fn keep(&mut self, saved: SavedCheckpoint) -> Result<RunEvent> {
        let (step, bytes) = (saved.step, saved.weights.bytes + saved.trainer_state.bytes);
        let rotation = self.next_rotation();
        self.checkpoints.saved.push(saved);
        self.checkpoints.rotate_to(rotation, &mut self.history);
        Ok(RunEvent::Saved {
            step,
            bytes,
            kept: self.checkpoints.rotation.steps().to_vec(),
        })
    }
}

/// Writes `trainer_state.json`, without a copy of its text in memory.
async fn write_json<D: Disk>(
    store: &mut CheckpointStore<D>,
    step: usize,
    value: &impl Serialize,
) -> Result<StoredFile, NotSavedReason> {
    let begun = store.begin(&format!("checkpoint-{step}.json")).await;
    let (mut draft, name) = begun.ok_or(NotSavedReason::NoStorage)?;
    let mut writer = BufWriter::with_capacity(1 << 16, &mut draft);
    let written = serde_json::to_writer_pretty(&mut writer, value).is_ok()
        && writer.write_all(b"\n").is_ok()
        && writer.flush().is_ok();
    drop(writer);
    if !written {
        draft.abandon().await;
        return Err(NotSavedReason::StorageFull);
    }
    let file = store.finish(draft, name).await;
    file.ok_or(NotSavedReason::StorageFull)
}
