//! Runs that continue after a crash: the state of a run in progress is stored on the disk of the environment, and a
//! later session continues from it with equal losses.
//!
//! A run's rows, settings and model are stored when it starts, so that it can be repeated from its first step; its
//! weights, moments and logs are stored every `state_save_seconds`.

mod fingerprint;
mod keeping;
mod list;
mod record;
mod state_file;
mod store;

pub(super) use keeping::Keeping;
pub(super) use store::RunStore;

use super::Session;
use super::dataset::HeldDataset;
use super::drafts::Draft;
use super::protocol::{
    InterruptedRun, NotSavedReason, ReportedEvaluation, ResumeData, ResumedRun, RunEvent, SplitView,
};
use super::run::{Run, no_run};
use crate::hub::{Blob, Clock, Disk, Environment};
use crate::settings::{RunSettings, Values};
use crate::train::{History, HistoryState, MemoryProbe, ResumeProgress, StepLog};
use crate::{Error, Result};
use fingerprint::Fingerprint;
use record::{RunRecord, RunSummary};
use serde::{Deserialize, Serialize};
use state_file::StateFile;

/// The most logs that the page gets of a run that continues.
const MOST_LOGS: usize = 1000;

/// The most evaluations that are stored with a run.
const MOST_REPORTS: usize = 100;

/// Bytes of a header, beside the tensors.
const HEADER_BYTES: u64 = 1 << 20;

/// A stored run whose rows the session has.
pub(super) struct Resuming {
    id: usize,
    values: Values,
    fingerprint: Fingerprint,
}

/// The numbers of a state.
#[derive(Serialize, Deserialize)]
struct RunState {
    progress: ResumeProgress,
    history: HistoryState,
    reports: Vec<ReportedEvaluation>,
    /// Milliseconds of training.
    trained_ms: f64,
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// The runs that ended before their last update and are stored.
    pub(super) async fn interrupted_runs(&self) -> Vec<InterruptedRun> {
        let Some(store) = &self.runs else {
            return Vec::new();
        };
        let current = self.run.as_ref().filter(|run| !run.is_over());
        let current = current.and_then(|run| run.keeping.as_ref().map(|keeping| keeping.id));
        let mut runs = Vec::new();
        for id in store.interrupted().await {
            if current != Some(id) {
                runs.push(list::interrupted(store, id).await);
            }
        }
        runs
    }

    /// Makes the rows of an interrupted run the session's. No other tab can continue it from now on.
    ///
    /// # Errors
    /// [`Error::Resume`] where it cannot be read, or another tab trains it.
    pub(super) async fn resume_data(&mut self, id: usize) -> Result<ResumeData> {
        let store = self.runs.as_mut().ok_or_else(no_storage)?;
        store.adopt(id, &self.clock).await?;
        let (summary, record) = record::read(store, id).await?;
        let split = record.split();
        let (values, fingerprint) = (record.values, record.fingerprint);
        let mut held = HeldDataset::new(record.rows, summary.source, summary.dataset);
        held.is_edited = record.edited;
        let split_view = SplitView::new(&held.rows, &split);
        let dataset = self.replace_dataset(held);
        self.split = Some(split.into());
        self.resuming = Some(Resuming {
            id,
            values: values.clone(),
            fingerprint,
        });
        Ok(ResumeData {
            dataset,
            split: split_view,
            values,
            locator: summary.locator,
        })
    }

    /// Removes an interrupted run; returns those that are left.
    ///
    /// # Errors
    /// [`Error::Resume`] while another tab trains it.
    pub(super) async fn discard_interrupted(&mut self, id: usize) -> Result<Vec<InterruptedRun>> {
        let store = self.runs.as_mut().ok_or_else(no_storage)?;
        store.discard(id, &self.clock).await?;
        Ok(self.interrupted_runs().await)
    }

    /// Continues an interrupted run whose rows, model and tokens the session has. It starts from the last state that is
    /// whole, or from the first step if there is none.
    ///
    /// # Errors
    /// [`Error::Resume`] where the model or the tokens are others, and those of [`Session::start_run`].
    pub async fn resume_run(&mut self, id: usize) -> Result<ResumedRun> {
        let resuming = self.resuming.take().filter(|resuming| resuming.id == id);
        let resuming = resuming.ok_or_else(|| Error::Resume("its rows are not loaded".into()))?;
        let fingerprint = Fingerprint::of(self.require_model()?, self.require_tokens()?).await?;
        if let Some(what) = resuming.fingerprint.difference(fingerprint) {
            return Err(Error::Resume(format!(
                "{what} of the model differs from that of the run"
            )));
        }
        let (mut run, bytes) = self.prepare_run(resuming.values.clone()).await?;
        let bytes_of_state = self.read_states(id, &mut run, resuming.values).await?;
        let seconds = run.state_save_seconds;
        let step = run.trainer.state().global_step;
        run.keeping = Some(Keeping::new(id, 1000.0 * seconds, self.clock.now(), step));
        let resumed = resumed(id, bytes_of_state, &run);
        self.use_run(run, bytes).await;
        Ok(resumed)
    }

    /// Restores the last state that is whole; returns its bytes, 0 if there is none.
    async fn read_states(&self, id: usize, run: &mut Run, values: Values) -> Result<u64> {
        let store = self.runs.as_ref().ok_or_else(no_storage)?;
        let device = self.compute.device.clone().without_autodiff();
        for (_, name) in store.states(id).await {
            let Some(blob) = store.blob(&name).await else {
                continue;
            };
            let bytes = blob.size();
            let read = StateFile::read(blob, &device).await;
            if let Ok(file) = read
                && run.restore(file).is_ok()
            {
                return Ok(bytes);
            }
            // The trainer may have parts of the state that was refused.
            *run = self.new_run(RunSettings::from_values(&values)?, values.clone())?;
        }
        Ok(0)
    }

    /// Stores what does not change during the run that begins; none where nothing is to be saved.
    pub(super) async fn store_run(&mut self, run: &mut Run) -> Result<Option<RunEvent>> {
        if run.state_save_seconds == 0.0 {
            return Ok(None);
        }
        let text = self.record_of(run).await?;
        let written = match &mut self.runs {
            Some(store) => write_record(store, text).await,
            None => Err(NotSavedReason::NoStorage),
        };
        Ok(Some(match written {
            Ok(id) => {
                let interval = 1000.0 * run.state_save_seconds;
                run.keeping = Some(Keeping::new(id, interval, self.clock.now(), 0));
                saved_event(id, 0, 0, 0.0)
            }
            Err(reason) => RunEvent::StateNotSaved { step: 0, reason },
        }))
    }

    async fn record_of(&self, run: &Run) -> Result<Vec<u8>> {
        let (dataset, split) = self.require_split()?;
        let (model, tokens) = (self.require_model()?, self.require_tokens()?);
        let held = self.dataset.as_ref().map(HeldDataset::view);
        let held = held.ok_or_else(super::dataset::no_dataset)?;
        let summary = RunSummary {
            format: record::FORMAT,
            webtune: env!("CARGO_PKG_VERSION").into(),
            crc32c: 0,
            model: model.origin.name.clone(),
            locator: model.locator.clone(),
            dataset: held.name,
            source: held.source,
            num_rows: dataset.rows.len(),
            max_steps: run.trainer.state().max_steps,
            device: self.compute.info.name.clone(),
        };
        let record = RunRecord {
            rows: dataset.as_ref().clone(),
            edited: held.edited,
            train: split.train.clone(),
            test: split.test.clone(),
            values: run.values.clone(),
            fingerprint: Fingerprint::of(model, tokens).await?,
        };
        record::write(summary, &record)
    }

    /// Saves the state of the run in progress if it is due. A disk that fails does not end the run.
    ///
    /// # Errors
    /// [`Error::Device`] if the tensors cannot be read back: the run is over, as after a step that fails.
    pub(super) async fn keep_state(&mut self) -> Result<Option<RunEvent>> {
        let run = self.run.as_mut().ok_or_else(no_run)?;
        let step = run.trainer.state().global_step;
        let Some(keeping) = &run.keeping else {
            return Ok(None);
        };
        let id = keeping.id;
        let started = self.clock.now();
        if !keeping.is_due(started, step) || !run.trainer.is_resumable() {
            return Ok(None);
        }
        let Some(store) = &self.runs else {
            return Ok(None);
        };
        // The buffers of the last step would stay allocated beside those of the read-back, which are of other sizes.
        self.compute.device.memory_cleanup();
        let saved = run.save_state(store, id).await;
        self.compute.device.memory_cleanup();
        let checked = self.compute.errors.check().await;
        let saved = match (checked, saved) {
            (Ok(()), Ok(Ok(draft))) => draft.finish().await.ok_or(NotSavedReason::StorageFull),
            (Ok(()), Ok(Err(reason))) => Err(reason),
            // What was read may be stale.
            (Err(error), Ok(Ok(draft))) => {
                draft.abandon().await;
                self.end_run();
                return Err(error);
            }
            (Err(error), _) | (Ok(()), Err(error)) => {
                self.end_run();
                return Err(error);
            }
        };
        store.rotate(id).await;
        let now = self.clock.now();
        if let Some(keeping) = self.run.as_mut().and_then(|run| run.keeping.as_mut()) {
            keeping.tried(started, now, step);
        }
        Ok(Some(match saved {
            Ok(bytes) => saved_event(id, step, bytes, (now - started) / 1000.0),
            Err(reason) => RunEvent::StateNotSaved { step, reason },
        }))
    }

    /// Removes what is stored of the run that has ended.
    pub(super) async fn remove_stored_run(&mut self) {
        let keeping = self.run.as_mut().and_then(|run| run.keeping.take());
        if let (Some(store), Some(keeping)) = (&self.runs, keeping) {
            store.end_run(keeping.id).await;
        }
    }
}

fn saved_event(run: usize, step: usize, bytes: u64, seconds: f64) -> RunEvent {
    RunEvent::StateSaved {
        run,
        step,
        bytes,
        seconds,
    }
}

impl Run {
    /// Whether the logs are read back before the next step, because the state can be saved only then.
    pub(super) fn reads_logs_for_state(&self, now_ms: f64) -> bool {
        let step = self.trainer.state().global_step;
        let is_due = |keeping: &Keeping| keeping.is_due(now_ms, step);
        self.keeping.as_ref().is_some_and(is_due) && self.trainer.has_pending_logs()
    }

    /// Writes the state to a new file, which is not named yet.
    async fn save_state<D: Disk>(
        &self,
        store: &RunStore<D>,
        id: usize,
    ) -> Result<Result<Draft<D>, NotSavedReason>> {
        let tensors = self.trainer.resume_tensors()?;
        let logs = self.history.step_logs().to_vec();
        let bytes = state_file::data_bytes(&logs, &tensors) + HEADER_BYTES;
        let fits = store.has_room(bytes).await
            || (store.make_room(id).await && store.has_room(bytes).await);
        if !fits {
            return Ok(Err(NotSavedReason::StorageFull));
        }
        let state = RunState {
            progress: self.trainer.resume_progress(),
            history: self.history.state(),
            reports: self.reports.clone(),
            trained_ms: self.trained_ms,
        };
        let state = serde_json::to_string(&state)
            .map_err(|error| Error::Resume(format!("its state cannot be written ({error})")))?;
        let file = StateFile {
            state,
            logs,
            tensors,
        };
        let name = store.next_state(id).await;
        let Some(mut draft) = store.begin(&name).await else {
            return Ok(Err(NotSavedReason::NoStorage));
        };
        let written = file.write(&mut draft).await;
        let settled = draft.settled(written).await?;
        Ok(settled.ok_or(NotSavedReason::StorageFull))
    }

    /// Continues from a state of this run.
    fn restore(&mut self, file: StateFile) -> Result<()> {
        let state: RunState = serde_json::from_str(&file.state)
            .map_err(|error| Error::Resume(format!("its state is damaged ({error})")))?;
        self.trainer.resume(&state.progress, file.tensors)?;
        self.history.resume(file.logs, state.history);
        self.reports = state.reports;
        self.trained_ms = state.trained_ms;
        self.resumed_ms = state.trained_ms;
        Ok(())
    }

    /// Remembers an evaluation for a session that continues this run.
    pub(super) fn keep_report(&mut self, report: ReportedEvaluation) {
        if self.reports.len() >= MOST_REPORTS {
            let mut at = 0;
            self.reports.retain(|_| {
                at += 1;
                at % 2 == 0
            });
        }
        self.reports.push(report);
    }
}

/// What the page shows of a run that continues.
fn resumed(id: usize, bytes: u64, run: &Run) -> ResumedRun {
    let state = run.trainer.state();
    ResumedRun {
        run: id,
        bytes,
        step: state.global_step,
        max_steps: state.max_steps,
        epoch: state.epoch,
        logs: some_logs(&run.history),
        evaluations: run.reports.clone(),
    }
}

fn some_logs(history: &History) -> Vec<StepLog> {
    let logs = history.step_logs();
    let every = logs.len().div_ceil(MOST_LOGS).max(1);
    let is_shown = |&(at, _): &(usize, &StepLog)| at % every == 0 || at + 1 == logs.len();
    let shown = logs.iter().enumerate().filter(is_shown);
    shown.map(|(_, log)| *log).collect()
}

/// Writes the record of a new run, and returns its slot.
async fn write_record<D: Disk>(
    store: &mut RunStore<D>,
    text: Vec<u8>,
) -> Result<usize, NotSavedReason> {
    let id = store.begin_run().await.ok_or(NotSavedReason::NoStorage)?;
    if !store.has_room(text.len() as u64).await {
        return Err(NotSavedReason::StorageFull);
    }
    let draft = store.begin(&RunStore::<D>::run_file(id)).await;
    let mut draft = draft.ok_or(NotSavedReason::NoStorage)?;
    if draft.append(&text).is_err() {
        draft.abandon().await;
        return Err(NotSavedReason::StorageFull);
    }
    draft.finish().await.ok_or(NotSavedReason::StorageFull)?;
    Ok(id)
}

fn no_storage() -> Error {
    Error::Resume("this browser lets the page store no files".into())
}
