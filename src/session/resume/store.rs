//! The files of runs in progress, on a disk that several tabs share.
//!
//! A run has a [slot](crate::session::slots), which the tab that trains it holds: no other tab can continue the run
//! meanwhile. Its files are `{slot}.run`, which is written when the run starts, and the last two states
//! `{slot}.{number}.state`. They are removed when the run ends. What a tab that has ended leaves is an interrupted run.

use crate::hub::{Clock, Disk, Folder};
use crate::session::drafts::{self, Draft};
use crate::session::slots::{LOCK_ENDING, Slot, slot_of};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// The lock under which tabs look for interrupted runs, because a slot is opened to see whether a tab holds it.
const LOCK: &str = "webtune-runs";

const RUN_ENDING: &str = ".run";
const STATE_ENDING: &str = ".state";

/// States that are kept: the last one may be damaged by what has ended the run.
const STATES_KEPT: usize = 2;

/// How long the browser may take to close the files of a worker that was ended.
const CLOSING_MS: f64 = 5000.0;
const ATTEMPT_MS: f64 = 50.0;

/// The stored runs of a session on its disk.
pub(in crate::session) struct RunStore<D: Disk> {
    disk: D,
    slot: Option<Slot<D>>,
}

/// A file of a stored run, and its number among the states.
pub(super) type State = (u64, String);

impl<D: Disk> RunStore<D> {
    /// That of a session which has stored nothing yet.
    pub(in crate::session) fn new(disk: D) -> Self {
        Self { disk, slot: None }
    }

    /// The name of the file with what does not change during a run.
    pub(super) fn run_file(id: usize) -> String {
        format!("{id}{RUN_ENDING}")
    }

    /// Takes a slot for a new run; none where no file can be opened. Files of the run before it are removed.
    pub(super) async fn begin_run(&mut self) -> Option<usize> {
        if let Some(slot) = &self.slot {
            let id = slot.number;
            self.remove_files(id).await;
            return Some(id);
        }
        let _lock = self.disk.lock(LOCK).await.ok();
        let used: Vec<usize> = self.stored().await.into_iter().collect();
        self.slot = Slot::take_any(&self.disk, Folder::Runs, &used).await;
        self.slot.as_ref().map(|slot| slot.number)
    }

    /// The slots that have a run.
    async fn stored(&self) -> BTreeSet<usize> {
        let names = self.names().await.into_iter();
        let runs = names.filter(|name| name.ends_with(RUN_ENDING));
        runs.filter_map(|name| slot_of(&name).parse().ok())
            .collect()
    }

    async fn names(&self) -> Vec<String> {
        self.disk.names(Folder::Runs).await.unwrap_or_default()
    }

    /// The runs that no tab trains, the slot of this session included. What a tab has left without a run is removed.
    pub(super) async fn interrupted(&self) -> Vec<usize> {
        let Ok(_lock) = self.disk.lock(LOCK).await else {
            return Vec::new();
        };
        let own = self.slot.as_ref().map(|slot| slot.number);
        let runs = self.stored().await;
        let mut free = Vec::new();
        for &id in &runs {
            let is_free =
                own == Some(id) || Slot::take(&self.disk, Folder::Runs, id).await.is_some();
            free.extend(is_free.then_some(id));
        }
        for name in self.names().await {
            let slot = slot_of(&name).parse();
            let belongs_to_run = slot.as_ref().is_ok_and(|slot| runs.contains(slot));
            // Only a lock that no tab holds can be removed, and without it the other files are nobody's.
            if !belongs_to_run && name.ends_with(LOCK_ENDING) && self.remove(&name).await {
                self.remove_files_of(slot_of(&name)).await;
            }
        }
        free
    }

    /// Takes the slot of an interrupted run, so that no other tab continues it.
    ///
    /// # Errors
    /// [`Error::Resume`] while another tab has it.
    pub(super) async fn adopt(&mut self, id: usize, clock: &impl Clock) -> Result<()> {
        if self.slot.as_ref().is_some_and(|slot| slot.number == id) {
            return Ok(());
        }
        let started = clock.now();
        loop {
            if let Some(slot) = Slot::take(&self.disk, Folder::Runs, id).await {
                // A run of this session that has failed stays an interrupted run.
                self.slot = Some(slot);
                return Ok(());
            }
            if clock.now() - started > CLOSING_MS {
                return Err(Error::Resume("another tab trains it".into()));
            }
            clock.sleep(ATTEMPT_MS).await;
        }
    }

    /// Gives the slot up, with the files of its run.
    async fn release(&mut self) {
        if let Some(slot) = self.slot.take() {
            let id = slot.number;
            self.remove_files(id).await;
            drop(slot);
            self.remove(&format!("{id}{LOCK_ENDING}")).await;
        }
    }

    /// Removes the files of an interrupted run.
    ///
    /// # Errors
    /// As [`adopt`](Self::adopt).
    pub(super) async fn discard(&mut self, id: usize, clock: &impl Clock) -> Result<()> {
        let own = self.slot.take();
        let is_own = own.as_ref().is_some_and(|slot| slot.number == id);
        if is_own {
            self.slot = own;
            self.remove_files(id).await;
            return Ok(());
        }
        let adopted = self.adopt(id, clock).await;
        self.release().await;
        self.slot = own;
        adopted
    }

    /// Removes the files of a run that this session has ended. It keeps the slot.
    pub(super) async fn end_run(&self, id: usize) {
        if self.slot.as_ref().is_some_and(|slot| slot.number == id) {
            self.remove_files(id).await;
        }
    }

    /// Opens a new file of the run; none where the disk does not allow it.
    pub(super) async fn begin(&self, name: &str) -> Option<Draft<D>> {
        Draft::begin(&self.disk, Folder::Runs, name).await
    }

    /// Whether `bytes` more fit, as far as the browser says.
    pub(super) async fn has_room(&self, bytes: u64) -> bool {
        drafts::has_room(&self.disk, bytes).await
    }

    /// A file of a run.
    pub(super) async fn blob(&self, name: &str) -> Option<D::Blob> {
        self.disk.blob(Folder::Runs, name).await.ok()
    }

    /// The states of a run, the latest first.
    pub(super) async fn states(&self, id: usize) -> Vec<State> {
        let names = self.names().await.into_iter();
        let states = names.filter_map(|name| {
            let number = name
                .strip_prefix(&format!("{id}."))?
                .strip_suffix(STATE_ENDING)?;
            Some((number.parse().ok()?, name))
        });
        let mut states: Vec<State> = states.collect();
        states.sort_by(|a, b| b.cmp(a));
        states
    }

    /// The name of the next state of a run.
    pub(super) async fn next_state(&self, id: usize) -> String {
        let last = self.states(id).await.into_iter().next();
        let number = last.map_or(0, |(number, _)| number + 1);
        format!("{id}.{number}{STATE_ENDING}")
    }

    /// Removes the states of a run beside the latest ones.
    pub(super) async fn rotate(&self, id: usize) {
        self.keep_states(id, STATES_KEPT).await;
    }

    /// Removes the state before the latest one, to make room; false if there is none.
    pub(super) async fn make_room(&self, id: usize) -> bool {
        self.keep_states(id, 1).await
    }

    async fn keep_states(&self, id: usize, most: usize) -> bool {
        let states = self.states(id).await;
        for (_, name) in states.iter().skip(most) {
            self.remove(name).await;
        }
        states.len() > most
    }

    async fn remove_files(&self, id: usize) {
        self.remove_files_of(&id.to_string()).await;
    }

    /// Removes the files of a slot, without its lock: the run first, because without it states are of no run.
    async fn remove_files_of(&self, slot: &str) {
        self.remove(&format!("{slot}{RUN_ENDING}")).await;
        for name in self.names().await {
            if slot_of(&name) == slot && !name.ends_with(LOCK_ENDING) {
                self.remove(&name).await;
            }
        }
    }

    async fn remove(&self, name: &str) -> bool {
        // What cannot be removed now is removed by a later visit.
        self.disk.remove(Folder::Runs, name).await.is_ok()
    }
}
