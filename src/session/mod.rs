//! The workflow as one state machine: dataset, split, model, tokens, plan, run, evaluation, prediction, export, stored
//! models.
//!
//! A [`Session`] is the only owner of that state. It answers a [`Request`] with an [`Answer`], or with an error that
//! leaves the state as it was: a new value replaces the old one only after it has been built. It is generic over its
//! [`Environment`] (network, disk, clock) and computes on any device, so native tests run the code that the page runs.

mod audit;
mod baselines;
mod checkpoints;
mod dataset;
mod device;
mod device_choice;
mod device_errors;
mod device_speed;
mod drafts;
mod evaluation;
mod export;
mod import;
mod kept;
mod model;
mod model_notices;
mod plan;
pub mod protocol;
mod recommend;
mod reported;
mod resume;
mod run;
mod run_rows;
mod slots;
mod split;
mod stored;
#[cfg(test)]
mod tests;
mod token_warnings;
mod tokens;

pub use device::Compute;
pub use device_choice::{Adapter, CpuForm, DeviceChoice, Missing, without_adapter};
pub use device_errors::{DeviceErrors, LocalFuture, NoDeviceErrors};
pub use device_speed::{Measured, measure};

use crate::data::{Dataset, RowFilter, Split};
use crate::hub::{Clock, Disk, Environment, Fetch, RowsRequest};
use crate::selftest::SelfTest;
use crate::train::MemoryProbe;
use crate::{Error, Result};
use checkpoints::CheckpointStore;
use dataset::{HeldDataset, no_dataset};
use import::PendingImport;
use model::LoadedModel;
#[cfg(target_family = "wasm")]
pub(crate) use model::{HEAD_SEED, NUM_LABELS};
use protocol::{Answer, Request, SessionEvent, SessionState};
use reported::Reported;
use resume::{Resuming, RunStore};
use run::Run;
use std::rc::Rc;
use tokens::Tokenized;

/// Receives what a request reports while it is being answered.
pub trait Listener {
    /// Progress.
    fn event(&self, event: SessionEvent);

    /// The next bytes of an exported archive.
    ///
    /// # Errors
    /// [`Error::Export`] when they cannot be kept; the export ends with this error.
    fn piece(&self, bytes: &[u8]) -> Result<()>;
}

/// A file of the visitor's disk: its path inside its folder, and its bytes.
pub type VisitorFile<E> = (String, <<E as Environment>::Disk as Disk>::Blob);

/// The workflow's state on one device.
pub struct Session<E: Environment, M: MemoryProbe> {
    compute: Compute<M>,
    /// Where models are stored; none where the browser does not allow it.
    disk: Option<E::Disk>,
    clock: E::Clock,
    /// Result of the start-up self-test. Training waits for it.
    self_test: Option<SelfTest>,
    /// Result of the self-test in f16, which runs before the first run with `fp16`.
    fp16_test: Option<SelfTest>,
    dataset: Option<HeldDataset>,
    /// A table that was read and is not used yet.
    pending: Option<PendingImport>,
    split: Option<Rc<Split>>,
    model: Option<LoadedModel>,
    tokens: Option<Tokenized>,
    /// The run in progress, or the last one.
    run: Option<Run>,
    /// The run before it, whose model is kept until the next run starts.
    previous: Option<Run>,
    /// What the visitor has been told of the data.
    reported: Reported,
    /// Where checkpoints are saved; none where the browser does not allow it.
    checkpoints: Option<CheckpointStore<E::Disk>>,
    /// Where the state of runs in progress is stored; none where the browser does not allow it.
    runs: Option<RunStore<E::Disk>>,
    /// The interrupted run whose rows are the session's.
    resuming: Option<Resuming>,
}

impl<E: Environment, M: MemoryProbe> Session<E, M> {
    /// An empty session.
    pub fn new(compute: Compute<M>, disk: Option<E::Disk>, clock: E::Clock) -> Self {
        Self {
            compute,
            checkpoints: disk.clone().map(CheckpointStore::new),
            runs: disk.clone().map(RunStore::new),
            resuming: None,
            disk,
            clock,
            self_test: None,
            fp16_test: None,
            dataset: None,
            pending: None,
            split: None,
            model: None,
            tokens: None,
            run: None,
            previous: None,
            reported: Reported::default(),
        }
    }

    /// What the session holds.
    pub fn state(&self) -> SessionState {
        SessionState {
            dataset_rows: self.dataset.as_ref().map(|held| held.rows.rows.len()),
            split: self.split.is_some(),
            model: self.model.as_ref().map(|model| model.origin.name.clone()),
            head: self.head_use(),
            tokenized: self.tokens.is_some(),
            trained: self.run.as_ref().and_then(Run::trained),
            previous: self.previous.as_ref().and_then(Run::trained),
        }
    }

    /// Answers a request. `fetch` is the network of this request and carries its stop signal.
    ///
    /// # Errors
    /// As the method of the request. The state is then what it was before.
    pub async fn answer(
        &mut self,
        request: Request,
        fetch: E::Fetch,
        listener: &Rc<dyn Listener>,
    ) -> Result<Answer> {
        let answer = self.respond(request, fetch, listener).await;
        self.remove_unused_checkpoints().await;
        answer
    }

    async fn respond(
        &mut self,
        request: Request,
        fetch: E::Fetch,
        listener: &Rc<dyn Listener>,
    ) -> Result<Answer> {
        Ok(match request {
            Request::Dataset { values } => Answer::Dataset(self.generate_dataset(&values)?),
            Request::Split { values } => Answer::Split(self.split_dataset(&values, &fetch).await?),
            Request::Rows {
                train,
                test,
                labels,
            } => Answer::Rows(self.use_rows(train, test, labels)?),
            Request::LoadModel { base } => {
                Answer::Model(Box::new(self.load_site(base, fetch, listener).await?))
            }
            Request::LoadHub { endpoint, repo } => Answer::Model(Box::new(
                self.load_hub(&endpoint, &repo, fetch, listener).await?,
            )),
            Request::Stored => Answer::Stored(self.stored_models().await),
            Request::Forget { key } => Answer::Stored(self.forget_model(&key).await?),
            Request::DatasetRows {
                offset,
                count,
                query,
                label,
            } => {
                let filter = RowFilter::new(&query, label);
                Answer::DatasetRows(self.dataset_rows(offset, count, &filter)?)
            }
            Request::ImportHub {
                endpoint,
                dataset,
                config,
                split,
                max_rows,
                options,
            } => {
                let rows = RowsRequest {
                    dataset,
                    config,
                    split,
                    max_rows,
                };
                let view = self.import_hub(&endpoint, rows, options, fetch, listener);
                Answer::Import(Box::new(view.await?))
            }
            Request::UseImport {
                skip_bad_rows,
                merge_labels,
            } => Answer::Dataset(self.use_import(skip_bad_rows, merge_labels)?),
            Request::NewDataset { labels } => Answer::Dataset(self.new_dataset(labels)?),
            Request::Edit { edit } => Answer::Dataset(self.edit_dataset(edit)?),
            Request::Undo => Answer::Dataset(self.undo_edit()?),
            Request::Redo => Answer::Dataset(self.redo_edit()?),
            Request::DownloadDataset { format } => {
                Answer::Download(self.download_dataset(format, listener.as_ref())?)
            }
            Request::Audit { values } => {
                let view = self.audit(&values, &fetch).await?;
                self.keep_audit(&view);
                Answer::Audit(view)
            }
            Request::AuditLabels => {
                let found = self.audit_labels(&fetch, listener.as_ref()).await;
                let view = self.checked(found).await?;
                self.keep_label_audit(&view);
                Answer::Audit(view)
            }
            Request::Baselines { embeddings } => {
                let found = self.baselines(embeddings, &fetch, listener.as_ref()).await;
                let view = self.checked(found).await?;
                self.keep_baselines(&view);
                Answer::Baselines(view)
            }
            Request::Recommend {
                budget_seconds,
                seconds_per_unit,
            } => Answer::Recommendation(self.recommend(budget_seconds, seconds_per_unit)?),
            Request::Tokenize { values } => {
                Answer::Tokenized(self.tokenize(&values, &fetch, listener.as_ref()).await?)
            }
            Request::Tokens { offset, count } => Answer::Tokens(self.token_rows(offset, count)?),
            Request::Plan { values } => Answer::Plan(self.plan(&values).await?),
            Request::Evaluate { logits } => {
                let report = self.evaluate(logits, &fetch, listener.as_ref()).await;
                Answer::Evaluation(self.checked(report).await?)
            }
            Request::Predict { text } => {
                let prediction = self.predict(&text).await;
                Answer::Prediction(self.checked(prediction).await?)
            }
            Request::PlanExport => Answer::ExportPlan(self.plan_export()?),
            Request::RestorePrevious => Answer::Restored(self.restore_previous()?),
            Request::Discard { model } => {
                self.discard(model)?;
                Answer::Discarded
            }
            Request::Interrupted => Answer::Interrupted(self.interrupted_runs().await),
            Request::ResumeData { run } => {
                Answer::ResumeData(Box::new(self.resume_data(run).await?))
            }
            Request::DiscardInterrupted { run } => {
                Answer::Interrupted(self.discard_interrupted(run).await?)
            }
            Request::Compare => {
                let report = self.compare(listener.as_ref()).await;
                Answer::Comparison(self.checked(report).await?)
            }
        })
    }

    /// Returns a result of the device, unless the device reports an error: then the result may be stale, or an error
    /// that it has caused.
    async fn checked<T>(&self, result: Result<T>) -> Result<T> {
        self.compute.errors.check().await.and(result)
    }

    fn require_dataset(&self) -> Result<&Rc<Dataset>> {
        self.dataset
            .as_ref()
            .map(|held| &held.rows)
            .ok_or_else(no_dataset)
    }

    fn require_split(&self) -> Result<(&Rc<Dataset>, &Rc<Split>)> {
        let missing = || Error::NotReady("The split has not been made yet.".into());
        Ok((
            self.require_dataset()?,
            self.split.as_ref().ok_or_else(missing)?,
        ))
    }

    fn require_model(&self) -> Result<&LoadedModel> {
        let missing = || Error::NotReady("No model is loaded yet. Load it first.".into());
        self.model.as_ref().ok_or_else(missing)
    }

    fn require_tokens(&self) -> Result<&Tokenized> {
        let missing = || Error::NotReady("The rows have not been tokenized yet.".into());
        self.tokens.as_ref().ok_or_else(missing)
    }
}

/// What a stop says of work that only computes.
const STOPPED: &str = "It was stopped. Nothing has changed.";

/// Lets the worker read its messages.
///
/// # Errors
/// [`Error::Stopped`] with the sentence `stopped` once the visitor has stopped the request.
async fn check_stop(clock: &impl Clock, fetch: &impl Fetch, stopped: &str) -> Result<()> {
    clock.next_task().await;
    match fetch.is_stopped() {
        true => Err(Error::Stopped(stopped.into())),
        false => Ok(()),
    }
}

/// Seconds since `started`, a time of `clock`.
fn seconds_since(clock: &impl Clock, started: f64) -> f64 {
    (clock.now() - started) / 1000.0
}
